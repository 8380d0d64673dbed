// The location index in Redis.
#include "location_store.h"

#include <stdio.h>
#include <string.h>

#include "admit_store.h"
#include "bf_clock.h"
#include "call_wire.h"
#include "control.h"
#include "edge_store.h"

#define KEY_SIZE    160
#define MEMBER_SIZE 192
#define SYNC_CHUNK  1000

// KEYS: the number's bindings, the tenant's numbers, its bindings on this edge, its places. ARGV: field,
// binding, when it runs out, number, what it is in the third and what place it may have in the fourth. What
// stands there to the byte was written with all of it: most of a sync ends at the first line, and writes
// nothing. A key without a time to live counts as -1. The third has a minute to spare, or each of a tenant's
// bindings would move its end once more.
struct bf_redis_script location_put_script = {
    .text = "if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then return 0 end\n"
            "local fresh, until_ms = redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]), tonumber(ARGV[3])\n"
            "redis.call('ZADD', KEYS[3], ARGV[3], ARGV[5])\n"
            "redis.call('ZREM', KEYS[4], ARGV[6])\n"
            "redis.call('SADD', KEYS[2], ARGV[4])\n"
            "local function keep(key, ms)\n"
            "  if redis.call('PEXPIRETIME', key) < until_ms then redis.call('PEXPIREAT', key, ms) end\n"
            "end\n"
            "keep(KEYS[1], ARGV[3])\n"
            "keep(KEYS[3], string.format('%.0f', until_ms + 60000))\n"
            "return fresh\n",
};

// KEYS: as above but the last; without the third to tidy only. ARGV: field, number, what it is in the third.
struct bf_redis_script location_gone_script = {
    .text = "redis.call('HDEL', KEYS[1], ARGV[1])\n"
            "if redis.call('EXISTS', KEYS[1]) == 0 then redis.call('SREM', KEYS[2], ARGV[2]) end\n"
            "if KEYS[3] then redis.call('ZREM', KEYS[3], ARGV[3]) end\n"
            "return 0\n",
};

// ---- names

struct names {
    char bindings[KEY_SIZE];   // b:{t}:<number>
    char numbers[KEY_SIZE];    // n:{t}
    char live[ADMIT_KEY_SIZE]; // r:{t}:<edge>
    char field[MEMBER_SIZE];   // <edge>/<ruid>
    char one[MEMBER_SIZE];     // <number>/<ruid>
};

static const char *bindings_key(struct bf_id tenant, const char *number, char key[KEY_SIZE])
{
    char id[BF_ID_TEXT_SIZE];

    snprintf(key, KEY_SIZE, "b:{%s}:%s", bf_id_text(tenant, id), number);
    return key;
}

static const char *numbers_key(struct bf_id tenant, char key[KEY_SIZE])
{
    char id[BF_ID_TEXT_SIZE];

    snprintf(key, KEY_SIZE, "n:{%s}", bf_id_text(tenant, id));
    return key;
}

static const char *member_of(const struct binding *binding, char member[MEMBER_SIZE])
{
    char id[BF_ID_TEXT_SIZE];

    snprintf(member, MEMBER_SIZE, "%s/%s/%s", bf_id_text(binding->tenant, id), binding->number,
             binding->ruid);
    return member;
}

static void name_binding(const struct binding *binding, struct names *names)
{
    bindings_key(binding->tenant, binding->number, names->bindings);
    numbers_key(binding->tenant, names->numbers);
    admit_bindings_key(binding->tenant, binding->edge, names->live);
    snprintf(names->field, MEMBER_SIZE, "%s/%s", binding->edge, binding->ruid);
    snprintf(names->one, MEMBER_SIZE, "%s/%s", binding->number, binding->ruid);
}

// The parts of "<t>/<number>/<ruid>", in place. False: it is not one of ours.
static bool split_member(char *member, const char *edge, struct binding *ret_binding)
{
    char *number = strchr(member, '/');
    char *ruid = number ? strchr(number + 1, '/') : NULL;

    if (!ruid)
        return false;
    *number++ = '\0';
    *ruid++ = '\0';
    *ret_binding = (struct binding){.edge = edge, .number = number, .ruid = ruid};
    return bf_id_parse(bf_str(member), &ret_binding->tenant);
}

