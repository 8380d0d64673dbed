// Edges in Redis.
#include "edge_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bf_crypto.h"
#include "control.h"

// KEYS: the stream. ARGV: boot, bus, internal, calls, bindings, token, lock in ms, table_epoch, table_seq.
// Answers {"ok", seq, lost, synced, sync, gap, was}, {"busy"} or {"stale"}. A request of the boot before the
// present one is an old one that was under way, or a second process with the same id: neither may turn the
// stream back.
struct bf_redis_script edge_begin_script = {
    .text = "local time = redis.call('TIME')\n"
            "local now = time[1] * 1000 + math.floor(time[2] / 1000)\n"
            "local was = redis.call('HMGET', KEYS[1], 'boot', 'was', 'was_until', 'lock', 'lock_until')\n"
            "local same = was[1] == ARGV[1]\n"
            "if not same and was[2] == ARGV[1] and tonumber(was[3]) > now then return {'stale'} end\n"
            "if was[4] and tonumber(was[5]) > now then\n"
            "  if same then redis.call('HSET', KEYS[1], 'seen_ms', string.format('%.0f', now)) end\n"
            "  return {'busy'}\n"
            "end\n"
            "if not same then\n"
            "  redis.call('HDEL', KEYS[1], 'seq', 'lost', 'synced', 'sync', 'gap')\n"
            "  redis.call('HSET', KEYS[1], 'boot', ARGV[1], 'was', was[1] or '',\n"
            "             'was_until', string.format('%.0f', now + 60000))\n"
            "end\n"
            "redis.call('HSET', KEYS[1], 'bus', ARGV[2], 'internal', ARGV[3], 'calls', ARGV[4],\n"
            "           'bindings', ARGV[5], 'table_epoch', ARGV[8], 'table_seq', ARGV[9], 'seen_ms', "
            "string.format('%.0f', now), 'lock', ARGV[6],\n"
            "           'lock_until', string.format('%.0f', now + ARGV[7]))\n"
            "redis.call('PEXPIRE', KEYS[1], 7 * 24 * 3600 * 1000)\n"
            "local is = redis.call('HMGET', KEYS[1], 'seq', 'lost', 'synced', 'sync', 'gap', 'was')\n"
            "table.insert(is, 1, 'ok')\n"
            "return is\n",
};

// KEYS: the stream. ARGV: token, then nothing or seq, lost, synced, sync, gap.
struct bf_redis_script edge_commit_script = {
    .text = "if redis.call('HGET', KEYS[1], 'lock') ~= ARGV[1] then return 0 end\n"
            "redis.call('HDEL', KEYS[1], 'lock', 'lock_until')\n"
            "if ARGV[2] then\n"
            "  redis.call('HSET', KEYS[1], 'seq', ARGV[2], 'lost', ARGV[3], 'synced', ARGV[4],\n"
            "             'sync', ARGV[5], 'gap', ARGV[6])\n"
            "end\n"
            "return 1\n",
};

// KEYS: e:<edge>. ARGV: silent for so many ms. Answers 1, or 0: it was heard.
struct bf_redis_script edge_remove_script = {
    .text = "local time = redis.call('TIME')\n"
            "local now = time[1] * 1000 + math.floor(time[2] / 1000)\n"
            "local seen = tonumber(redis.call('HGET', KEYS[1], 'seen_ms') or 0)\n"
            "if now - seen < tonumber(ARGV[1]) then\n"
            "  redis.call('HDEL', KEYS[1], 'synced')\n"
            "  return 0\n"
            "end\n"
            "redis.call('DEL', KEYS[1])\n"
            "return 1\n",
};

const char *edge_id_check(struct bf_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        bool word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!word && (c == '\0' || !strchr("._-", c)))
            return "must be of 0-9, A-Z, a-z and ._-";
    }
    return text.len > 0 && text.len < EDGE_ID_SIZE ? NULL : "must have 1 to 64 characters";
}

const char *edge_key(const char *kind, const char *edge, char key[EDGE_KEY_SIZE])
{
    snprintf(key, EDGE_KEY_SIZE, "%s:%s", kind, edge);
    return key;
}

// ---- the list

static void copy_str(struct bf_str from, char *into, size_t size)
{
    size_t len = from.len < size ? from.len : size - 1;

    memcpy(into, from.at, len);
    into[len] = '\0';
}

static const char *write_hex(uint64_t number, char text[17])
{
    snprintf(text, 17, "%016" PRIx64, number);
    return text;
}

