// Answers kept for repeated requests.
#include "bf_idempotency.h"

#include <string.h>

#include "bf_repeat.h"

#define FRESH "created_at > now() - interval '24 hours'"

static void init(struct bf_idempotency *idempotency, const char *bearer, const char *key,
                 const uint8_t request[BF_SHA256_BYTES])
{
    bf_autofree char *named = bf_xasprintf("belfry idempotency seal %s", key);
    memcpy(idempotency->request, request, sizeof(idempotency->request));
    bf_sha256(key, strlen(key), idempotency->hash);
    bf_hmac_sha256(bearer, strlen(bearer), named, strlen(named), idempotency->seal);
}

void bf_idempotency_init(struct bf_idempotency *idempotency, const char *table, struct bf_id key_id,
                         const char *bearer, const char *key, const uint8_t request[BF_SHA256_BYTES])
{
    *idempotency = (struct bf_idempotency){.table = table, .asked = key != NULL, .key_id = key_id};
    if (key)
        init(idempotency, bearer, key, request);
}

enum bf_err bf_idempotency_of(struct bf_http_call *call, const char *table, struct bf_id key_id,
                              struct bf_idempotency *ret_idempotency)
{
    uint8_t request[BF_SHA256_BYTES];
    const char *key;
    enum bf_err err = bf_repeat_key(call, &key);

    if (err)
        return err;
    bf_repeat_digest(call, request);
    bf_idempotency_init(ret_idempotency, table, key_id, bf_http_bearer(call), key, request);
    return BF_OK;
}

// One transaction at a time works on a key; others find out without waiting.
static enum bf_err lock_key(struct bf_tx *tx, const struct bf_idempotency *idempotency, bool *ret_free)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    uint8_t both[sizeof(idempotency->key_id.bytes) + BF_SHA256_BYTES];
    uint8_t digest[BF_SHA256_BYTES];
    int64_t lock;

    memcpy(both, idempotency->key_id.bytes, sizeof(idempotency->key_id.bytes));
    memcpy(both + sizeof(idempotency->key_id.bytes), idempotency->hash, BF_SHA256_BYTES);
    bf_sha256(both, sizeof(both), digest);
    memcpy(&lock, digest, sizeof(lock));
    enum bf_err err = bf_tx_exec(tx, &rows, "SELECT pg_try_advisory_xact_lock($1)", BF_P_INT(lock));
    if (err)
        return err;
    *ret_free = bf_rows_bool(rows, 0, 0);
    return BF_OK;
}

static enum bf_err answer_open(const struct bf_idempotency *idempotency, const struct bf_rows *rows,
                               struct bf_idempotency_answer *ret_answer)
{
    struct bf_idempotency_answer answer = {.status = (int)bf_rows_int(rows, 0, 1)};
    size_t len = (size_t)bf_rows_int(rows, 0, 3);
    bf_autofree uint8_t *sealed = bf_xcalloc(1, len + 1);

    len = bf_rows_bytes(rows, 0, 2, sealed, len);
    if (bf_open(idempotency->seal, sealed, len, &answer.body, &answer.len))
        return BF_INTERNAL;
    *ret_answer = answer;
    return BF_OK;
}

enum bf_err bf_idempotency_look(struct bf_tx *tx, const struct bf_idempotency *idempotency, bool *ret_busy,
                                struct bf_idempotency_answer *ret_answer)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    uint8_t request[BF_SHA256_BYTES];
    bool is_free;

    *ret_busy = false;
    *ret_answer = (struct bf_idempotency_answer){0};
    if (!idempotency->asked)
        return BF_OK;
    enum bf_err err = lock_key(tx, idempotency, &is_free);
    if (err)
        return err;
    if (!is_free) {
        *ret_busy = true;
        return BF_CONFLICT;
    }
    bf_autofree char *sql = bf_xasprintf("SELECT request, status, answer, octet_length(answer) FROM %s "
                                         "WHERE key_id = $1 AND hash = $2 AND " FRESH,
                                         idempotency->table);
    err = bf_tx_exec(tx, &rows, sql, BF_P_ID(idempotency->key_id),
                     BF_P_BYTES(idempotency->hash, BF_SHA256_BYTES));
    if (err || bf_rows_count(rows) == 0)
        return err;
    if (bf_rows_bytes(rows, 0, 0, request, sizeof(request)) != sizeof(request) ||
        !bf_secret_eq(request, idempotency->request, sizeof(request)))
        return BF_CONFLICT;
    return answer_open(idempotency, rows, ret_answer);
}

enum bf_err bf_idempotency_keep(struct bf_tx *tx, const struct bf_idempotency *idempotency,
                                struct bf_id tenant, int status, struct bf_str body)
{
    bf_autofree uint8_t *sealed = NULL;
    size_t len;

    if (!idempotency->asked)
        return BF_OK;
    enum bf_err err = bf_seal(idempotency->seal, body.at, body.len, &sealed, &len);
    if (err)
        return err;
    // One that has expired but is not yet pruned gives way.
    bf_autofree char *old =
        bf_xasprintf("DELETE FROM %s WHERE key_id = $1 AND hash = $2", idempotency->table);
    err = bf_tx_exec(tx, NULL, old, BF_P_ID(idempotency->key_id),
                     BF_P_BYTES(idempotency->hash, BF_SHA256_BYTES));
    if (err)
        return err;
    bf_autofree char *new = bf_xasprintf("INSERT INTO %s (key_id, hash, tenant_id, request, status, answer) "
                                         "VALUES ($1, $2, $3, $4, $5, $6)",
                                         idempotency->table);
    return bf_tx_exec(
        tx, NULL, new, BF_P_ID(idempotency->key_id), BF_P_BYTES(idempotency->hash, BF_SHA256_BYTES),
        bf_id_is_nil(tenant) ? BF_P_NULL : BF_P_ID(tenant), BF_P_BYTES(idempotency->request, BF_SHA256_BYTES),
        BF_P_INT(status), BF_P_BYTES(sealed, len));
}

enum bf_err bf_idempotency_replay(struct bf_http_call *call, struct bf_tx *tx,
                                  const struct bf_idempotency *idempotency, bool *ret_done)
{
    struct bf_idempotency_answer answer;
    bool busy;
    enum bf_err err = bf_idempotency_look(tx, idempotency, &busy, &answer);

    *ret_done = false;
    if (err == BF_CONFLICT)
        return busy ? bf_repeat_busy(call) : bf_repeat_other(call);
    if (err || !answer.status)
        return err;
    bf_autofree uint8_t *body = answer.body;
    bf_http_answer_header(call, "Idempotency-Replayed", "true");
    *ret_done = true;
    if (!answer.len)
        return bf_http_empty(call, answer.status);
    return bf_http_text(call, answer.status, "application/json",
                        (struct bf_str){(const char *)body, answer.len});
}

enum bf_err bf_idempotency_prune(struct bf_tx *tx, const char *table, int64_t batch, int64_t *ret_pruned)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    bf_autofree char *sql = bf_xasprintf("DELETE FROM %s WHERE ctid IN (SELECT ctid FROM %s WHERE NOT (" FRESH
                                         ") ORDER BY created_at LIMIT $1)",
                                         table, table);
    enum bf_err err = bf_tx_exec(tx, &rows, sql, BF_P_INT(batch));

    if (err)
        return err;
    *ret_pruned = bf_rows_affected(rows);
    return BF_OK;
}