// ---- writing

size_t location_store_put(struct bf_redis_batch *batch, const struct binding *binding, struct bf_str packed)
{
    char places[ADMIT_KEY_SIZE], place[ADMIT_PLACE_SIZE];
    struct names names;

    name_binding(binding, &names);
    return bf_redis_eval(batch, &location_put_script, 4, BF_R_TEXT(names.bindings), BF_R_TEXT(names.numbers),
                         BF_R_TEXT(names.live), BF_R_TEXT(admit_places_key(binding->tenant, places)),
                         BF_R_TEXT(names.field), BF_R_STR(packed), BF_R_INT(binding->expires_ms),
                         BF_R_TEXT(binding->number), BF_R_TEXT(names.one),
                         BF_R_TEXT(admit_place(binding->edge, binding->number, binding->contact, place)));
}

void location_store_list(struct bf_redis_batch *batch, const char *edge,
                         const struct binding *const *bindings, size_t count, bool syncing)
{
    char all[EDGE_KEY_SIZE], old[EDGE_KEY_SIZE], members[LOCATION_LIST_MAX][MEMBER_SIZE];
    struct bf_redis_arg args[LOCATION_LIST_MAX + 2] = {BF_R_TEXT("SADD"),
                                                       BF_R_TEXT(edge_key("eb", edge, all))};

    for (size_t i = 0; i < count; i++)
        args[2 + i] = BF_R_TEXT(member_of(bindings[i], members[i]));
    bf_redis_add(batch, args, 2 + count);
    if (!syncing)
        return;
    args[0] = BF_R_TEXT("SREM");
    args[1] = BF_R_TEXT(edge_key("eo", edge, old));
    bf_redis_add(batch, args, 2 + count);
}

void location_store_gone(struct bf_redis_batch *batch, const struct binding *binding, bool syncing)
{
    char all[EDGE_KEY_SIZE], old[EDGE_KEY_SIZE], member[MEMBER_SIZE];
    struct names names;

    name_binding(binding, &names);
    bf_redis_eval(batch, &location_gone_script, 3, BF_R_TEXT(names.bindings), BF_R_TEXT(names.numbers),
                  BF_R_TEXT(names.live), BF_R_TEXT(names.field), BF_R_TEXT(binding->number),
                  BF_R_TEXT(names.one));
    member_of(binding, member);
    bf_redis_cmd(batch, "SREM", BF_R_TEXT(edge_key("eb", binding->edge, all)), BF_R_TEXT(member));
    if (syncing)
        bf_redis_cmd(batch, "SREM", BF_R_TEXT(edge_key("eo", binding->edge, old)), BF_R_TEXT(member));
}

// What is not confirmed stays in eb too: a sync that is broken off has taken nothing from Restore. Then it
// has left names in eo, which are in eb or gone; of a replica of before they may be here alone.
void location_store_sync_begin(struct bf_redis_batch *batch, const char *edge)
{
    char all[EDGE_KEY_SIZE], old[EDGE_KEY_SIZE];

    edge_key("eb", edge, all);
    edge_key("eo", edge, old);
    bf_redis_cmd(batch, "SUNIONSTORE", BF_R_TEXT(old), BF_R_TEXT(old), BF_R_TEXT(all));
}

static void drop_unconfirmed(struct bf_redis_batch *batch, const char *edge, struct bf_str name)
{
    char member[MEMBER_SIZE], old[EDGE_KEY_SIZE];
    struct binding binding;

    if (name.len < sizeof(member)) {
        memcpy(member, name.at, name.len);
        member[name.len] = '\0';
        if (split_member(member, edge, &binding))
            location_store_gone(batch, &binding, false);
    }
    bf_redis_cmd(batch, "SREM", BF_R_TEXT(edge_key("eo", edge, old)), BF_R_STR(name));
}

// What is still in eo was not sent. In chunks, each removed before the next is read: so it may be broken off.
enum bf_err location_store_sync_end(struct control *control, const char *edge, size_t *ret_gone)
{
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *read = bf_redis_batch_new(control->redis);
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *drop = bf_redis_batch_new(control->redis);
    char old[EDGE_KEY_SIZE];
    size_t gone = 0, got;

