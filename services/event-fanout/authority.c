// What the registry says of extensions and who speaks for them.
#include "authority.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

#include "bf_access.h"
#include "bf_app_token_wire.h"
#include "bf_clock.h"
#include "bf_ticker.h"

#define ASK_MS     2000
#define RETRY_MS   2000
#define REFRESH_MS 2000 // between two askings that strangers can bring about

struct authority {
    struct fanout *fanout;
    struct bf_ticker *ticker;
    struct bf_bus_subscriber *feed;
    struct authority_feed heard; // the feed's thread's
    pthread_mutex_t lock;
    struct authority_ear ears[AUTHORITY_EARS_MAX]; // under lock
    size_t ear_count;                              // under lock
    struct bf_app_key keys[BF_APP_KEYS_MAX];       // under lock
    size_t count;                                  // under lock
    uint64_t asked_ms;                             // monotonic, under lock
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
        err = bf_app_token_wire_read_keys((struct bf_str){reply.at, reply.len}, keys, &count);
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

enum bf_err authority_extension(struct authority *authority, struct bf_id tenant, const char *number,
                                struct authority_number *ret_number)
{
    bf_cleanup(bf_buf_release) struct bf_buf request, reply;
    struct authority_number found;

    bf_buf_init(&request, 256);
    bf_buf_init(&reply, BF_BUS_BYTES_MAX);
    authority_wire_ask_number(&request, tenant, number);
    enum bf_err err = ask(authority, "Directory", &request, &reply);
    if (!err)
        err = authority_wire_read_number((struct bf_str){reply.at, reply.len}, &found);
    if (!err && !found.is_extension)
        err = BF_NOT_FOUND;
    if (!err)
        *ret_number = found;
    return err;
}

enum bf_err authority_gone(struct authority *authority, const struct authority_owner *owners, size_t count,
                           bool *ret_gone)
{
    bf_cleanup(bf_buf_release) struct bf_buf request, reply;

    bf_buf_init(&request, BF_BUS_BYTES_MAX);
    bf_buf_init(&reply, BF_BUS_BYTES_MAX);
    authority_wire_ask_gone(&request, owners, count);
    enum bf_err err = ask(authority, "Unknown", &request, &reply);
    return err ? err : authority_wire_read_gone((struct bf_str){reply.at, reply.len}, count, ret_gone);
}

static enum socket_close judge_number(struct authority *authority, const struct socket_who *who,
                                      const char **ret_reason)
{
    struct authority_number number;
    enum bf_err err = authority_extension(authority, who->tenant, who->number, &number);

    *ret_reason = "the extension of this token is gone";
    if (err)
        return err == BF_NOT_FOUND ? SOCKET_REFUSED : SOCKET_STAYS;
    if (!socket_is_of(who, number.extension))
        return SOCKET_REFUSED;
    *ret_reason = "this tenant is suspended";
    return number.suspended ? SOCKET_SUSPENDED : SOCKET_STAYS;
}

enum socket_close authority_judge(struct authority *authority, const char *key, struct socket_who *who,
                                  const char **ret_reason)
{
    return key ? judge_key(authority, key, who, ret_reason) : judge_number(authority, who, ret_reason);
}

// ---- the feed

static size_t ears_of(struct authority *authority, struct authority_ear ears[AUTHORITY_EARS_MAX])
{
    pthread_mutex_lock(&authority->lock);
    size_t count = authority->ear_count;
    memcpy(ears, authority->ears, count * sizeof(ears[0]));
    pthread_mutex_unlock(&authority->lock);
    return count;
}

static void feed_change(void *ctx, const struct authority_change *change)
{
    struct authority *authority = ctx;
    struct authority_ear ears[AUTHORITY_EARS_MAX];

    if (change->kind == AUTHORITY_KEYS_CHANGE) {
        bf_ticker_poke(authority->ticker);
        return;
    }
    size_t count = ears_of(authority, ears);
    for (size_t i = 0; i < count; i++)
        ears[i].changed(ears[i].ctx, change);
}

static void feed_hole(struct authority *authority)
{
    struct authority_ear ears[AUTHORITY_EARS_MAX];
    size_t count = ears_of(authority, ears);

    for (size_t i = 0; i < count; i++)
        ears[i].unsure(ears[i].ctx);
    bf_ticker_poke(authority->ticker);
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
    if (hole)
        feed_hole(authority);
    if (hole || upto > heard->last_seq)
        *heard = (struct authority_feed){.epoch = feed.epoch, .last_seq = upto};
}

void authority_listen(struct authority *authority, const struct authority_ear *ear)
{
    pthread_mutex_lock(&authority->lock);
    assert(authority->ear_count < AUTHORITY_EARS_MAX);
    authority->ears[authority->ear_count++] = *ear;
    pthread_mutex_unlock(&authority->lock);
    ear->unsure(ear->ctx);
}

enum bf_err authority_start(struct fanout *fanout, struct authority **ret_authority)
{
    struct authority *authority = bf_xcalloc(1, sizeof(*authority));

    authority->fanout = fanout;
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

void authority_deafen(struct authority *authority)
{
    if (!authority || !authority->feed)
        return;
    bf_bus_unsubscribe(authority->feed);
    authority->feed = NULL;
}

void authority_stop(struct authority *authority)
{
    if (!authority)
        return;
    authority_deafen(authority);
    bf_ticker_stop(authority->ticker);
    pthread_mutex_destroy(&authority->lock);
    free(authority);
}
