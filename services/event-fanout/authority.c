// What the registry says about who may have a WebSocket.
#include "authority.h"

#include <pthread.h>
#include <string.h>

#include "authority_wire.h"
#include "bf_access.h"
#include "bf_clock.h"
#include "bf_ticker.h"

#define ASK_MS     2000
#define RETRY_MS   2000
#define REFRESH_MS 2000 // between two askings that strangers can bring about

struct authority {
    struct fanout *fanout;
    struct authority_ends ends;
    struct bf_ticker *ticker;
    struct bf_bus_subscriber *feed;
    struct authority_feed heard; // the feed's thread's
    pthread_mutex_t lock;
    struct bf_app_key keys[BF_APP_KEYS_MAX]; // under lock
    size_t count;                            // under lock
    uint64_t asked_ms;                       // monotonic, under lock
};

static enum bf_err ask(struct authority *authority, const char *method, const struct bf_buf *request,
                       struct bf_buf *reply)
{
    return bf_bus_call(authority->fanout->registry, method, "", "", ASK_MS,
                       (struct bf_str){request->at, request->len}, reply, NULL);
}

// ---- keys of app tokens

static enum bf_err keys_ask(struct authority *authority)
{
    bf_cleanup(bf_buf_release) struct bf_buf request, reply;
    struct bf_app_key keys[BF_APP_KEYS_MAX];
    size_t count;

    bf_buf_init(&request, 16);
    bf_buf_init(&reply, 65536);
    enum bf_err err = ask(authority, "AppKeys", &request, &reply);
    if (!err)
        err = authority_wire_read_keys((struct bf_str){reply.at, reply.len}, keys, &count);
    if (err)
        return err;
    pthread_mutex_lock(&authority->lock);
    memcpy(authority->keys, keys, count * sizeof(keys[0]));
    authority->count = count;
    pthread_mutex_unlock(&authority->lock);
    return count ? BF_OK : BF_NOT_FOUND; // the registry is about to make the first
}

static int64_t keys_turn(void *ctx, struct bf_ticker *ticker)
{
    return keys_ask(ctx) ? RETRY_MS : AUTHORITY_KEYS_MS;
}

void authority_refresh(struct authority *authority)
{
    uint64_t now_ms = bf_mono_ms();

    pthread_mutex_lock(&authority->lock);
    bool due = now_ms - authority->asked_ms >= REFRESH_MS;
    if (due)
        authority->asked_ms = now_ms;
    pthread_mutex_unlock(&authority->lock);
    if (due)
        (void)!keys_ask(authority);
}

enum bf_app_verdict authority_token(struct authority *authority, struct bf_str text,
                                    struct bf_app_token *ret_token)
{
    struct bf_app_key keys[BF_APP_KEYS_MAX];

    pthread_mutex_lock(&authority->lock);
    size_t count = authority->count;
    memcpy(keys, authority->keys, count * sizeof(keys[0]));
    pthread_mutex_unlock(&authority->lock);
    return bf_app_token_check(text, keys, count, bf_unix_ms() / 1000, ret_token);
}

// ---- asking

static enum socket_close judge_key(struct authority *authority, const char *key, struct socket_who *who,
                                   const char **ret_reason)
{
    struct bf_caller caller;
    enum bf_err err = bf_access_key(authority->fanout->access, "", key, &caller);

    *ret_reason = "this API key is unknown, revoked or expired";
    if (err == BF_UNAUTHENTICATED || err == BF_NOT_FOUND || (!err && caller.role == BF_ROLE_NONE))
        return SOCKET_REFUSED;
    *ret_reason = "API keys cannot be looked up now; try again";
    if (err)
        return SOCKET_LATER;
    *ret_reason = "an operator's key is of no tenant: use a tenant's key";
    if (caller.role == BF_ROLE_OPERATOR)
        return SOCKET_SUSPENDED;
    *ret_reason = "this tenant is suspended";
    if (caller.suspended)
        return SOCKET_SUSPENDED;
    who->tenant = caller.tenant_id;
    return SOCKET_STAYS;
}

static enum socket_close judge_number(struct authority *authority, const struct socket_who *who,
                                      const char **ret_reason)
{
    bf_cleanup(bf_buf_release) struct bf_buf request, reply;
    bool extension = true, suspended = false;

    bf_buf_init(&request, 256);
    bf_buf_init(&reply, BF_BUS_BYTES_MAX);
    authority_wire_ask_number(&request, who->tenant, who->number);
    enum bf_err err = ask(authority, "Directory", &request, &reply);
    if (!err)
        err = authority_wire_read_number((struct bf_str){reply.at, reply.len}, &extension, &suspended);
    *ret_reason = "this tenant is suspended";
    if (!err && suspended)
        return SOCKET_SUSPENDED;
    *ret_reason = "the extension of this token is gone";
    return err == BF_NOT_FOUND || (!err && !extension) ? SOCKET_REFUSED : SOCKET_STAYS;
}

enum socket_close authority_judge(struct authority *authority, const char *key, struct socket_who *who,
                                  const char **ret_reason)
{
    return key ? judge_key(authority, key, who, ret_reason) : judge_number(authority, who, ret_reason);
}

// ---- the feed

static void feed_change(void *ctx, enum authority_change change, struct bf_id tenant, const char *number)
{
    struct authority *authority = ctx;

    if (change == AUTHORITY_KEYS_CHANGE)
        bf_ticker_poke(authority->ticker);
    else
        authority->ends.ends(authority->ends.ctx, tenant, number);
}

// A number twice (each replica of the registry sends the same feed) is fine; a hole is not.
static void feed_got(void *ctx, struct bf_str message)
{
    struct authority *authority = ctx;
    struct authority_feed feed, *heard = &authority->heard;

    if (!authority_wire_read_feed(message, &feed, feed_change, authority))
        return;
    uint64_t next = feed.first_seq ? feed.first_seq : feed.head_seq + 1;
    uint64_t upto = feed.last_seq ? feed.last_seq : feed.head_seq;
    bool hole = feed.epoch != heard->epoch || next > heard->last_seq + 1;
    if (hole) {
        authority->ends.unsure(authority->ends.ctx);
        bf_ticker_poke(authority->ticker);
    }
    if (hole || upto > heard->last_seq)
        *heard = (struct authority_feed){.epoch = feed.epoch, .last_seq = upto};
}

enum bf_err authority_start(struct fanout *fanout, const struct authority_ends *ends,
                            struct authority **ret_authority)
{
    struct authority *authority = bf_xcalloc(1, sizeof(*authority));

    authority->fanout = fanout;
    authority->ends = *ends;
    pthread_mutex_init(&authority->lock, NULL);
    enum bf_err err = bf_ticker_start(keys_turn, authority, &authority->ticker);
    if (!err)
        err = bf_bus_subscribe(fanout->settings.registry_feed, feed_got, authority, &authority->feed);
    if (err) {
        authority_stop(authority);
        return err;
    }
    *ret_authority = authority;
    return BF_OK;
}

void authority_stop(struct authority *authority)
{
    if (!authority)
        return;
    if (authority->feed)
        bf_bus_unsubscribe(authority->feed);
    bf_ticker_stop(authority->ticker);
    pthread_mutex_destroy(&authority->lock);
    free(authority);
}