    edge_key("eo", edge, old);
    bf_redis_cmd(read, "SRANDMEMBER", BF_R_TEXT(old), BF_R_INT(SYNC_CHUNK));
    do {
        enum bf_err err = bf_redis_run(read);
        if (err)
            return err;
        got = bf_redis_items(bf_redis_reply(read, 0));
        bf_redis_clear(drop);
        for (size_t i = 0; i < got; i++)
            drop_unconfirmed(drop, edge, bf_redis_str(bf_redis_item(bf_redis_reply(read, 0), i)));
        err = bf_redis_run(drop);
        if (err)
            return err;
        gone += got;
    } while (got > 0);
    *ret_gone = gone;
    return BF_OK;
}

// ---- reading

size_t location_store_ask(struct bf_redis_batch *batch, struct bf_id tenant, const char *number)
{
    char key[KEY_SIZE];

    return bf_redis_cmd(batch, "HGETALL", BF_R_TEXT(bindings_key(tenant, number, key)));
}

// `field` is <edge>/<ruid>.
static void read_one(struct bf_str field, struct bf_str packed, struct bf_id tenant, uint64_t now_ms,
                     struct bindings *bindings)
{
    const char *slash = field.len ? memchr(field.at, '/', field.len) : NULL;
    struct binding binding;
    void *message = NULL;

    if (!slash || wire_unpack_binding(packed, (struct bf_str){field.at, (size_t)(slash - field.at)}, &binding,
                                      &message))
        return;
    if (binding.expires_ms <= now_ms || !bf_id_eq(binding.tenant, tenant))
        wire_free_binding(message);
    else
        *bindings_add(bindings, message) = binding;
}

void location_store_read(const struct bf_redis_reply *reply, struct bf_id tenant, uint64_t now_ms,
                         struct bindings *bindings)
{
    for (size_t i = 0; i + 1 < bf_redis_items(reply); i += 2)
        read_one(bf_redis_str(bf_redis_item(reply, i)), bf_redis_str(bf_redis_item(reply, i + 1)), tenant,
                 now_ms, bindings);
}

void location_store_release(struct bindings *bindings)
{
    bindings_release(bindings, wire_free_binding);
}

enum bf_err location_store_number(struct control *control, struct bf_id tenant, const char *number,
                                  struct bindings *bindings)
{
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch = bf_redis_batch_new(control->redis);

    location_store_ask(batch, tenant, number);
    enum bf_err err = bf_redis_run(batch);
    if (!err)
        location_store_read(bf_redis_reply(batch, 0), tenant, bf_unix_ms(), bindings);
    return err;
}

// ---- an edge's pages

// SSCAN's cursors are unsigned, and ours only pass them on.
static bool is_cursor(const char *text)
{
    size_t digits = strspn(text, "0123456789");

    return digits > 0 && digits < LOCATION_NEXT_SIZE && text[digits] == '\0';
}

// Asks for each name's binding.
static enum bf_err ask_members(struct bf_redis_batch *batch, const struct bf_redis_reply *names,
                               const char *edge)
{
    for (size_t i = 0; i < bf_redis_items(names); i++) {
        struct bf_str name = bf_redis_str(bf_redis_item(names, i));
        char member[MEMBER_SIZE];
        struct names keys;
        struct binding binding;
        if (name.len >= sizeof(member))
            continue;
        memcpy(member, name.at, name.len);
        member[name.len] = '\0';
        if (!split_member(member, edge, &binding))
            continue;
        name_binding(&binding, &keys);
        bf_redis_cmd(batch, "HGET", BF_R_TEXT(keys.bindings), BF_R_TEXT(keys.field));
    }
    return bf_redis_run(batch);
}

enum bf_err location_store_edge(struct control *control, const char *edge, const char *after, size_t limit,
                                struct bindings *bindings, char next[LOCATION_NEXT_SIZE])
{
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *scan = bf_redis_batch_new(control->redis);
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *get = bf_redis_batch_new(control->redis);
    uint64_t now_ms = bf_unix_ms();
    char key[EDGE_KEY_SIZE];

