// Waits in Redis.
#include "wake_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "control.h"

#define KEY_SIZE   160
#define FIELD_SIZE (2 * BF_ID_TEXT_SIZE + DIRECTORY_NUMBER_SIZE)
#define VALUE_SIZE (WAKE_EDGE_SIZE + PLAN_DEVICE_ID_SIZE + 2 * BINDING_PN_ID_BYTES + BF_ID_TEXT_SIZE + 32)
#define SPARE_MS   60000 // a wait stays a little longer, so that its end is told and not guessed

static const char *waits_key(struct bf_id tenant, const char *number, char key[KEY_SIZE])
{
    char id[BF_ID_TEXT_SIZE];

    snprintf(key, KEY_SIZE, "w:{%s}:%s", bf_id_text(tenant, id), number);
    return key;
}

static const char *call_key(struct bf_id tenant, struct bf_id call, char key[KEY_SIZE])
{
    char t[BF_ID_TEXT_SIZE], c[BF_ID_TEXT_SIZE];

    snprintf(key, KEY_SIZE, "wc:{%s}:%s", bf_id_text(tenant, t), bf_id_text(call, c));
    return key;
}

static const char *field_of(struct bf_id call, struct bf_id device, char field[FIELD_SIZE])
{
    char c[BF_ID_TEXT_SIZE], d[BF_ID_TEXT_SIZE];

    snprintf(field, FIELD_SIZE, "%s/%s", bf_id_text(call, c), bf_id_text(device, d));
    return field;
}

// Of the call's list: "<device>/<number>".
static const char *member_of(struct bf_id device, const char *number, char member[FIELD_SIZE])
{
    char d[BF_ID_TEXT_SIZE];

    snprintf(member, FIELD_SIZE, "%s/%s", bf_id_text(device, d), number);
    return member;
}

static void keep_until(struct bf_redis_batch *batch, const char *key, uint64_t until_ms)
{
    // A key without a time to live counts as endless for GT: NX gives it one.
    bf_redis_cmd(batch, "PEXPIREAT", BF_R_TEXT(key), BF_R_INT(until_ms + SPARE_MS), BF_R_TEXT("NX"));
    bf_redis_cmd(batch, "PEXPIREAT", BF_R_TEXT(key), BF_R_INT(until_ms + SPARE_MS), BF_R_TEXT("GT"));
}

// "<until> <pn id> <extension> <edge> <device id>": the last one may have spaces.
void wake_store_put(struct bf_redis_batch *batch, const struct wake_wait *wait)
{
    char key[KEY_SIZE], field[FIELD_SIZE], value[VALUE_SIZE], pn_id[2 * BINDING_PN_ID_BYTES + 1];
    char extension[BF_ID_TEXT_SIZE];
    const struct plan_sleeper *sleeper = &wait->sleeper;

    snprintf(value, sizeof(value), "%" PRIu64 " %s %s %s %s", wait->until_ms,
             bf_hex(sleeper->pn_id, BINDING_PN_ID_BYTES, pn_id), bf_id_text(sleeper->extension, extension),
             wait->edge, sleeper->device_id);
    waits_key(wait->tenant, sleeper->number, key);
    bf_redis_cmd(batch, "HSET", BF_R_TEXT(key), BF_R_TEXT(field_of(wait->call, sleeper->id, field)),
                 BF_R_TEXT(value));
    keep_until(batch, key, wait->until_ms);
    call_key(wait->tenant, wait->call, key);
    bf_redis_cmd(batch, "SADD", BF_R_TEXT(key), BF_R_TEXT(member_of(sleeper->id, sleeper->number, field)));
    keep_until(batch, key, wait->until_ms);
}

void wake_store_gone(struct bf_redis_batch *batch, const struct wake_wait *wait)
{
    char key[KEY_SIZE], field[FIELD_SIZE];

    bf_redis_cmd(batch, "HDEL", BF_R_TEXT(waits_key(wait->tenant, wait->sleeper.number, key)),
                 BF_R_TEXT(field_of(wait->call, wait->sleeper.id, field)));
    bf_redis_cmd(batch, "SREM", BF_R_TEXT(call_key(wait->tenant, wait->call, key)),
                 BF_R_TEXT(member_of(wait->sleeper.id, wait->sleeper.number, field)));
}

