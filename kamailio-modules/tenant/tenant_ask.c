// Questions in two small hash tables: by key, to join; by serial, to find the one that is answered.
#include "tenant_ask.h"

#include <string.h>

#define BUCKETS 1024u

struct waiter {
    void *ticket;
    struct waiter *next;
};

struct question {
    struct bf_id tenant;
    char user[TENANT_USER_MAX];
    uint8_t user_len;
    bool voided;
    uint32_t serial;
    uint64_t deadline_ms;
    struct waiter *waiters;
    struct question *next_by_key, *next_by_serial;
};

struct tenant_asks {
    struct tenant_hash_key decoy_key;
    uint64_t timeout_ms;
    const struct tenant_asks_hooks *hooks;
    void *ctx;
    uint32_t serial;
    size_t open;
    struct question *by_key[BUCKETS];
    struct question *by_serial[BUCKETS];
};

static struct bf_str user_of(const struct question *question)
{
    return (struct bf_str){question->user, question->user_len};
}

static struct question **key_at(struct tenant_asks *asks, struct bf_id tenant, struct bf_str user)
{
    uint64_t hash = tenant_hash(&asks->decoy_key, tenant.bytes, sizeof(tenant.bytes)) ^
                    tenant_hash(&asks->decoy_key, user.at, user.len);
    struct question **at = &asks->by_key[hash % BUCKETS];

    while (*at && (!bf_id_eq((*at)->tenant, tenant) || !bf_str_eq(user_of(*at), user)))
        at = &(*at)->next_by_key;
    return at;
}

static struct question **serial_at(struct tenant_asks *asks, uint32_t serial)
{
    struct question **at = &asks->by_serial[serial % BUCKETS];

    while (*at && (*at)->serial != serial)
        at = &(*at)->next_by_serial;
    return at;
}

static void question_send(struct tenant_asks *asks, struct question *question, uint64_t left_ms)
{
    struct question **at;

    question->serial = ++asks->serial;
    question->voided = false;
    at = serial_at(asks, question->serial);
    question->next_by_serial = *at;
    *at = question;
    asks->hooks->send(asks->ctx, question->serial, question->tenant, user_of(question), left_ms);
}

static struct question *question_new(struct tenant_asks *asks, uint64_t now_ms, struct bf_id tenant,
                                     struct bf_str user)
{
    struct question *question = bf_xcalloc(1, sizeof(*question));

    question->tenant = tenant;
    question->user_len = (uint8_t)user.len;
    memcpy(question->user, user.at, user.len);
    question->deadline_ms = now_ms + asks->timeout_ms;
    asks->open++;
    return question;
}

static void question_close(struct tenant_asks *asks, struct question *question, enum bf_err err,
                           const struct tenant_credential *credential)
{
    struct question **at = key_at(asks, question->tenant, user_of(question));

    *at = question->next_by_key;
    asks->open--;
    for (struct waiter *waiter = question->waiters, *next; waiter; waiter = next) {
        next = waiter->next;
        asks->hooks->answer(asks->ctx, waiter->ticket, err, credential);
        free(waiter);
    }
    free(question);
}

struct tenant_asks *tenant_asks_new(const struct tenant_hash_key *decoy_key, uint64_t timeout_ms,
                                    const struct tenant_asks_hooks *hooks, void *ctx)
{
    struct tenant_asks *asks = bf_xcalloc(1, sizeof(*asks));

    asks->decoy_key = *decoy_key;
    asks->timeout_ms = timeout_ms;
    asks->hooks = hooks;
    asks->ctx = ctx;
    return asks;
}

void tenant_asks_free(struct tenant_asks *asks)
{
    if (!asks)
        return;
    for (uint32_t i = 0; i < BUCKETS; i++) {
        while (asks->by_key[i])
            question_close(asks, asks->by_key[i], BF_UNAVAILABLE, NULL);
    }
    free(asks);
}

void tenant_asks_add(struct tenant_asks *asks, uint64_t now_ms, struct bf_id tenant, struct bf_str user,
                     void *ticket)
{
    struct question **at = key_at(asks, tenant, user);
    struct question *question = *at;
    struct waiter *waiter = bf_xcalloc(1, sizeof(*waiter));
    bool fresh = !question;

    if (fresh) {
        question = *at = question_new(asks, now_ms, tenant, user);
    }
    waiter->ticket = ticket;
    waiter->next = question->waiters;
    question->waiters = waiter;
    if (fresh)
        question_send(asks, question, asks->timeout_ms);
}

static enum bf_err reply_read(struct tenant_asks *asks, const struct question *question, enum bf_err err,
                              struct bf_str reply, struct tenant_credential *ret_credential)
{
    struct tenant_answer answer;

    if (err == BF_NOT_FOUND) {
        *ret_credential = (struct tenant_credential){.known = false};
        tenant_decoy(&asks->decoy_key, question->tenant, user_of(question), ret_credential->ha1_md5,
                     ret_credential->ha1_sha256);
        return BF_OK;
    }
    if (err != BF_OK)
        return err;
    err = tenant_wire_answer(reply, &answer);
    if (err == BF_OK && !bf_id_eq(answer.tenant, question->tenant))
        err = BF_PROTOCOL;
    if (err == BF_OK)
        *ret_credential = answer.credential;
    return err;
}

void tenant_asks_answer(struct tenant_asks *asks, uint64_t now_ms, uint32_t serial, enum bf_err err,
                        struct bf_str reply)
{
    struct question **at = serial_at(asks, serial);
    struct question *question = *at;
    struct tenant_credential credential;

    if (!question)
        return;
    *at = question->next_by_serial;
    err = reply_read(asks, question, err, reply, &credential);
    if (err == BF_OK && question->voided && now_ms < question->deadline_ms) {
        question_send(asks, question, question->deadline_ms - now_ms);
        return;
    }
    if (err == BF_OK && question->voided)
        err = BF_UNAVAILABLE;
    if (err == BF_OK)
        asks->hooks->keep(asks->ctx, question->tenant, user_of(question), &credential);
    question_close(asks, question, err, err == BF_OK ? &credential : NULL);
}

void tenant_asks_void(struct tenant_asks *asks, struct bf_id tenant, struct bf_str user)
{
    struct question *question = *key_at(asks, tenant, user);

    if (question)
        question->voided = true;
}

void tenant_asks_void_all(struct tenant_asks *asks)
{
    for (uint32_t i = 0; i < BUCKETS; i++) {
        for (struct question *question = asks->by_key[i]; question; question = question->next_by_key)
            question->voided = true;
    }
}

size_t tenant_asks_open(const struct tenant_asks *asks)
{
    return asks->open;
}
