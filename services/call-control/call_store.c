// Live calls in Redis.
#include "call_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bf_clock.h"
#include "control.h"
#include "edge_store.h"
#include "limit_store.h"

#define KEY_SIZE   CALL_KEY_SIZE
#define LIST_SPARE 50 // further ids asked for at once, in place of calls that have just ended

// ---- keys

const char *call_key(struct bf_id tenant, struct bf_id call, char key[KEY_SIZE])
{
    char t[BF_ID_TEXT_SIZE], c[BF_ID_TEXT_SIZE];

    snprintf(key, KEY_SIZE, "c:{%s}:%s", bf_id_text(tenant, t), bf_id_text(call, c));
    return key;
}

static const char *list_key(struct bf_id tenant, char key[KEY_SIZE])
{
    char t[BF_ID_TEXT_SIZE];

    snprintf(key, KEY_SIZE, "cl:{%s}", bf_id_text(tenant, t));
    return key;
}

static const char *edge_member(struct bf_id tenant, struct bf_id call, char member[KEY_SIZE])
{
    char t[BF_ID_TEXT_SIZE], c[BF_ID_TEXT_SIZE];

    snprintf(member, KEY_SIZE, "%s/%s", bf_id_text(tenant, t), bf_id_text(call, c));
    return member;
}

// ---- a call as a hash

enum field_kind {
    FIELD_TEXT,
    FIELD_U64,
    FIELD_I64,
    FIELD_U32,
    FIELD_BOOL,
    FIELD_STATE,
};

#define TEXT(member)                                                                              \
    {                                                                                             \
#member, FIELD_TEXT, offsetof(struct call, member), sizeof(((struct call *)NULL)->member) \
    }
#define NUMBER(member, kind)                            \
    {                                                   \
#member, kind, offsetof(struct call, member), 0 \
    }

static const struct field {
    const char *name;
    enum field_kind kind;
    size_t offset, size;
} fields[] = {
    NUMBER(state, FIELD_STATE),
    NUMBER(seq, FIELD_I64),
    TEXT(edge),
    TEXT(call_id),
    TEXT(caller),
    TEXT(callee),
    TEXT(number),
    TEXT(device),
    TEXT(from_tag),
    TEXT(to_tag),
    TEXT(relay),
    TEXT(user_agent),
    NUMBER(local_plan, FIELD_BOOL),
    NUMBER(waited, FIELD_BOOL),
    NUMBER(started_ms, FIELD_U64),
    NUMBER(ringing_ms, FIELD_U64),
    NUMBER(answered_ms, FIELD_U64),
};

static int64_t field_number(const struct field *field, const char *at)
{
    switch (field->kind) {
    case FIELD_U64:
        return (int64_t) * (const uint64_t *)at;
    case FIELD_I64:
        return *(const int64_t *)at;
    case FIELD_U32:
        return *(const uint32_t *)at;
    case FIELD_BOOL:
        return *(const bool *)at;
    default:
        return 0;
    }
}

static struct bf_redis_arg field_write(const struct field *field, const struct call *call)
{
    const char *at = (const char *)call + field->offset;

    if (field->kind == FIELD_TEXT)
        return BF_R_TEXT(at);
    if (field->kind == FIELD_STATE)
        return BF_R_TEXT(call_state_name(call->state));
    return BF_R_INT(field_number(field, at));
}

static void field_read(const struct field *field, const struct bf_redis_reply *reply, struct call *call)
{
    char *at = (char *)call + field->offset;
    struct bf_str text = bf_redis_str(reply);
    int64_t number = bf_redis_int(reply);

    switch (field->kind) {
    case FIELD_TEXT: {
        bf_autofree char *whole = bf_xstrndup(text.at ? text.at : "", text.len);
        bf_text_clean(whole, at, field->size);
        break;
    }
    case FIELD_STATE:
        call->state = call_state_parse(text);
        break;
    case FIELD_U64:
        *(uint64_t *)at = (uint64_t)number;
        break;
    case FIELD_I64:
        *(int64_t *)at = number;
        break;
    case FIELD_U32:
        *(uint32_t *)at = (uint32_t)number;
        break;
    case FIELD_BOOL:
        *(bool *)at = number != 0;
        break;
    }
}

void call_store_ask(struct bf_redis_batch *batch, struct bf_id tenant, struct bf_id call)
{
    char key[KEY_SIZE];

    bf_redis_cmd(batch, "HGETALL", BF_R_TEXT(call_key(tenant, call, key)));
}

bool call_store_read(const struct bf_redis_reply *reply, struct bf_id tenant, struct bf_id id,
                     struct call *ret_call)
{
    struct call call = {.id = id, .tenant = tenant};

    for (size_t i = 0; i + 1 < bf_redis_items(reply); i += 2) {
        struct bf_str name = bf_redis_str(bf_redis_item(reply, i));
        for (size_t f = 0; f < BF_LEN(fields); f++)
            if (bf_str_eq(name, bf_str(fields[f].name)))
                field_read(&fields[f], bf_redis_item(reply, i + 1), &call);
    }
    if (call.state == CALL_STATE_NONE)
        return false;
    *ret_call = call;
    return true;
}

