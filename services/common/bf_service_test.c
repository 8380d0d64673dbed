// The life of a service, each in a child process: signals end processes.
#include <setjmp.h>
#include <stdarg.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "bf_clock.h"
#include "bf_service.h"

#define PATIENCE_MS 60000
#define DRAIN_MS    30000

struct child {
    pid_t pid;
    int told;     // the child tells its steps, one byte each
    int64_t port; // of its admin port
};

static enum bf_err check_flag(void *ctx)
{
    return *(_Atomic bool *)ctx ? BF_OK : BF_UNAVAILABLE;
}

static void tell(int to, char step)
{
    if (write(to, &step, 1) != 1)
        _exit(9);
}

static _Atomic bool flag;

static void set_flag(int signal)
{
    flag = true;
}

// What a program does: start, wait, drain until the second signal or USR2 (by way of `flag`), stop.
static void live(int64_t port, int to)
{
    static const struct bf_service_check checks[] = {{"database", check_flag}};
    const struct bf_service_options options = {.name = "unit",
                                               .admin_host = "127.0.0.1",
                                               .admin_port = port,
                                               .drain_ms = DRAIN_MS,
                                               .checks = checks,
                                               .check_count = 1,
                                               .ctx = &flag};
    struct bf_service *service = NULL;
    signal(SIGUSR1, set_flag);
    if (bf_service_start(&options, &service))
        _exit(8);
    tell(to, 's');
    bf_service_wait(service);
    int64_t left = bf_service_drain_left_ms(service);
    if (left < 1 || left > DRAIN_MS)
        _exit(7);
    flag = false;
    tell(to, 'd');
    while (!flag)
        usleep(2000);
    bf_service_stop(service);
    _exit(0);
}

static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static struct child start_child(void)
{
    int ends[2];
    struct child child = {.port = free_port()};
    assert_int_equal(pipe(ends), 0);
    child.pid = fork();
    assert_true(child.pid >= 0);
    if (child.pid == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, STDERR_FILENO);
        live(child.port, ends[1]);
    }
    close(ends[1]);
    child.told = ends[0];
    return child;
}

static void assert_told(const struct child *child, char step)
{
    char got = 0;
    assert_int_equal(read(child->told, &got, 1), 1);
    assert_int_equal(got, step);
}

static int end_of(struct child *child)
{
    int status = 0;
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        ;
    close(child->told);
    return status;
}

static char answer[65536];

static int get(const struct child *child, const char *path)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)child->port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    dprintf(fd, "GET %s HTTP/1.1\r\nHost: unit\r\nConnection: close\r\n\r\n", path);
    size_t len = 0;
    for (ssize_t got; (got = read(fd, answer + len, sizeof(answer) - 1 - len)) > 0;)
        len += (size_t)got;
    close(fd);
    answer[len] = '\0';
    int64_t code = 0;
    return len > 12 && bf_parse_int((struct bf_str){answer + 9, 3}, 100, 599, &code) ? (int)code : 0;
}

static void wait_for(const struct child *child, const char *path, int code)
{
    uint64_t deadline = bf_mono_ms() + PATIENCE_MS;
    while (get(child, path) != code && bf_mono_ms() < deadline)
        usleep(5000);
    assert_int_equal(get(child, path), code);
}

static void test_the_admin_port_tells_how_it_is(void **state)
{
    struct child child = start_child();
    assert_told(&child, 's');
    assert_int_equal(get(&child, "/health"), 200);
    assert_non_null(strstr(answer, "\"alive\":true"));
    assert_int_equal(get(&child, "/ready"), 503);
    assert_non_null(strstr(answer, "\"name\":\"database\""));
    assert_int_equal(get(&child, "/metrics"), 200);
    assert_non_null(strstr(answer, "# TYPE belfry_start_time_seconds gauge\n"));
    assert_non_null(
        strstr(answer, "belfry_http_requests_total{code=\"2xx\"} 0\n")); // the admin port is no traffic
    kill(child.pid, SIGUSR1);
    wait_for(&child, "/ready", 200);
    assert_int_equal(get(&child, "/nonsense"), 404);
    kill(child.pid, SIGKILL);
    end_of(&child);
}

static void test_a_signal_drains_and_ends_cleanly(void **state)
{
    static const int signals[] = {SIGTERM, SIGINT};
    for (size_t i = 0; i < BF_LEN(signals); i++) {
        struct child child = start_child();
        assert_told(&child, 's');
        kill(child.pid, SIGPIPE); // ignored
        kill(child.pid, signals[i]);
        assert_told(&child, 'd');
        assert_int_equal(get(&child, "/ready"), 503);
        assert_non_null(strstr(answer, "\"name\":\"draining\""));
        assert_int_equal(get(&child, "/health"), 200); // alive all the same
        kill(child.pid, SIGUSR1);
        int status = end_of(&child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
}

static void test_a_second_signal_ends_at_once(void **state)
{
    struct child child = start_child();
    assert_told(&child, 's');
    kill(child.pid, SIGTERM);
    assert_told(&child, 'd');
    kill(child.pid, SIGTERM);
    int status = end_of(&child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGTERM);
}

static void test_a_taken_admin_port_is_told(void **state)
{
    struct child first = start_child();
    assert_told(&first, 's');
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0)
        live(first.port, ends[1]);
    struct child second = {.pid = pid, .told = ends[0]};
    close(ends[1]);
    int status = end_of(&second);
    assert_int_equal(WEXITSTATUS(status), 8);
    kill(first.pid, SIGKILL);
    end_of(&first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_admin_port_tells_how_it_is),
        cmocka_unit_test(test_a_signal_drains_and_ends_cleanly),
        cmocka_unit_test(test_a_second_signal_ends_at_once),
        cmocka_unit_test(test_a_taken_admin_port_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
