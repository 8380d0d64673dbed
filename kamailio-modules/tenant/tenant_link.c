// nng's threads append to the queue and write the eventfd, or do at once what the process lets them.
#include "tenant_link.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "bf_bus.h"

struct tenant_link {
    struct bf_bus_client *bus;
    struct bf_bus_client *control; // NULL: there is no call-control
    struct bf_bus_subscriber *feed;
    tenant_link_at_once *at_once;
    int fd;
    pthread_mutex_t lock;
    struct tenant_link_event *first;
    struct tenant_link_event **end;
    size_t feed_bytes;
    _Atomic uint64_t dropped;
};

struct call {
    struct tenant_link *link;
    enum tenant_link_kind kind;
    uint32_t serial;
};

static const char *const METHODS[] = {
    [TENANT_LINK_PAGE] = "Snapshot",         [TENANT_LINK_CHANGES] = "Changes",
    [TENANT_LINK_CREDENTIAL] = "Credential", [TENANT_LINK_PLAN] = "Plan",
    [TENANT_LINK_REPORT] = "Report",         [TENANT_LINK_REPORT_CALLS] = "Report",
    [TENANT_LINK_RESTORE] = "Restore",       [TENANT_LINK_ADMIT] = "Admit",
    [TENANT_LINK_PLANS] = "Plans",           [TENANT_LINK_APP_KEYS] = "AppKeys",
};

void tenant_link_event_release(struct tenant_link_event *event)
{
    explicit_bzero(event->bytes, event->len);
    free(event);
}

static struct tenant_link_event *event_new(enum tenant_link_kind kind, uint32_t serial, enum bf_err err,
                                           struct bf_str body)
{
    struct tenant_link_event *event = bf_xcalloc(1, sizeof(*event) + body.len + 1);

    event->kind = kind;
    event->serial = serial;
    event->err = err;
    event->len = body.len;
    if (body.len > 0)
        memcpy(event->bytes, body.at, body.len);
    return event;
}

static void queue_add(struct tenant_link *link, struct tenant_link_event *event)
{
    uint64_t one = 1;
    ssize_t written;

    pthread_mutex_lock(&link->lock);
    *link->end = event;
    link->end = &event->next;
    if (event->kind == TENANT_LINK_FEED)
        link->feed_bytes += event->len;
    pthread_mutex_unlock(&link->lock);
    written = write(link->fd, &one,
                    sizeof(one)); // fails only when the count is full, and then it is readable anyway
    (void)written;
}

static void feed_got(void *ctx, struct bf_str message)
{
    struct tenant_link *link = ctx;
    bool full;

    pthread_mutex_lock(&link->lock);
    full = link->feed_bytes + message.len > TENANT_LINK_FEED_BYTES_MAX;
    pthread_mutex_unlock(&link->lock);
    if (full)
        atomic_fetch_add(&link->dropped, 1);
    else
        queue_add(link, event_new(TENANT_LINK_FEED, 0, BF_OK, message));
}

static void call_done(void *ctx, enum bf_err err, struct bf_str reply)
{
    struct call *call = ctx;
    struct tenant_link_event *event =
        event_new(call->kind, call->serial, err, err == BF_OK ? reply : BF_STR(""));

    if (call->link->at_once(event))
        tenant_link_event_release(event);
    else
        queue_add(call->link, event);
    free(call);
}

// Everything in METHODS may be asked of two replicas at once: what is read anyway; a Plan names its call; a
// Report's entries are numbered.
static enum bf_err dial(const char *urls, struct bf_bus_client **ret_client)
{
    enum bf_err err = bf_bus_dial(urls, ret_client);

    if (err == BF_OK)
        bf_bus_hedge(*ret_client, BF_BUS_HEDGE_MS);
    return err;
}

static enum bf_err link_connect(struct tenant_link *link, struct tenant_link_urls urls)
{
    enum bf_err err = dial(urls.bus, &link->bus);

    if (err == BF_OK)
        err = bf_bus_subscribe(urls.feed, feed_got, link, &link->feed);
    if (err == BF_OK && urls.control && *urls.control)
        err = dial(urls.control, &link->control);
    return err;
}

enum bf_err tenant_link_open(struct tenant_link_urls urls, tenant_link_at_once *at_once,
                             struct tenant_link **ret_link)
{
    struct tenant_link *link = bf_xcalloc(1, sizeof(*link));
    sigset_t all, before;
    enum bf_err err = BF_UNAVAILABLE;

    pthread_mutex_init(&link->lock, NULL);
    link->end = &link->first;
    link->at_once = at_once;
    link->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    // Kamailio's handlers must never run in nng's threads, which inherit this mask.
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (link->fd >= 0)
        err = link_connect(link, urls);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (err != BF_OK) {
        tenant_link_close(link);
        return err;
    }
    *ret_link = link;
    return BF_OK;
}

void tenant_link_close(struct tenant_link *link)
{
    struct tenant_link_event *event;

    if (!link)
        return;
    if (link->feed)
        bf_bus_unsubscribe(link->feed);
    bf_bus_hang_up(link->bus);
    bf_bus_hang_up(link->control);
    for (event = link->first; event;) {
        struct tenant_link_event *next = event->next;
        tenant_link_event_release(event);
        event = next;
    }
    if (link->fd >= 0)
        close(link->fd);
    pthread_mutex_destroy(&link->lock);
    free(link);
}

int tenant_link_fd(const struct tenant_link *link)
{
    return link->fd;
}

bool tenant_link_connected(const struct tenant_link *link)
{
    return bf_bus_connected(link->bus);
}

bool tenant_link_control_connected(const struct tenant_link *link)
{
    return link->control && bf_bus_connected(link->control);
}

struct tenant_link_figures tenant_link_figures(const struct tenant_link *link)
{
    struct bf_bus_figures registry = bf_bus_figures(link->bus), control = {0};

    if (link->control)
        control = bf_bus_figures(link->control);
    return (struct tenant_link_figures){registry.hedges + control.hedges,
                                        registry.left_out + control.left_out};
}

void tenant_link_ask(struct tenant_link *link, enum tenant_link_kind kind, uint32_t serial,
                     int64_t timeout_ms, struct bf_str body)
{
    struct bf_bus_client *client = kind >= TENANT_LINK_PLAN ? link->control : link->bus;
    struct call *call = bf_xcalloc(1, sizeof(*call));

    *call = (struct call){link, kind, serial};
    if (!client)
        call_done(call, BF_UNAVAILABLE, BF_STR(""));
    else
        bf_bus_call_async(client, METHODS[kind], "", "", timeout_ms, body, call_done, call);
}

struct tenant_link_event *tenant_link_take(struct tenant_link *link)
{
    struct tenant_link_event *events;
    uint64_t count;
    ssize_t got =
        read(link->fd, &count, sizeof(count)); // before the queue: what comes later makes it readable again

    (void)got;
    pthread_mutex_lock(&link->lock);
    events = link->first;
    link->first = NULL;
    link->end = &link->first;
    link->feed_bytes = 0;
    pthread_mutex_unlock(&link->lock);
    return events;
}

uint64_t tenant_link_dropped(const struct tenant_link *link)
{
    return atomic_load(&link->dropped);
}