#define FIELD_ARGS (2 * BF_LEN(fields))

static void call_args(const struct call *call, struct bf_redis_arg args[FIELD_ARGS])
{
    for (size_t i = 0; i < BF_LEN(fields); i++) {
        args[2 * i] = BF_R_TEXT(fields[i].name);
        args[2 * i + 1] = field_write(&fields[i], call);
    }
}

// KEYS: the call, its tenant's calls, the leases. ARGV: 1 when it is to be new, id, time to live in s, lease,
// until when it holds that (0: not), names and values. All or nothing: the end may come between any two
// commands, and whoever holds a lease behind it holds it for hours.
struct bf_redis_script call_keep_script = {
    .text = "local state = redis.call('HGET', KEYS[1], 'state')\n"
            "if state == 'ended' then return -1 end\n"
            "if state and ARGV[1] == '1' then return 0 end\n"
            "redis.call('HSET', KEYS[1], unpack(ARGV, 6))\n"
            "if not state then\n"
            "  redis.call('EXPIRE', KEYS[1], ARGV[3])\n"
            "  redis.call('ZADD', KEYS[2], 0, ARGV[2])\n"
            "end\n"
            "if ARGV[5] ~= '0' then redis.call('ZADD', KEYS[3], ARGV[5], ARGV[4]) end\n"
            "return 1\n",
};

// KEYS as above. ARGV: id, lease, time to live of the trace in s, state, seq.
struct bf_redis_script call_end_script = {
    .text = "redis.call('ZREM', KEYS[2], ARGV[1])\n"
            "redis.call('ZREM', KEYS[3], ARGV[2])\n"
            "redis.call('DEL', KEYS[1])\n"
            "redis.call('HSET', KEYS[1], 'state', ARGV[4], 'seq', ARGV[5])\n"
            "redis.call('EXPIRE', KEYS[1], ARGV[3])\n"
            "return 0\n",
};

struct names { // of the keys and members that both scripts want
    char call[KEY_SIZE], list[KEY_SIZE], leases[LIMIT_KEY_SIZE];
    char id[BF_ID_TEXT_SIZE], lease[LIMIT_MEMBER_SIZE];
};

static void name_call(const struct call *call, struct names *names)
{
    const struct limit_lease lease = {call->tenant, call->id, call->edge};

    call_key(call->tenant, call->id, names->call);
    list_key(call->tenant, names->list);
    limit_lease_key(call->tenant, names->leases);
    limit_lease_member(&lease, names->lease);
    bf_id_text(call->id, names->id);
}

// Before the call itself, so that its end finds what it has to take away; the edge may be one that never
// comes back.
static void edge_list_add(struct bf_redis_batch *batch, const struct call *call)
{
    char member[KEY_SIZE], edge[EDGE_KEY_SIZE];

    bf_redis_cmd(batch, "SADD", BF_R_TEXT(edge_key("ec", call->edge, edge)),
                 BF_R_TEXT(edge_member(call->tenant, call->id, member)));
    bf_redis_cmd(batch, "SADD", BF_R_TEXT("edges"), BF_R_TEXT(call->edge));
}

// By our own clock: what is hours long bears the difference between clocks.
size_t call_store_keep(struct bf_redis_batch *batch, const struct call *call, struct call_keep how)
{
    struct bf_redis_arg args[8 + FIELD_ARGS];
    struct names names;

    name_call(call, &names);
    if (!how.listed)
        edge_list_add(batch, call);
    args[0] = BF_R_TEXT(names.call);
    args[1] = BF_R_TEXT(names.list);
    args[2] = BF_R_TEXT(names.leases);
    args[3] = BF_R_INT(how.only_new);
    args[4] = BF_R_TEXT(names.id);
    args[5] = BF_R_INT(CALL_LIVE_S);
    args[6] = BF_R_TEXT(names.lease);
    args[7] = BF_R_INT(how.hold_ms ? bf_unix_ms() + how.hold_ms : 0);
    call_args(call, args + 8);
    return bf_redis_script(batch, &call_keep_script, 3, args, BF_LEN(args));
}

enum call_kept call_store_kept(const struct bf_redis_reply *reply)
{
    int64_t kept = bf_redis_int(reply);

    return kept == 1 ? CALL_KEPT : kept == 0 ? CALL_KEPT_BEFORE : CALL_KEPT_OVER;
}

void call_store_forget(struct bf_redis_batch *batch, const char *edge, struct bf_id tenant, struct bf_id call)
{
    char list[KEY_SIZE], member[KEY_SIZE], key[EDGE_KEY_SIZE], id[BF_ID_TEXT_SIZE];

    bf_redis_cmd(batch, "ZREM", BF_R_TEXT(list_key(tenant, list)), BF_R_TEXT(bf_id_text(call, id)));
    bf_redis_cmd(batch, "SREM", BF_R_TEXT(edge_key("ec", edge, key)),
                 BF_R_TEXT(edge_member(tenant, call, member)));
}

