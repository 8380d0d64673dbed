// tlsload: TLS connections to a SIP server, good ones and those that break on the way, many at once. Loopback
// only. Prints one JSON object; loadtest/README.md says what the fields mean.
//
// A good connection shakes hands, asks OPTIONS and reads the answer. A broken one is what the Internet sends
// to port 5061: rows of the table `kinds`. Each thread takes the next number until count or time is up, or
// nobody listens any more.
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "bf_base.h"
#include "bf_clock.h"

#define PARALLEL_MAX 256
#define GONE_AFTER   100   // connections that nobody took, one after the other
#define PATIENCE_MS  10000 // for one answer
#define HELLO_MAX    2048
#define NAME_MAX_LEN 253

struct plan {
    const char *target, *name;
    int64_t count, seconds, parallel, broken;
};

// Of the first eight bytes of the servers' randoms: two equal ones are no chance.
struct randoms {
    pthread_mutex_t lock;
    uint64_t *slots; // 0: empty
    size_t mask;
    int64_t repeated;
};

static struct {
    struct plan plan;
    struct sockaddr_in target;
    SSL_CTX *good, *tls12, *old, *cipherless, *distrusting;
    struct randoms randoms;
    _Atomic int64_t next, good_begun, answered, broken_begun, let_in, refused, refused_in_a_row;
    uint64_t until_ms;
} load = {.randoms.lock = PTHREAD_MUTEX_INITIALIZER};

// ---- a connection

// From one of 65,000 addresses, so that no source is a flood and no port is used up. -1: nobody took it.
static int dial(int64_t number)
{
    struct sockaddr_in from = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(0x7f010000u + (uint32_t)number % 65000 + 1)};
    struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    if (fd < 0)
        return -1;
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (bind(fd, (struct sockaddr *)&from, sizeof(from)) == 0 &&
        connect(fd, (struct sockaddr *)&load.target, sizeof(load.target)) == 0) {
        load.refused_in_a_row = 0;
        return fd;
    }
    load.refused++;
    load.refused_in_a_row++;
    close(fd);
    return -1;
}

static void close_rudely(int fd)
{
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
    close(fd);
}

// Until the other side ends it, or patience does.
static void wait_for_end(int fd)
{
    char bytes[4096];

    for (int i = 0; i < 64 && recv(fd, bytes, sizeof(bytes), 0) > 0; i++)
        ;
}

static SSL *client_new(SSL_CTX *ctx, int fd)
{
    SSL *ssl = SSL_new(ctx);

    if (!ssl)
        abort();
    if (fd >= 0)
        SSL_set_fd(ssl, fd);
    if (load.plan.name)
        SSL_set_tlsext_host_name(ssl, load.plan.name);
    return ssl;
}

// ---- what is seen

static void random_seen(const SSL *ssl)
{
    struct randoms *randoms = &load.randoms;
    uint64_t value = 0;

    SSL_get_server_random(ssl, (unsigned char *)&value, sizeof(value));
    value |= 1; // never an empty slot
    pthread_mutex_lock(&randoms->lock);
    size_t at = (value >> 1) & randoms->mask;
    while (randoms->slots[at] && randoms->slots[at] != value)
        at = (at + 1) & randoms->mask;
    if (randoms->slots[at] == value)
        randoms->repeated++;
    randoms->slots[at] = value;
    pthread_mutex_unlock(&randoms->lock);
}

// An answer, whatever it says.
static bool asks_and_hears(SSL *ssl, int64_t number)
{
    const char *name = load.plan.name ? load.plan.name : "127.0.0.1";
    char text[2048];
    int len = snprintf(text, sizeof(text),
                       "OPTIONS sip:%s SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:9;rport;branch=z9hG4bK-%lld\r\n"
                       "Max-Forwards: 70\r\nFrom: <sip:load@%s>;tag=%lld\r\nTo: <sip:%s>\r\n"
                       "Call-ID: %lld@tlsload\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
                       name, (long long)number, name, (long long)number, name, (long long)number);

    return SSL_write(ssl, text, len) == len && SSL_read(ssl, text, sizeof(text)) > 8 &&
           memcmp(text, "SIP/2.0 ", 8) == 0;
}

// ---- kinds of connections

static void talk(int64_t number, int fd, SSL_CTX *ctx)
{
    SSL *ssl = client_new(ctx, fd);

    if (SSL_connect(ssl) == 1) {
        random_seen(ssl);
        if (asks_and_hears(ssl, number))
            load.answered++;
        SSL_shutdown(ssl);
    }
    SSL_free(ssl);
    close(fd);
}

static void good(int64_t number, int fd)
{
    talk(number, fd, load.good);
}

static void good_tls12(int64_t number, int fd)
{
    talk(number, fd, load.tls12);
}