static uint64_t read_hex(struct bf_str text)
{
    uint8_t bytes[8];
    uint64_t number = 0;

    if (text.len == 2 * sizeof(bytes) && bf_unhex(text, bytes, sizeof(bytes)))
        for (size_t i = 0; i < sizeof(bytes); i++)
            number = number << 8 | bytes[i];
    return number;
}

static void read_edge(const struct bf_redis_reply *fields, uint64_t now_ms, struct edge *edge)
{
    edge->boot = read_hex(bf_redis_str(bf_redis_item(fields, 0)));
    copy_str(bf_redis_str(bf_redis_item(fields, 1)), edge->bus, sizeof(edge->bus));
    copy_str(bf_redis_str(bf_redis_item(fields, 2)), edge->internal, sizeof(edge->internal));
    edge->calls = (uint32_t)bf_redis_int(bf_redis_item(fields, 3));
    edge->bindings = (uint32_t)bf_redis_int(bf_redis_item(fields, 4));
    edge->seen_ms = (uint64_t)bf_redis_int(bf_redis_item(fields, 5));
    edge->table_epoch = read_hex(bf_redis_str(bf_redis_item(fields, 6)));
    edge->table_seq = (uint64_t)bf_redis_int(bf_redis_item(fields, 7));
    edge->age_ms = now_ms > edge->seen_ms ? now_ms - edge->seen_ms : 0;
    edge->alive = edge->age_ms < EDGE_ALIVE_MS;
}

// TIME answers seconds and the microseconds in them.
static uint64_t read_time(const struct bf_redis_reply *reply)
{
    return (uint64_t)(bf_redis_int(bf_redis_item(reply, 0)) * 1000 +
                      bf_redis_int(bf_redis_item(reply, 1)) / 1000);
}

// Asks for each edge; returns how many.
static size_t ask_edges(struct bf_redis_batch *batch, const struct bf_redis_reply *ids, struct edge *list)
{
    size_t count = 0;

    for (size_t i = 0; i < bf_redis_items(ids) && count < EDGES_MAX; i++) {
        struct bf_str id = bf_redis_str(bf_redis_item(ids, i));
        char key[EDGE_KEY_SIZE];
        if (edge_id_check(id))
            continue;
        copy_str(id, list[count].id, sizeof(list[count].id));
        bf_redis_cmd(batch, "HMGET", BF_R_TEXT(edge_key("e", list[count].id, key)), BF_R_TEXT("boot"),
                     BF_R_TEXT("bus"), BF_R_TEXT("internal"), BF_R_TEXT("calls"), BF_R_TEXT("bindings"),
                     BF_R_TEXT("seen_ms"), BF_R_TEXT("table_epoch"), BF_R_TEXT("table_seq"));
        count++;
    }
    return count;
}

enum bf_err edge_store_list(struct control *control, struct edge **ret_list, size_t *ret_count)
{
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *ids = bf_redis_batch_new(control->redis);
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch = bf_redis_batch_new(control->redis);

    bf_redis_cmd(ids, "SMEMBERS", BF_R_TEXT("edges"));
    enum bf_err err = bf_redis_run(ids);
    if (err)
        return err;
    const struct bf_redis_reply *found = bf_redis_reply(ids, 0);
    bf_autofree struct edge *list = bf_xcalloc(bf_redis_items(found) + 1, sizeof(*list));
    size_t count = ask_edges(batch, found, list);
    size_t time = bf_redis_add(batch, (struct bf_redis_arg[]){BF_R_TEXT("TIME")}, 1);
    err = bf_redis_run(batch);
    if (err)
        return err;
    for (size_t i = 0; i < count; i++)
        read_edge(bf_redis_reply(batch, i), read_time(bf_redis_reply(batch, time)), &list[i]);
    *ret_list = BF_TAKE(list);
    *ret_count = count;
    return BF_OK;
}

const struct edge *edge_in_list(const struct edge *list, size_t count, const char *id)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].id, id) == 0)
            return &list[i];
    return NULL;
}

// A heartbeat that comes between the two puts it back into the list.
enum bf_err edge_store_remove(struct control *control, const char *edge, uint64_t silent_ms)
{
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch = bf_redis_batch_new(control->redis);
    char key[EDGE_KEY_SIZE];

    bf_redis_eval(batch, &edge_remove_script, 1, BF_R_TEXT(edge_key("e", edge, key)), BF_R_INT(silent_ms));
    enum bf_err err = bf_redis_run(batch);
    if (!err && bf_redis_int(bf_redis_reply(batch, 0)) != 1)
        return BF_CONFLICT;
    if (err)
        return err;
    bf_redis_clear(batch);
    bf_redis_cmd(batch, "SREM", BF_R_TEXT("edges"), BF_R_TEXT(edge));
    bf_redis_cmd(batch, "DEL", BF_R_TEXT(edge_key("v", edge, key)));
    return bf_redis_run(batch);
}

