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

    snprintf(key, KEY_SIZE, "call:{%s}:%s", bf_id_text(tenant, t), bf_id_text(call, c));
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

// ---- a call as a text

// "state=<state>\n" first, for the scripts; then those of the other members that say something,
// "name=value\n" each. No text of a call has a newline: call_event_clean.
#define TEXT_MAX 4096

enum field_kind {
    FIELD_TEXT,
    FIELD_U64,
    FIELD_I64,
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
    case FIELD_BOOL:
        return *(const bool *)at;
    default:
        return 0;
    }
}

static void field_write(const struct field *field, const struct call *call, struct bf_buf *into)
{
    const char *at = (const char *)call + field->offset;
    const char *text = field->kind == FIELD_STATE ? call_state_name(call->state) : at;
    bool is_text = field->kind == FIELD_TEXT || field->kind == FIELD_STATE;
    int64_t number = field_number(field, at);

    if (is_text ? !*text : number == 0)
        return;
    bf_buf_str(into, field->name);
    bf_buf_str(into, "=");
    if (is_text)
        bf_buf_str(into, text);
    else
        bf_buf_int(into, number);
    bf_buf_str(into, "\n");
}

static void call_write(const struct call *call, struct bf_buf *into)
{
    for (size_t i = 0; i < BF_LEN(fields); i++)
        field_write(&fields[i], call, into);
}

static void field_read(const struct field *field, struct bf_str text, struct call *call)
{
    char *at = (char *)call + field->offset;
    int64_t number = 0;

    switch (field->kind) {
    case FIELD_TEXT: {
        size_t len = text.len < field->size ? text.len : field->size - 1;
        memcpy(at, text.at, len);
        at[len] = '\0';
        return;
    }
    case FIELD_STATE:
        call->state = call_state_parse(text);
        return;
    case FIELD_U64:
    case FIELD_I64:
    case FIELD_BOOL:
        break;
    }
    (void)!bf_parse_int(text, INT64_MIN, INT64_MAX, &number); // one that is none reads as 0
    if (field->kind == FIELD_U64)
        *(uint64_t *)at = (uint64_t)number;
    else if (field->kind == FIELD_I64)
        *(int64_t *)at = number;
    else
        *(bool *)at = number != 0;
}

// Takes what stands before the first `end` out of *text; false: there is none.
static bool cut(struct bf_str *text, char end, struct bf_str *ret_head)
{
    const char *at = text->len ? memchr(text->at, end, text->len) : NULL;

    if (!at)
        return false;
    *ret_head = (struct bf_str){text->at, (size_t)(at - text->at)};
    text->len -= ret_head->len + 1;
    text->at = at + 1;
    return true;
}

// Our lines stand in the order of the table: what one is searched for begins behind the one before.
static bool call_read(struct bf_str text, struct call *call)
{
    size_t next = 0;
    struct bf_str line, name;

    while (cut(&text, '\n', &line)) {
        if (!cut(&line, '=', &name))
            continue;
        for (size_t n = 0; n < BF_LEN(fields); n++) {
            const struct field *field = &fields[(next + n) % BF_LEN(fields)];
            if (!bf_str_eq(name, bf_str(field->name)))
                continue;
            field_read(field, line, call);
            next += n + 1;
            break;
        }
    }
    return call->state != CALL_STATE_NONE;
}

void call_store_ask(struct bf_redis_batch *batch, struct bf_id tenant, struct bf_id call)
{
    char key[KEY_SIZE];

    bf_redis_cmd(batch, "GET", BF_R_TEXT(call_key(tenant, call, key)));
}

bool call_store_read(const struct bf_redis_reply *reply, struct bf_id tenant, struct bf_id id,
                     struct call *ret_call)
{
    struct call call = {.id = id, .tenant = tenant};

    if (bf_redis_nil(reply) || !call_read(bf_redis_str(reply), &call))
        return false;
    *ret_call = call;
    return true;
}

// KEYS: the call, its tenant's calls, the leases. ARGV: 1 when it is to be new, id, time to live in s, lease,
// until when it holds that (0: not), the call. All or nothing: the end may come between any two commands, and
// whoever holds a lease behind it holds it for hours.
struct bf_redis_script call_keep_script = {
    .text = "local state = redis.call('GETRANGE', KEYS[1], 0, 11)\n"
            "if state == '" CALL_OVER_LUA "' then return -1 end\n"
            "if state == '' then\n"
            "  redis.call('SET', KEYS[1], ARGV[6], 'EX', ARGV[3])\n"
            "  redis.call('ZADD', KEYS[2], 0, ARGV[2])\n"
            "elseif ARGV[1] == '1' then\n"
            "  return 0\n"
            "else\n"
            "  redis.call('SET', KEYS[1], ARGV[6], 'KEEPTTL')\n"
            "end\n"
            "if ARGV[5] ~= '0' then redis.call('ZADD', KEYS[3], ARGV[5], ARGV[4]) end\n"
            "return 1\n",
};

struct names { // of keys and members
    char call[KEY_SIZE], list[KEY_SIZE], leases[LIMIT_KEY_SIZE], edge[EDGE_KEY_SIZE];
    char id[BF_ID_TEXT_SIZE], lease[LIMIT_MEMBER_SIZE], member[KEY_SIZE];
};