    if (*after && !is_cursor(after))
        return BF_INVALID;
    bf_redis_cmd(scan, "SSCAN", BF_R_TEXT(edge_key("eb", edge, key)), BF_R_TEXT(*after ? after : "0"),
                 BF_R_TEXT("COUNT"), BF_R_INT(limit));
    enum bf_err err = bf_redis_run(scan);
    if (!err)
        err = ask_members(get, bf_redis_item(bf_redis_reply(scan, 0), 1), edge);
    if (err)
        return err;
    for (size_t i = 0; i < bf_redis_count(get); i++) {
        struct bf_str packed = bf_redis_str(bf_redis_reply(get, i));
        struct binding binding;
        void *message = NULL;
        if (packed.len == 0 || wire_unpack_binding(packed, bf_str(edge), &binding, &message))
            continue;
        if (binding.expires_ms > now_ms)
            *bindings_add(bindings, message) = binding;
        else
            wire_free_binding(message);
    }
    struct bf_str scanned = bf_redis_str(bf_redis_item(bf_redis_reply(scan, 0), 0));
    bool more = !bf_str_eq(scanned, BF_STR("0"));
    snprintf(next, LOCATION_NEXT_SIZE, "%.*s", more ? (int)scanned.len : 0, scanned.at);
    return BF_OK;
}

// ---- a tenant's pages

static int compare_numbers(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// The numbers of a set, sorted, terminated; one block to free.
static char **sorted_numbers(const struct bf_redis_reply *reply, const char *after, size_t *ret_count)
{
    size_t count = bf_redis_items(reply), kept = 0, bytes = 0;

    for (size_t i = 0; i < count; i++)
        bytes += bf_redis_str(bf_redis_item(reply, i)).len + 1;
    char **numbers = bf_xcalloc(1, (count + 1) * sizeof(*numbers) + bytes);
    char *text = (char *)(numbers + count + 1);
    for (size_t i = 0; i < count; i++) {
        struct bf_str number = bf_redis_str(bf_redis_item(reply, i));
        memcpy(text, number.at, number.len);
        if (strcmp(text, after) > 0)
            numbers[kept++] = text;
        text += number.len + 1;
    }
    qsort(numbers, kept, sizeof(*numbers), compare_numbers);
    *ret_count = kept;
    return numbers;
}

// A number whose last binding ran out unheard (its edge died) is forgotten here.
static void forget_numbers(struct control *control, struct bf_id tenant, struct bf_redis_batch *asked,
                           char *const *numbers, size_t count)
{
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch = bf_redis_batch_new(control->redis);
    char key[KEY_SIZE], all[KEY_SIZE];

    for (size_t i = 0; i < count; i++)
        if (bf_redis_items(bf_redis_reply(asked, i)) == 0)
            bf_redis_eval(batch, &location_gone_script, 2, BF_R_TEXT(bindings_key(tenant, numbers[i], key)),
                          BF_R_TEXT(numbers_key(tenant, all)), BF_R_TEXT(""), BF_R_TEXT(numbers[i]));
    (void)!bf_redis_run(batch); // tidying: the next reader does it again
}

enum bf_err location_store_tenant(struct control *control, struct bf_id tenant, const char *after,
                                  size_t limit, struct bindings *bindings, char last[LOCATION_LAST_SIZE],
                                  bool *ret_more)
{
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *list = bf_redis_batch_new(control->redis);
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *get = bf_redis_batch_new(control->redis);
    char key[KEY_SIZE];
    size_t count = 0;

    bf_redis_cmd(list, "SMEMBERS", BF_R_TEXT(numbers_key(tenant, key)));
    enum bf_err err = bf_redis_run(list);
    if (err)
        return err;
    bf_autofree char **numbers = sorted_numbers(bf_redis_reply(list, 0), after, &count);
    *ret_more = count > limit;
    count = count > limit ? limit : count;
    for (size_t i = 0; i < count; i++)
        location_store_ask(get, tenant, numbers[i]);
    err = bf_redis_run(get);
    if (err)
        return err;
    for (size_t i = 0; i < count; i++)
        location_store_read(bf_redis_reply(get, i), tenant, bf_unix_ms(), bindings);
    forget_numbers(control, tenant, get, numbers, count);
    snprintf(last, LOCATION_LAST_SIZE, "%s", count ? numbers[count - 1] : "");
    return BF_OK;
}