// ---- the stream

static void random_text(char *text, size_t size)
{
    uint8_t bytes[16];

    bf_random(bytes, sizeof(bytes));
    bf_hex(bytes, (size - 1) / 2, text);
}

static enum bf_err read_stream(const struct bf_redis_reply *reply, struct bf_str epoch,
                               struct edge_stream *stream)
{
    struct bf_str status = bf_redis_str(bf_redis_item(reply, 0));

    if (bf_str_eq(status, BF_STR("stale")))
        return BF_CONFLICT;
    if (!bf_str_eq(status, BF_STR("ok")))
        return BF_UNAVAILABLE;
    stream->known = !bf_redis_nil(bf_redis_item(reply, 1));
    stream->seq = (uint64_t)bf_redis_int(bf_redis_item(reply, 1));
    stream->lost = (uint64_t)bf_redis_int(bf_redis_item(reply, 2));
    stream->synced = epoch.len > 0 && bf_str_eq(bf_redis_str(bf_redis_item(reply, 3)), epoch);
    stream->sync = (uint64_t)bf_redis_int(bf_redis_item(reply, 4));
    stream->gap = (uint64_t)bf_redis_int(bf_redis_item(reply, 5));
    stream->restarted = !stream->known && bf_redis_str(bf_redis_item(reply, 6)).len > 0;
    copy_str(epoch, stream->epoch, sizeof(stream->epoch));
    return BF_OK;
}

static const char *stream_key(enum edge_stream_kind kind, const char *edge, char key[EDGE_KEY_SIZE])
{
    return edge_key(kind == EDGE_STREAM_CALLS ? "v" : "e", edge, key);
}

enum bf_err edge_store_begin(struct control *control, const struct edge *edge, enum edge_stream_kind kind,
                             struct edge_stream *ret_stream)
{
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch = bf_redis_batch_new(control->redis);
    char key[EDGE_KEY_SIZE], boot[17], table_epoch[17], epoch[EDGE_EPOCH_SIZE];

    *ret_stream = (struct edge_stream){.kind = kind};
    random_text(ret_stream->token, sizeof(ret_stream->token));
    random_text(epoch, sizeof(epoch));
    bf_redis_cmd(batch, "SETNX", BF_R_TEXT("epoch"), BF_R_TEXT(epoch));
    size_t epoch_at = bf_redis_cmd(batch, "GET", BF_R_TEXT("epoch"));
    bf_redis_cmd(batch, "SADD", BF_R_TEXT("edges"), BF_R_TEXT(edge->id));
    size_t begin_at = bf_redis_eval(
        batch, &edge_begin_script, 1, BF_R_TEXT(stream_key(kind, edge->id, key)),
        BF_R_TEXT(write_hex(edge->boot, boot)), BF_R_TEXT(edge->bus), BF_R_TEXT(edge->internal),
        BF_R_INT(edge->calls), BF_R_INT(edge->bindings), BF_R_TEXT(ret_stream->token), BF_R_INT(EDGE_LOCK_MS),
        BF_R_TEXT(write_hex(edge->table_epoch, table_epoch)), BF_R_INT(edge->table_seq));
    enum bf_err err = bf_redis_run(batch);
    if (err)
        return err;
    return read_stream(bf_redis_reply(batch, begin_at), bf_redis_str(bf_redis_reply(batch, epoch_at)),
                       ret_stream);
}

size_t edge_store_commit(struct bf_redis_batch *batch, const char *edge, const struct edge_stream *stream)
{
    char key[EDGE_KEY_SIZE];

    return bf_redis_eval(batch, &edge_commit_script, 1, BF_R_TEXT(stream_key(stream->kind, edge, key)),
                         BF_R_TEXT(stream->token), BF_R_INT(stream->seq), BF_R_INT(stream->lost),
                         BF_R_TEXT(stream->synced ? stream->epoch : ""), BF_R_INT(stream->sync),
                         BF_R_INT(stream->gap));
}

void edge_store_abandon(struct control *control, const char *edge, const struct edge_stream *stream)
{
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch = bf_redis_batch_new(control->redis);
    char key[EDGE_KEY_SIZE];

    bf_redis_eval(batch, &edge_commit_script, 1, BF_R_TEXT(stream_key(stream->kind, edge, key)),
                  BF_R_TEXT(stream->token));
    (void)!bf_redis_run(batch); // else the lock ends by itself
}
