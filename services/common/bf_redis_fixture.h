// A Redis of a test's own: on a unix socket in a folder of its own, without persistence, so that a restart
// empties it. It ends with the test, also when that dies.
#ifndef BF_REDIS_FIXTURE_H
#define BF_REDIS_FIXTURE_H

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bf_clock.h"
#include "bf_redis.h"

#define BF_REDIS_FIXTURE_START_MS 30000

struct bf_redis_fixture {
    char dir[40];
    char socket[64];
    pid_t pid;
};

static inline void bf_redis_fixture_spawn(struct bf_redis_fixture *server)
{
    server->pid = fork();
    if (server->pid != 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", server->socket, "--save", "",
           "--appendonly", "no", "--dir", server->dir, "--logfile", "log", "--databases", "1", (char *)NULL);
    _exit(127);
}

// False: it does not serve in time (is redis-server installed?).
static inline bool bf_redis_fixture_serves(struct bf_redis *redis)
{
    uint64_t until = bf_mono_ms() + BF_REDIS_FIXTURE_START_MS;

    while (bf_redis_ping(redis)) {
        if (bf_mono_ms() > until)
            return false;
        usleep(5000);
    }
    return true;
}

static inline bool bf_redis_fixture_start(struct bf_redis_fixture *server)
{
    snprintf(server->dir, sizeof(server->dir), "/tmp/bf_redis.XXXXXX");
    if (!mkdtemp(server->dir))
        return false;
    snprintf(server->socket, sizeof(server->socket), "%s/sock", server->dir);
    bf_redis_fixture_spawn(server);
    return true;
}

static inline void bf_redis_fixture_kill(struct bf_redis_fixture *server)
{
    if (server->pid <= 0)
        return;
    kill(server->pid, SIGKILL);
    while (waitpid(server->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    server->pid = 0;
}

static inline void bf_redis_fixture_stop(struct bf_redis_fixture *server)
{
    static const char *const files[] = {"log", "sock", "dump.rdb"};
    char path[96];

    bf_redis_fixture_kill(server);
    for (size_t i = 0; i < BF_LEN(files); i++) {
        snprintf(path, sizeof(path), "%s/%s", server->dir, files[i]);
        unlink(path);
    }
    rmdir(server->dir);
}

static inline struct bf_redis_options bf_redis_fixture_options(const struct bf_redis_fixture *server)
{
    return (struct bf_redis_options){
        .host = server->socket,
        .connections_max = 8,
        .connect_timeout_ms = 1000,
        .borrow_timeout_ms = 300,
        .answer_timeout_ms = 5000,
    };
}

#endif
