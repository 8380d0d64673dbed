// The only file that knows the generated names of bindings.
#include "tenant_binding.h"

#include <string.h>
#include "belfry/call/v1/call.pb-c.h"

#define USER_AGENT_MAX 255

typedef Belfry__Call__V1__Binding pb_binding;
typedef Belfry__Call__V1__Entry pb_entry;

// ---- what usrloc's texts say

bool tenant_aor_read(struct bf_str aor, struct bf_id *ret_tenant, struct bf_str *ret_number)
{
    const size_t domain_len = BF_ID_TEXT_SIZE - 1;
    size_t at;

    if (aor.len < domain_len + 2)
        return false;
    at = aor.len - domain_len - 1;
    if (aor.at[at] != '@' || !bf_id_parse((struct bf_str){aor.at + at + 1, domain_len}, ret_tenant))
        return false;
    *ret_number = (struct bf_str){aor.at, at};
    return true;
}

size_t tenant_aor_write(struct bf_id tenant, struct bf_str number, char ret_aor[TENANT_AOR_SIZE])
{
    memcpy(ret_aor, number.at, number.len);
    ret_aor[number.len] = '@';
    bf_id_text(tenant, ret_aor + number.len + 1);
    return number.len + 1 + BF_ID_TEXT_SIZE - 1;
}

static const struct bf_str TRANSPORTS[] = {
    {"udp", 3}, {"tcp", 3}, {"tls", 3}, {"ws", 2}, {"wss", 3},
};

// One of ours when the text up to its first ';', ':' or '?' is one, in any case.
static struct bf_str transport_at(const char *at, size_t len)
{
    size_t word = 0;

    while (word < len && !strchr(";:?>", at[word]))
        word++;
    for (size_t i = 0; i < BF_LEN(TRANSPORTS); i++) {
        if (bf_str_case_eq((struct bf_str){at, word}, TRANSPORTS[i]))
            return TRANSPORTS[i];
    }
    return BF_STR("");
}

struct bf_str tenant_binding_transport(struct bf_str received, struct bf_str socket)
{
    static const char PARAM[] = ";transport=";
    const char *param = received.len ? memmem(received.at, received.len, PARAM, sizeof(PARAM) - 1) : NULL;
    struct bf_str found = BF_STR("");

    if (param) {
        param += sizeof(PARAM) - 1;
        found = transport_at(param, received.len - (size_t)(param - received.at));
    }
    if (!found.len && socket.len)
        found = transport_at(socket.at, socket.len);
    return found.len ? found : BF_STR("udp");
}

static int hex_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

void tenant_binding_unescape(struct bf_str value, char *into)
{
    for (size_t i = 0; i < value.len; i++) {
        bool whole = value.at[i] == '%' && value.len - i > 2;
        int high = whole ? hex_of(value.at[i + 1]) : -1, low = high >= 0 ? hex_of(value.at[i + 2]) : -1;
        bool plain = low >= 0 && high * 16 + low >= ' ' && high * 16 + low < 0x7f;
        *into++ = (char)(plain ? high * 16 + low : value.at[i]);
        i += plain ? 2 : 0;
    }
    *into = '\0';
}

// ---- to protobuf

// protobuf-c wants zero-terminated texts: they are copied here.
struct scratch {
    char bytes[TENANT_OUTBOX_ENTRY_BYTES_MAX];
    size_t len;
    bool full;
};

static char *scratch_text(struct scratch *scratch, struct bf_str text)
{
    char *at = scratch->bytes + scratch->len;

    if (text.len >= sizeof(scratch->bytes) - scratch->len) {
        scratch->full = true;
        return (char *)"";
    }
    if (text.len > 0)
        memcpy(at, text.at, text.len);
    at[text.len] = '\0';
    scratch->len += text.len + 1;
    return at;
}

// A parameter of the contact.
static char *scratch_value(struct scratch *scratch, struct bf_str value)
{
    char *text = scratch_text(scratch, value);

    if (!scratch->full)
        tenant_binding_unescape(value, text);
    return text;
}

static struct bf_str cut(struct bf_str text, size_t max)
{
    return (struct bf_str){text.at, text.len < max ? text.len : max};
}

static ProtobufCBinaryData id_data(const struct bf_id *id)
{
    return (ProtobufCBinaryData){sizeof(id->bytes), (uint8_t *)id->bytes};
}

// Zeroes are none.
static ProtobufCBinaryData optional_data(const uint8_t *bytes, size_t len)
{
    size_t zeroes = 0;

    while (zeroes < len && bytes[zeroes] == 0)
        zeroes++;
    return (ProtobufCBinaryData){zeroes < len ? len : 0, (uint8_t *)bytes};
}

static void pack(const pb_entry *entry, struct tenant_entry *into)
{
    size_t len = belfry__call__v1__entry__get_packed_size(entry);

    into->len = len <= sizeof(into->bytes) ? belfry__call__v1__entry__pack(entry, into->bytes) : 0;
}

