// Addresses of the bus: listening and dialling.
#include "bf_bus_nng.h"

#include <errno.h>
#include <nng/transport/ipc/ipc.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define RECONNECT_MIN_MS 50
#define RECONNECT_MAX_MS 500
#define IPC_PREFIX       "ipc://"
#define TCP_PREFIX       "tcp://"
#define INPROC_PREFIX    "inproc://"

enum bf_err bf_bus_err(int nng_error)
{
    switch (nng_error) {
    case 0:
        return BF_OK;
    case NNG_ETIMEDOUT:
        return BF_TIMEOUT;
    case NNG_EMSGSIZE:
        return BF_TOO_LARGE;
    case NNG_EINVAL:
    case NNG_EADDRINVAL:
    case NNG_ENOTSUP:
        return BF_INVALID;
    case NNG_EADDRINUSE:
    case NNG_ECLOSED:
    case NNG_ECANCELED:
    case NNG_ECONNABORTED:
    case NNG_ECONNREFUSED:
    case NNG_ECONNRESET:
    case NNG_ECONNSHUT:
    case NNG_EUNREACHABLE:
        return BF_UNAVAILABLE;
    case NNG_EPERM:
        return BF_FORBIDDEN;
    default:
        return BF_INTERNAL;
    }
}

static bool starts_with(const char *url, const char *scheme)
{
    return strncmp(url, scheme, strlen(scheme)) == 0;
}

// nng would dial a port that cannot be for ever.
static bool has_port(const char *url)
{
    const char *colon = strrchr(url + strlen(TCP_PREFIX), ':');
    int64_t port = 0;
    return colon && bf_parse_int(bf_str(colon + 1), 1, 65535, &port);
}

static bool is_bus_url(const char *url)
{
    if (starts_with(url, TCP_PREFIX))
        return has_port(url);
    return starts_with(url, IPC_PREFIX) || starts_with(url, INPROC_PREFIX);
}

enum bf_err bf_bus_each_url(const char *urls, bf_bus_url_do *each, void *ctx)
{
    size_t count = 0;
    for (const char *at = urls + strspn(urls, " "); *at; at += strspn(at, " ")) {
        size_t len = strcspn(at, " ");
        bf_autofree char *url = bf_xstrndup(at, len);
        if (++count > BF_BUS_URLS_MAX || !is_bus_url(url))
            return BF_INVALID;
        enum bf_err err = each(ctx, url);
        if (err)
            return err;
        at += len;
    }
    return count ? BF_OK : BF_INVALID;
}

// A socket file whose process is gone refuses connections: it may go. Any other file must stay, which nng
// does not care about: BF_INVALID.
static enum bf_err make_room(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat st;
    size_t len = strlen(path);
    if (len >= sizeof(address.sun_path))
        return BF_INVALID;
    if (lstat(path, &st))
        return BF_OK;
    if (!S_ISSOCK(st.st_mode))
        return BF_INVALID;
    memcpy(address.sun_path, path, len + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return BF_INTERNAL;
    bool stale = connect(fd, (const struct sockaddr *)&address, sizeof(address)) && errno == ECONNREFUSED;
    close(fd);
    if (stale)
        unlink(path);
    return stale ? BF_OK : BF_UNAVAILABLE;
}

static enum bf_err listen_one(void *ctx, const char *url)
{
    const nng_socket *socket = ctx;
    bool ipc = starts_with(url, IPC_PREFIX);
    enum bf_err err = ipc ? make_room(url + strlen(IPC_PREFIX)) : BF_OK;
    if (err)
        return err;
    nng_listener listener;
    int failed = nng_listener_create(&listener, *socket, url);
    if (!failed && ipc)
        failed = nng_listener_set_int(listener, NNG_OPT_IPC_PERMISSIONS, 0600);
    if (!failed)
        failed = nng_listener_start(listener, 0);
    return bf_bus_err(failed);
}

enum bf_err bf_bus_listen(nng_socket socket, const char *urls)
{
    return bf_bus_each_url(urls, listen_one, &socket);
}

static enum bf_err dial_one(void *ctx, const char *url)
{
    const nng_socket *socket = ctx;
    return bf_bus_err(nng_dial(*socket, url, NULL, NNG_FLAG_NONBLOCK));
}

enum bf_err bf_bus_dial_all(nng_socket socket, const char *urls)
{
    int failed = nng_socket_set_ms(socket, NNG_OPT_RECONNMINT, RECONNECT_MIN_MS);
    if (!failed)
        failed = nng_socket_set_ms(socket, NNG_OPT_RECONNMAXT, RECONNECT_MAX_MS);
    return failed ? bf_bus_err(failed) : bf_bus_each_url(urls, dial_one, &socket);
}