size_t wake_store_ask(struct bf_redis_batch *batch, struct bf_id tenant, const char *number)
{
    char key[KEY_SIZE];

    return bf_redis_cmd(batch, "HGETALL", BF_R_TEXT(waits_key(tenant, number, key)));
}

// The text up to the next space, which is stepped over.
static struct bf_str next_word(struct bf_str *text)
{
    const char *space = text->len ? memchr(text->at, ' ', text->len) : NULL;
    struct bf_str word = {text->at, space ? (size_t)(space - text->at) : text->len};
    size_t step = word.len + (space != NULL);

    *text = (struct bf_str){text->at + step, text->len - step};
    return word;
}

static bool text_read(struct bf_str from, char *into, size_t size)
{
    if (from.len >= size)
        return false;
    memcpy(into, from.at, from.len);
    into[from.len] = '\0';
    return true;
}

static bool wait_read(struct bf_str field, struct bf_str value, struct wake_wait *wait)
{
    size_t half = BF_ID_TEXT_SIZE - 1;
    int64_t until_ms;

    if (field.len != 2 * half + 1 || !bf_id_parse((struct bf_str){field.at, half}, &wait->call) ||
        !bf_id_parse((struct bf_str){field.at + half + 1, half}, &wait->sleeper.id) ||
        !bf_parse_int(next_word(&value), 0, INT64_MAX, &until_ms) ||
        !bf_unhex(next_word(&value), wait->sleeper.pn_id, BINDING_PN_ID_BYTES) ||
        !bf_id_parse(next_word(&value), &wait->sleeper.extension) ||
        !text_read(next_word(&value), wait->edge, sizeof(wait->edge)))
        return false;
    wait->until_ms = (uint64_t)until_ms;
    return text_read(value, wait->sleeper.device_id, sizeof(wait->sleeper.device_id));
}

size_t wake_store_read(const struct bf_redis_reply *reply, struct bf_id tenant, const char *number,
                       uint64_t now_ms, struct wake_wait *waits)
{
    size_t count = 0;

    for (size_t i = 0; i + 1 < bf_redis_items(reply) && count < WAKE_WAITS_MAX; i += 2) {
        struct wake_wait *wait = &waits[count];
        *wait = (struct wake_wait){.tenant = tenant};
        snprintf(wait->sleeper.number, sizeof(wait->sleeper.number), "%s", number);
        if (wait_read(bf_redis_str(bf_redis_item(reply, i)), bf_redis_str(bf_redis_item(reply, i + 1)),
                      wait) &&
            wait->until_ms > now_ms)
            count++;
    }
    return count;
}

enum bf_err wake_store_end(struct control *control, struct bf_id tenant, struct bf_id call)
{
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *list = bf_redis_batch_new(control->redis);
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *gone = bf_redis_batch_new(control->redis);
    char key[KEY_SIZE];

    bf_redis_cmd(list, "SMEMBERS", BF_R_TEXT(call_key(tenant, call, key)));
    enum bf_err err = bf_redis_run(list);
    if (err)
        return err;
    for (size_t i = 0; i < bf_redis_items(bf_redis_reply(list, 0)); i++) {
        struct bf_str member = bf_redis_str(bf_redis_item(bf_redis_reply(list, 0), i));
        struct wake_wait wait = {.tenant = tenant, .call = call};
        size_t id = BF_ID_TEXT_SIZE - 1;
        if (member.len > id && bf_id_parse((struct bf_str){member.at, id}, &wait.sleeper.id) &&
            text_read((struct bf_str){member.at + id + 1, member.len - id - 1}, wait.sleeper.number,
                      sizeof(wait.sleeper.number)))
            wake_store_gone(gone, &wait);
    }
    return bf_redis_run(gone);
}