void tenant_entry_binding(const struct tenant_binding *binding, uint64_t at_ms, struct tenant_entry *entry)
{
    struct scratch scratch;
    pb_binding to = BELFRY__CALL__V1__BINDING__INIT;
    pb_entry pb = BELFRY__CALL__V1__ENTRY__INIT;

    scratch.len = 0;
    scratch.full = false;
    to.tenant_id = id_data(&binding->tenant);
    to.number = scratch_text(&scratch, binding->number);
    to.ruid = scratch_text(&scratch, binding->ruid);
    to.contact = scratch_text(&scratch, binding->contact);
    to.received = scratch_text(&scratch, binding->received);
    to.path = scratch_text(&scratch, binding->path);
    to.transport = scratch_text(&scratch, binding->transport);
    to.user_agent = scratch_text(&scratch, cut(binding->user_agent, USER_AGENT_MAX));
    to.call_id = scratch_text(&scratch, binding->call_id);
    to.instance = scratch_text(&scratch, binding->instance);
    to.socket = scratch_text(&scratch, binding->socket);
    to.pn_provider = scratch_value(&scratch, binding->secrets.pn_provider);
    to.pn_prid = scratch_value(&scratch, binding->secrets.pn_prid);
    to.pn_param = scratch_value(&scratch, binding->secrets.pn_param);
    to.wake = scratch_text(&scratch, binding->secrets.wake);
    to.pn_id = optional_data(binding->note.pn_id, sizeof(binding->note.pn_id));
    to.extension = optional_data(binding->note.extension.bytes, sizeof(binding->note.extension.bytes));
    to.expires_ms = binding->expires_ms;
    to.cseq = binding->cseq;
    to.flags = binding->flags;
    to.q = binding->q;
    pb.at_ms = at_ms;
    pb.what_case = BELFRY__CALL__V1__ENTRY__WHAT_BINDING;
    pb.binding = &to;
    entry->len = 0;
    if (!scratch.full)
        pack(&pb, entry);
}

void tenant_entry_gone(const struct tenant_binding *binding, const char *why, uint64_t at_ms,
                       struct tenant_entry *entry)
{
    struct scratch scratch;
    Belfry__Call__V1__BindingGone to = BELFRY__CALL__V1__BINDING_GONE__INIT;
    pb_entry pb = BELFRY__CALL__V1__ENTRY__INIT;

    scratch.len = 0;
    scratch.full = false;
    to.tenant_id = id_data(&binding->tenant);
    to.number = scratch_text(&scratch, binding->number);
    to.ruid = scratch_text(&scratch, binding->ruid);
    to.why = (char *)why;
    pb.at_ms = at_ms;
    pb.what_case = BELFRY__CALL__V1__ENTRY__WHAT_BINDING_GONE;
    pb.binding_gone = &to;
    entry->len = 0;
    if (!scratch.full)
        pack(&pb, entry);
}

void tenant_entry_mark(bool end, uint64_t id, uint64_t at_ms, struct tenant_entry *entry)
{
    Belfry__Call__V1__SyncMark mark = BELFRY__CALL__V1__SYNC_MARK__INIT;
    pb_entry pb = BELFRY__CALL__V1__ENTRY__INIT;

    mark.id = id;
    pb.at_ms = at_ms;
    if (end) {
        pb.what_case = BELFRY__CALL__V1__ENTRY__WHAT_SYNC_END;
        pb.sync_end = &mark;
    } else {
        pb.what_case = BELFRY__CALL__V1__ENTRY__WHAT_SYNC_BEGIN;
        pb.sync_begin = &mark;
    }
    pack(&pb, entry);
}

// ---- from protobuf

static bool read_optional(ProtobufCBinaryData from, uint8_t *bytes, size_t len)
{
    if (from.len > 0 && from.len != len)
        return false;
    memset(bytes, 0, len);
    if (from.len > 0)
        memcpy(bytes, from.data, len);
    return true;
}

static bool read_binding(const pb_binding *from, struct tenant_binding *to)
{
    if (from->tenant_id.len != sizeof(to->tenant.bytes) ||
        !read_optional(from->pn_id, to->note.pn_id, sizeof(to->note.pn_id)) ||
        !read_optional(from->extension, to->note.extension.bytes, sizeof(to->note.extension.bytes)))
        return false;
    memcpy(to->tenant.bytes, from->tenant_id.data, sizeof(to->tenant.bytes));
    to->number = bf_str(from->number);
    to->ruid = bf_str(from->ruid);
    to->contact = bf_str(from->contact);
    to->received = bf_str(from->received);
    to->path = bf_str(from->path);
    to->transport = bf_str(from->transport);
    to->user_agent = bf_str(from->user_agent);
    to->call_id = bf_str(from->call_id);
    to->instance = bf_str(from->instance);
    to->socket = bf_str(from->socket);
    to->expires_ms = from->expires_ms;
    to->cseq = from->cseq;
    to->flags = from->flags;
    to->q = from->q;
    return !bf_id_is_nil(to->tenant) && to->number.len > 0 && to->ruid.len > 0 && to->contact.len > 0 &&
           to->call_id.len > 0;
}

enum bf_err tenant_bindings_read(struct bf_str bytes, struct tenant_bindings *ret_bindings)
{
    Belfry__Call__V1__RestoreReply *reply =
        belfry__call__v1__restore_reply__unpack(NULL, bytes.len, (const uint8_t *)bytes.at);
    struct tenant_bindings bindings = {.message = reply};
    bool good;

    if (!reply)
        return BF_PROTOCOL;
    bindings.next = bf_str(reply->next);
    bindings.count = reply->n_bindings;
    bindings.at = calloc(bindings.count + 1, sizeof(*bindings.at));
    good = bindings.at != NULL;
    for (size_t i = 0; good && i < bindings.count; i++)
        good = read_binding(reply->bindings[i], &bindings.at[i]);
    if (!good) {
        tenant_bindings_release(&bindings);
        return BF_PROTOCOL;
    }
    *ret_bindings = bindings;
    return BF_OK;
}

void tenant_bindings_release(struct tenant_bindings *bindings)
{
    if (bindings->message)
        belfry__call__v1__restore_reply__free_unpacked(bindings->message, NULL);
    free(bindings->at);
    *bindings = (struct tenant_bindings){0};
}