void call_store_end(struct bf_redis_batch *batch, const struct call *call)
{
    char member[KEY_SIZE], edge[EDGE_KEY_SIZE];
    struct names names;

    name_call(call, &names);
    bf_redis_eval(batch, &call_end_script, 3, BF_R_TEXT(names.call), BF_R_TEXT(names.list),
                  BF_R_TEXT(names.leases), BF_R_TEXT(names.id), BF_R_TEXT(names.lease), BF_R_INT(CALL_OVER_S),
                  BF_R_TEXT(call_state_name(call->state)), BF_R_INT(call->seq));
    bf_redis_cmd(batch, "SREM", BF_R_TEXT(edge_key("ec", call->edge, edge)),
                 BF_R_TEXT(edge_member(call->tenant, call->id, member)));
}

// ---- questions

enum bf_err call_store_find(struct control *control, struct bf_id tenant, struct bf_id call,
                            struct call *ret_call)
{
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch = bf_redis_batch_new(control->redis);
    struct call found;

    call_store_ask(batch, tenant, call);
    enum bf_err err = bf_redis_run(batch);
    if (err)
        return err;
    if (!call_store_read(bf_redis_reply(batch, 0), tenant, call, &found) || found.state == CALL_STATE_ENDED)
        return BF_NOT_FOUND;
    *ret_call = found;
    return BF_OK;
}

struct list {
    struct bf_id tenant;
    struct bf_id before;
    int64_t left;
    call_store_each *each;
    void *ctx;
    bool more;
};

// Reads one run of ids and their calls; *ret_ids below what was asked for: the list is at its end.
static enum bf_err list_run(struct control *control, struct list *list, int64_t ask, size_t *ret_ids)
{
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *names = bf_redis_batch_new(control->redis);
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *calls = bf_redis_batch_new(control->redis);
    char key[KEY_SIZE], last[BF_ID_TEXT_SIZE + 1] = "+";
    struct call call;

    if (!bf_id_is_nil(list->before)) {
        last[0] = '(';
        bf_id_text(list->before, last + 1);
    }
    bf_redis_cmd(names, "ZREVRANGEBYLEX", BF_R_TEXT(list_key(list->tenant, key)), BF_R_TEXT(last),
                 BF_R_TEXT("-"), BF_R_TEXT("LIMIT"), BF_R_INT(0), BF_R_INT(ask));
    enum bf_err err = bf_redis_run(names);
    if (err)
        return err;
    const struct bf_redis_reply *ids = bf_redis_reply(names, 0);
    size_t count = bf_redis_items(ids);
    bf_autofree struct bf_id *id = bf_xcalloc(count + 1, sizeof(*id));
    for (size_t i = 0; i < count; i++) {
        if (!bf_id_parse(bf_redis_str(bf_redis_item(ids, i)), &id[i]))
            return BF_PROTOCOL;
        call_store_ask(calls, list->tenant, id[i]);
    }
    err = bf_redis_run(calls);
    for (size_t i = 0; !err && i < count; i++) {
        bool runs = call_store_read(bf_redis_reply(calls, i), list->tenant, id[i], &call) &&
                    call.state != CALL_STATE_ENDED;
        if (runs && list->left == 0) {
            list->more = true;
            break;
        }
        list->before = id[i];
        if (!runs)
            continue;
        list->left--;
        list->each(list->ctx, &call);
    }
    *ret_ids = count;
    return err;
}

enum bf_err call_store_list(struct control *control, struct bf_id tenant, struct bf_id before, int64_t limit,
                            call_store_each *each, void *ctx, bool *ret_more)
{
    struct list list = {.tenant = tenant, .before = before, .left = limit, .each = each, .ctx = ctx};
    enum bf_err err;
    int64_t ask;
    size_t got;

    do {
        ask = list.left + LIST_SPARE;
        err = list_run(control, &list, ask, &got);
        if (err)
            return err;
    } while (!list.more && got == (size_t)ask);
    *ret_more = list.more;
    return BF_OK;
}

static bool ref_parse(struct bf_str text, struct call_ref *ref)
{
    size_t half = BF_ID_TEXT_SIZE - 1;

    return text.len == 2 * half + 1 && bf_id_parse((struct bf_str){text.at, half}, &ref->tenant) &&
           bf_id_parse((struct bf_str){text.at + half + 1, half}, &ref->call);
}

enum bf_err call_store_of_edge(struct control *control, const char *edge, size_t max,
                               struct call_ref *ret_refs, size_t *ret_count)
{
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch = bf_redis_batch_new(control->redis);
    char key[EDGE_KEY_SIZE];
    size_t count = 0;

    bf_redis_cmd(batch, "SRANDMEMBER", BF_R_TEXT(edge_key("ec", edge, key)), BF_R_INT((int64_t)max));
    enum bf_err err = bf_redis_run(batch);
    if (err)
        return err;
    const struct bf_redis_reply *members = bf_redis_reply(batch, 0);
    for (size_t i = 0; i < bf_redis_items(members) && count < max; i++)
        if (ref_parse(bf_redis_str(bf_redis_item(members, i)), &ret_refs[count]))
            count++;
    *ret_count = count;
    return BF_OK;
}