// Handshakes that must fail.
static void shake(int fd, SSL_CTX *ctx)
{
    SSL *ssl = client_new(ctx, fd);

    if (SSL_connect(ssl) == 1)
        load.let_in++;
    SSL_free(ssl);
    close(fd);
}

static void old_version(int64_t number, int fd)
{
    shake(fd, load.old);
}

static void no_common_cipher(int64_t number, int fd)
{
    shake(fd, load.cipherless);
}

static void distrusts(int64_t number, int fd)
{
    shake(fd, load.distrusting);
}

static void noise(int64_t number, int fd)
{
    unsigned char bytes[256];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)((uint64_t)number * 2654435761u >> (i % 24));
    memcpy(bytes, "\x16\x03\x03\x00\xfb", 5); // as a record of a handshake begins
    send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL);
    wait_for_end(fd);
    close(fd);
}

static void plain_sip(int64_t number, int fd)
{
    static const char text[] = "OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1\r\n\r\n";

    send(fd, text, sizeof(text) - 1, MSG_NOSIGNAL);
    wait_for_end(fd);
    close(fd);
}

static void says_nothing(int64_t number, int fd)
{
    close(fd);
}

static size_t hello(unsigned char bytes[HELLO_MAX])
{
    SSL *ssl = client_new(load.good, -1);
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    int len;

    SSL_set_bio(ssl, in, out);
    SSL_connect(ssl);
    len = BIO_read(out, bytes, HELLO_MAX);
    SSL_free(ssl);
    return len > 0 ? (size_t)len : 0;
}

static void half_a_hello(int64_t number, int fd)
{
    unsigned char bytes[HELLO_MAX];

    send(fd, bytes, hello(bytes) / 2, MSG_NOSIGNAL);
    shutdown(fd, SHUT_WR);
    wait_for_end(fd);
    close(fd);
}

static void hello_and_gone(int64_t number, int fd)
{
    unsigned char bytes[HELLO_MAX];

    send(fd, bytes, hello(bytes), MSG_NOSIGNAL);
    close_rudely(fd);
}

// Something that cannot be decrypted, after the server's first flight.
static void damaged(int64_t number, int fd)
{
    unsigned char bytes[HELLO_MAX], record[69] = {23, 3, 3, 0, 64, 1, 2, 3};

    send(fd, bytes, hello(bytes), MSG_NOSIGNAL);
    if (recv(fd, bytes, sizeof(bytes), 0) > 0)
        send(fd, record, sizeof(record), MSG_NOSIGNAL);
    wait_for_end(fd);
    close(fd);
}

static void gone_in_the_middle(int64_t number, int fd)
{
    static const char text[] = "REGISTER sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TLS 127.0";
    SSL *ssl = client_new(load.good, fd);

    if (SSL_connect(ssl) == 1)
        SSL_write(ssl, text, sizeof(text) - 1);
    SSL_free(ssl);
    close_rudely(fd);
}

static void (*const goods[])(int64_t number, int fd) = {good, good, good_tls12};
static void (*const kinds[])(int64_t number, int fd) = {
    old_version, noise,        distrusts,      half_a_hello, no_common_cipher,
    damaged,     says_nothing, hello_and_gone, plain_sip,    gone_in_the_middle,
};

// ---- the run

static void one(int64_t number)
{
    bool breaks = number * 37 % 100 < load.plan.broken;
    int fd = dial(number);

    if (fd < 0)
        return;
    if (breaks) {
        load.broken_begun++;
        kinds[(uint64_t)number % BF_LEN(kinds)](number, fd);
    } else {
        load.good_begun++;
        goods[(uint64_t)number % BF_LEN(goods)](number, fd);
    }
}

static void *work(void *unused)
{
    int64_t number;

    while ((number = load.next++) < load.plan.count && bf_mono_ms() < load.until_ms &&
           load.refused_in_a_row < GONE_AFTER)
        one(number);
    return NULL;
}

static SSL_CTX *ctx_new(int least, int most, const char *ciphers)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

    if (!ctx || (least && !SSL_CTX_set_min_proto_version(ctx, least)) ||
        (most && !SSL_CTX_set_max_proto_version(ctx, most)) ||
        (ciphers && !SSL_CTX_set_cipher_list(ctx, ciphers))) {
        fprintf(stderr, "tlsload: this OpenSSL does not do %s\n", ciphers ? ciphers : "TLS");
        exit(1);
    }
    return ctx;
}