static void name_call(const struct call *call, struct names *names)
{
    const struct limit_lease lease = {call->tenant, call->id, call->edge};

    call_key(call->tenant, call->id, names->call);
    list_key(call->tenant, names->list);
    limit_lease_key(call->tenant, names->leases);
    edge_key("ec", call->edge, names->edge);
    limit_lease_member(&lease, names->lease);
    edge_member(call->tenant, call->id, names->member);
    bf_id_text(call->id, names->id);
}

// One that nobody has told of, in plain commands: a script is ten times as dear. The call itself is last:
// when it is written its end is still to come, and finds all that it has to take away.
static size_t keep_first(struct bf_redis_batch *batch, const struct names *names, struct bf_str text,
                         uint64_t until_ms)
{
    bf_redis_cmd(batch, "ZADD", BF_R_TEXT(names->list), BF_R_INT(0), BF_R_TEXT(names->id));
    if (until_ms)
        bf_redis_cmd(batch, "ZADD", BF_R_TEXT(names->leases), BF_R_INT(until_ms), BF_R_TEXT(names->lease));
    return bf_redis_cmd(batch, "SET", BF_R_TEXT(names->call), BF_R_STR(text), BF_R_TEXT("EX"),
                        BF_R_INT(CALL_LIVE_S), BF_R_TEXT("NX"));
}

// By our own clock: what is hours long bears the difference between clocks. Listed before the call itself, so
// that its end finds what it has to take away. Who reports is among the edges, but that of a call which is
// made again may never come back.
size_t call_store_keep(struct bf_redis_batch *batch, const struct call *call, struct call_keep how)
{
    bf_cleanup(bf_buf_release) struct bf_buf text;
    uint64_t until_ms = how.hold_ms ? bf_unix_ms() + how.hold_ms : 0;
    struct names names;

    name_call(call, &names);
    bf_buf_init(&text, TEXT_MAX);
    call_write(call, &text);
    if (!how.listed)
        bf_redis_cmd(batch, "SADD", BF_R_TEXT(names.edge), BF_R_TEXT(names.member));
    if (how.only_new)
        bf_redis_cmd(batch, "SADD", BF_R_TEXT("edges"), BF_R_TEXT(call->edge));
    else if (!how.listed)
        return keep_first(batch, &names, (struct bf_str){text.at, text.len}, until_ms);
    return bf_redis_eval(batch, &call_keep_script, 3, BF_R_TEXT(names.call), BF_R_TEXT(names.list),
                         BF_R_TEXT(names.leases), BF_R_INT(how.only_new), BF_R_TEXT(names.id),
                         BF_R_INT(CALL_LIVE_S), BF_R_TEXT(names.lease), BF_R_INT(until_ms), BF_R_STR(text));
}

enum call_kept call_store_kept(const struct bf_redis_reply *reply)
{
    if (bf_redis_nil(reply))
        return CALL_KEPT_NOT;
    if (bf_str_eq(bf_redis_str(reply), BF_STR("OK"))) // of SET
        return CALL_KEPT;
    int64_t kept = bf_redis_int(reply); // of the script
    return kept == 1 ? CALL_KEPT : kept == 0 ? CALL_KEPT_BEFORE : CALL_KEPT_OVER;
}

void call_store_forget(struct bf_redis_batch *batch, const char *edge, struct bf_id tenant, struct bf_id call)
{
    const struct limit_lease lease = {tenant, call, edge};
    char list[KEY_SIZE], member[KEY_SIZE], key[EDGE_KEY_SIZE], id[BF_ID_TEXT_SIZE];

    limit_store_free(batch, &lease);
    bf_redis_cmd(batch, "ZREM", BF_R_TEXT(list_key(tenant, list)), BF_R_TEXT(bf_id_text(call, id)));
    bf_redis_cmd(batch, "SREM", BF_R_TEXT(edge_key("ec", edge, key)),
                 BF_R_TEXT(edge_member(tenant, call, member)));
}

// Its state first: from then on nobody keeps it or takes a lease for it. Its edge's list last: whoever finds
// it there ends it again.
void call_store_end(struct bf_redis_batch *batch, const struct call *call)
{
    struct call trace = {.state = CALL_STATE_ENDED, .seq = call->seq};
    bf_cleanup(bf_buf_release) struct bf_buf text;
    struct names names;

    name_call(call, &names);
    memcpy(trace.edge, call->edge, sizeof(trace.edge));
    bf_buf_init(&text, TEXT_MAX);
    call_write(&trace, &text);
    bf_redis_cmd(batch, "SET", BF_R_TEXT(names.call), BF_R_STR(text), BF_R_TEXT("EX"), BF_R_INT(CALL_OVER_S));
    bf_redis_cmd(batch, "ZREM", BF_R_TEXT(names.list), BF_R_TEXT(names.id));
    bf_redis_cmd(batch, "ZREM", BF_R_TEXT(names.leases), BF_R_TEXT(names.lease));
    bf_redis_cmd(batch, "SREM", BF_R_TEXT(names.edge), BF_R_TEXT(names.member));
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