static void contexts_make(void)
{
    load.good = ctx_new(0, 0, NULL);
    load.tls12 = ctx_new(0, TLS1_2_VERSION, NULL);
    load.old = ctx_new(TLS1_VERSION, TLS1_1_VERSION, "ALL:@SECLEVEL=0");
    load.cipherless = ctx_new(0, TLS1_2_VERSION, "eNULL:@SECLEVEL=0");
    load.distrusting = ctx_new(0, 0, NULL);
    SSL_CTX_set_verify(load.distrusting, SSL_VERIFY_PEER, NULL); // and no authority to trust
}

static void randoms_make(struct randoms *randoms, int64_t count)
{
    size_t size = 1024;

    while (size < (size_t)count * 2)
        size *= 2;
    randoms->slots = bf_xcalloc(size, sizeof(*randoms->slots));
    randoms->mask = size - 1;
}

static void run(void)
{
    pthread_t threads[PARALLEL_MAX];

    for (int64_t i = 0; i < load.plan.parallel; i++)
        if (pthread_create(&threads[i], NULL, work, NULL) != 0)
            abort();
    for (int64_t i = 0; i < load.plan.parallel; i++)
        pthread_join(threads[i], NULL);
}

static void report(uint64_t took_ms)
{
    int64_t connections = load.good_begun + load.broken_begun;

    printf("{\"connections\":%lld,\"good\":%lld,\"answered\":%lld,\"broken\":%lld,\"let_in\":%lld,"
           "\"refused\":%lld,"
           "\"gone\":%s,\"repeated_randoms\":%lld,\"seconds\":%.1f,\"rate\":%.0f}\n",
           (long long)connections, (long long)load.good_begun, (long long)load.answered,
           (long long)load.broken_begun, (long long)load.let_in, (long long)load.refused,
           load.refused_in_a_row >= GONE_AFTER ? "true" : "false", (long long)load.randoms.repeated,
           (double)took_ms / 1000, took_ms ? (double)connections * 1000 / (double)took_ms : 0);
}

// ---- options

static const struct {
    const char *name;
    size_t offset;
    bool text;
    int64_t least, most;
    const char *meaning;
} options[] = {
    {"target", offsetof(struct plan, target), true, 0, 0, "127.x.x.x:port"},
    {"name", offsetof(struct plan, name), true, 0, 0, "server name to ask for (none)"},
    {"count", offsetof(struct plan, count), false, 1, 10000000, "connections at most (1000)"},
    {"seconds", offsetof(struct plan, seconds), false, 1, 3600, "and no new one after (60)"},
    {"parallel", offsetof(struct plan, parallel), false, 1, PARALLEL_MAX, "at once (32)"},
    {"broken", offsetof(struct plan, broken), false, 0, 100, "percent that break (50)"},
};

static int usage(void)
{
    fprintf(stderr, "tlsload --target 127.0.0.1:5061 [options]; prints one JSON object\n");
    for (size_t i = 0; i < BF_LEN(options); i++)
        fprintf(stderr, "  --%-9s %s\n", options[i].name, options[i].meaning);
    return 2;
}

static bool target_read(const char *text, struct sockaddr_in *ret_target)
{
    char host[64];
    const char *colon = text ? strchr(text, ':') : NULL;
    int64_t port;

    if (!colon || (size_t)(colon - text) >= sizeof(host) || !bf_parse_int(bf_str(colon + 1), 1, 65535, &port))
        return false;
    snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
    *ret_target = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    return strncmp(host, "127.", 4) == 0 && inet_pton(AF_INET, host, &ret_target->sin_addr) == 1;
}

static bool option_set(size_t i, const char *value)
{
    char *field = (char *)&load.plan + options[i].offset;

    if (!options[i].text)
        return bf_parse_int(bf_str(value), options[i].least, options[i].most, (int64_t *)(void *)field);
    *(const char **)(void *)field = value;
    return true;
}

static bool options_read(int argc, char **argv)
{
    struct option longs[BF_LEN(options) + 1] = {{0}};
    int at;

    for (size_t i = 0; i < BF_LEN(options); i++)
        longs[i] = (struct option){options[i].name, required_argument, NULL, (int)i};
    while ((at = getopt_long(argc, argv, "", longs, NULL)) != -1)
        if (at == '?' || !option_set((size_t)at, optarg))
            return false;
    return target_read(load.plan.target, &load.target) &&
           (!load.plan.name || strlen(load.plan.name) <= NAME_MAX_LEN);
}

int main(int argc, char **argv)
{
    load.plan = (struct plan){.count = 1000, .seconds = 60, .parallel = 32, .broken = 50};
    if (!options_read(argc, argv))
        return usage();
    signal(SIGPIPE, SIG_IGN);
    contexts_make();
    randoms_make(&load.randoms, load.plan.count);
    uint64_t began_ms = bf_mono_ms();
    load.until_ms = began_ms + (uint64_t)load.plan.seconds * 1000;
    run();
    report(bf_mono_ms() - began_ms);
    return 0;
}
