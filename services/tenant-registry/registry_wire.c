// Protobuf <-> our structs.
#include "registry_wire.h"

#include <string.h>

#include "belfry/registry/v1/registry.pb-c.h"

#define UNKNOWN_MAX            10000
#define SNAPSHOT_LIMIT_MAX     20000
#define SNAPSHOT_LIMIT_DEFAULT 10000
#define CHANGES_LIMIT_MAX      5000
#define CHANGES_LIMIT_DEFAULT  1000

static void message_free_at(void *message)
{
    ProtobufCMessage *at = *(ProtobufCMessage **)message;

    if (at)
        protobuf_c_message_free_unpacked(at, NULL);
}

static void message_add(struct bf_buf *into, const ProtobufCMessage *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t small[2048];
    bf_autofree uint8_t *big = size > sizeof(small) ? bf_xcalloc(1, size) : NULL;
    uint8_t *bytes = big ? big : small;

    protobuf_c_message_pack(message, bytes);
    bf_buf_add(into, bytes, size);
}

#define UNPACK(kind, body) \
    belfry__registry__v1__##kind##__unpack(NULL, (body).len, (const uint8_t *)(body).at)

enum bf_err wire_read_authenticate(struct bf_str body, uint8_t hash[BF_SHA256_BYTES])
{
    bf_cleanup(message_free_at) Belfry__Registry__V1__AuthenticateRequest *request =
        UNPACK(authenticate_request, body);

    if (!request)
        return BF_INVALID;
    if (!key_well_formed(bf_str(request->key)))
        return BF_UNAUTHENTICATED;
    key_hash(bf_str(request->key), hash);
    return BF_OK;
}

enum bf_err wire_read_credential(struct bf_str body, struct wire_credential_request *ret_request)
{
    bf_cleanup(message_free_at) Belfry__Registry__V1__CredentialRequest *request =
        UNPACK(credential_request, body);

    if (!request || request->tenant_id.len != sizeof(ret_request->tenant.bytes))
        return BF_INVALID;
    if (extension_number_check(bf_str(request->user)))
        return BF_NOT_FOUND;
    memcpy(ret_request->tenant.bytes, request->tenant_id.data, request->tenant_id.len);
    memcpy(ret_request->user, request->user, strlen(request->user) + 1);
    return BF_OK;
}

enum bf_err wire_read_owner(struct bf_str body, struct wire_owner_request *ret_request)
{
    bf_cleanup(message_free_at) Belfry__Registry__V1__OwnerRequest *request = UNPACK(owner_request, body);

    if (!request)
        return BF_INVALID;
    if (domain_check(bf_str(request->domain)) || extension_number_check(bf_str(request->user)))
        return BF_NOT_FOUND;
    domain_normalise(bf_str(request->domain), ret_request->domain);
    memcpy(ret_request->user, request->user, strlen(request->user) + 1);
    return BF_OK;
}

enum bf_err wire_read_directory(struct bf_str body, struct wire_directory_request *ret_request)
{
    bf_cleanup(message_free_at) Belfry__Registry__V1__DirectoryRequest *request =
        UNPACK(directory_request, body);

    if (!request || request->tenant_id.len != sizeof(ret_request->tenant.bytes))
        return BF_INVALID;
    if (extension_number_check(bf_str(request->number)))
        return BF_NOT_FOUND;
    memcpy(ret_request->tenant.bytes, request->tenant_id.data, request->tenant_id.len);
    memcpy(ret_request->number, request->number, strlen(request->number) + 1);
    return BF_OK;
}

// A number that can be nobody's stands there as "-", which nobody has.
static bool add_number(struct wire_unknown_request *request, const Belfry__Registry__V1__Number *number)
{
    char text[BF_ID_TEXT_SIZE];
    struct bf_id tenant, id;
    const char *gap = request->tenants.len > 0 ? " " : "";
    bool named = number->extension.len > 0;

    if (number->tenant_id.len != sizeof(tenant.bytes) || (named && number->extension.len != sizeof(id.bytes)))
        return false;
    memcpy(tenant.bytes, number->tenant_id.data, sizeof(tenant.bytes));
    if (named)
        memcpy(id.bytes, number->extension.data, sizeof(id.bytes));
    bf_buf_fmt(&request->tenants, "%s%s", gap, bf_id_text(tenant, text));
    bf_buf_fmt(&request->numbers, "%s%s", gap,
               extension_number_check(bf_str(number->number)) ? "-" : number->number);
    bf_buf_fmt(&request->ids, "%s%s", gap, named ? bf_id_text(id, text) : "-");
    return true;
}

enum bf_err wire_read_unknown(struct bf_str body, struct wire_unknown_request *ret_request)
{
    bf_cleanup(message_free_at) Belfry__Registry__V1__UnknownRequest *request = UNPACK(unknown_request, body);
    bool good = request && request->n_numbers <= UNKNOWN_MAX;

    bf_buf_init(&ret_request->tenants, (size_t)UNKNOWN_MAX * BF_ID_TEXT_SIZE);
    bf_buf_init(&ret_request->numbers, (size_t)UNKNOWN_MAX * (EXTENSION_NUMBER_BYTES_MAX + 1));
    bf_buf_init(&ret_request->ids, (size_t)UNKNOWN_MAX * BF_ID_TEXT_SIZE);
    for (size_t i = 0; good && i < request->n_numbers; i++)
        good = add_number(ret_request, request->numbers[i]);
    if (!good)
        wire_release_unknown(ret_request);
    return good ? BF_OK : BF_INVALID;
}

void wire_release_unknown(struct wire_unknown_request *request)
{
    bf_buf_release(&request->tenants);
    bf_buf_release(&request->numbers);
    bf_buf_release(&request->ids);
}

enum bf_err wire_read_tenant(struct bf_str body, char name[TENANT_SLUG_BYTES_MAX + 1])
{
    bf_cleanup(message_free_at) Belfry__Registry__V1__TenantRequest *request = UNPACK(tenant_request, body);

    if (!request || (request->id.len > 0) == (request->slug[0] != '\0'))
        return BF_INVALID;
    if (request->id.len > 0) {
        struct bf_id id;

        if (request->id.len != sizeof(id.bytes))
            return BF_INVALID;
        memcpy(id.bytes, request->id.data, sizeof(id.bytes));
        bf_id_text(id, name);
        return BF_OK;
    }
    if (tenant_slug_check(bf_str(request->slug)))
        return BF_NOT_FOUND;
    memcpy(name, request->slug, strlen(request->slug) + 1);
    return BF_OK;
}

enum bf_err wire_read_snapshot(struct bf_str body, struct wire_snapshot_request *ret_request)
{
    bf_cleanup(message_free_at) Belfry__Registry__V1__SnapshotRequest *request =
        UNPACK(snapshot_request, body);

    if (!request || strlen(request->after) > DOMAIN_BYTES_MAX || request->limit > SNAPSHOT_LIMIT_MAX)
        return BF_INVALID;
    memcpy(ret_request->after, request->after, strlen(request->after) + 1);
    ret_request->limit = request->limit ? request->limit : SNAPSHOT_LIMIT_DEFAULT;
    return BF_OK;
}

enum bf_err wire_read_changes(struct bf_str body, struct wire_changes_request *ret_request)
{
    bf_cleanup(message_free_at) Belfry__Registry__V1__ChangesRequest *request = UNPACK(changes_request, body);

    if (!request || request->limit > CHANGES_LIMIT_MAX || request->after_seq > INT64_MAX)
        return BF_INVALID;
    *ret_request = (struct wire_changes_request){
        .epoch = request->epoch,
        .after_seq = request->after_seq,
        .limit = request->limit ? request->limit : CHANGES_LIMIT_DEFAULT,
    };
    return BF_OK;
}

static ProtobufCBinaryData bytes_of(const void *at, size_t len)
{
    return (ProtobufCBinaryData){len, (uint8_t *)at};
}

static ProtobufCBinaryData bytes_of_id(const struct bf_id *id)
{
    return bytes_of(id->bytes, sizeof(id->bytes));
}

static Belfry__Registry__V1__Limits limits_of(const struct tenant_limits *limits)
{
    Belfry__Registry__V1__Limits message = BELFRY__REGISTRY__V1__LIMITS__INIT;

    message.max_calls = (uint32_t)limits->max_calls;
    message.max_registrations = (uint32_t)limits->max_registrations;
    message.calls_per_second = (uint32_t)limits->calls_per_second;
    message.requests_per_minute = (uint32_t)limits->requests_per_minute;
    return message;
}

// The message borrows from the tenant and from *limits.
static Belfry__Registry__V1__Tenant tenant_of(const struct tenant *tenant,
                                              Belfry__Registry__V1__Limits *limits)
{
    Belfry__Registry__V1__Tenant message = BELFRY__REGISTRY__V1__TENANT__INIT;

    *limits = limits_of(&tenant->limits);
    message.id = bytes_of_id(&tenant->id);
    message.slug = (char *)tenant->slug;
    message.realm = (char *)tenant->realm;
    message.status = tenant->status == TENANT_ACTIVE
                         ? BELFRY__REGISTRY__V1__TENANT_STATUS__TENANT_STATUS_ACTIVE
                         : BELFRY__REGISTRY__V1__TENANT_STATUS__TENANT_STATUS_SUSPENDED;
    message.limits = limits;
    return message;
}

void wire_write_authenticate(struct bf_buf *into, const struct key_owner *owner)
{
    static const Belfry__Registry__V1__Role roles[] = {
        [BF_ROLE_NONE] = BELFRY__REGISTRY__V1__ROLE__ROLE_UNSPECIFIED,
        [BF_ROLE_OPERATOR] = BELFRY__REGISTRY__V1__ROLE__ROLE_OPERATOR,
        [BF_ROLE_ADMIN] = BELFRY__REGISTRY__V1__ROLE__ROLE_ADMIN,
        [BF_ROLE_READER] = BELFRY__REGISTRY__V1__ROLE__ROLE_READER,
    };
    Belfry__Registry__V1__AuthenticateReply reply = BELFRY__REGISTRY__V1__AUTHENTICATE_REPLY__INIT;
    Belfry__Registry__V1__Limits limits = limits_of(&owner->tenant.limits);

    reply.key_id = bytes_of_id(&owner->key_id);
    reply.role = roles[owner->role];
    if (owner->role != BF_ROLE_OPERATOR) {
        reply.tenant_id = bytes_of_id(&owner->tenant.id);
        reply.limits = &limits;
    }
    message_add(into, &reply.base);
}

void wire_write_credential(struct bf_buf *into, const struct extension_credential *credential)
{
    Belfry__Registry__V1__CredentialReply reply = BELFRY__REGISTRY__V1__CREDENTIAL_REPLY__INIT;

    reply.tenant_id = bytes_of_id(&credential->tenant);
    reply.user = (char *)credential->number;
    reply.ha1_md5 = bytes_of(credential->ha1.md5, sizeof(credential->ha1.md5));
    reply.ha1_sha256 = bytes_of(credential->ha1.sha256, sizeof(credential->ha1.sha256));
    reply.max_contacts = (uint32_t)credential->max_contacts;
    reply.extension = bytes_of_id(&credential->extension);
    message_add(into, &reply.base);
}

void wire_write_owner(struct bf_buf *into, struct bf_id tenant, struct bf_id extension)
{
    Belfry__Registry__V1__OwnerReply reply = BELFRY__REGISTRY__V1__OWNER_REPLY__INIT;

    reply.tenant_id = bytes_of_id(&tenant);
    reply.extension = bytes_of_id(&extension);
    message_add(into, &reply.base);
}

static Belfry__Registry__V1__DirectoryExtension extension_of(const struct extension *extension)
{
    Belfry__Registry__V1__DirectoryExtension message = BELFRY__REGISTRY__V1__DIRECTORY_EXTENSION__INIT;
    const struct extension_calls *calls = &extension->calls;

    message.number = (char *)extension->number;
    message.display_name = (char *)extension->display_name;
    message.do_not_disturb = calls->do_not_disturb;
    message.forward_always = (char *)calls->forward_always;
    message.forward_busy = (char *)calls->forward_busy;
    message.forward_no_answer = (char *)calls->forward_no_answer;
    message.ring_seconds = (uint32_t)calls->ring_seconds;
    message.id = bytes_of_id(&extension->id);
    return message;
}

// Cuts `text`, words with one space between them, into at most `room` terminated words.
static size_t words_of(char *text, char **words, size_t room)
{
    size_t count = 0;

    for (char *at = text; *at && count < room;) {
        size_t len = strcspn(at, " ");

        words[count++] = at;
        at += len + (at[len] == ' ');
        words[count - 1][len] = '\0';
    }
    return count;
}

// The message borrows from the group and from *members, which are cut out of *text.
static Belfry__Registry__V1__DirectoryGroup group_of(const struct group *group, char *text,
                                                     char *members[GROUP_MEMBERS_MAX])
{
    static const Belfry__Registry__V1__DirectoryGroup__Strategy strategies[] = {
        [GROUP_UNKNOWN] = BELFRY__REGISTRY__V1__DIRECTORY_GROUP__STRATEGY__STRATEGY_UNSPECIFIED,
        [GROUP_ALL] = BELFRY__REGISTRY__V1__DIRECTORY_GROUP__STRATEGY__ALL,
        [GROUP_SEQUENCE] = BELFRY__REGISTRY__V1__DIRECTORY_GROUP__STRATEGY__SEQUENCE,
    };
    Belfry__Registry__V1__DirectoryGroup message = BELFRY__REGISTRY__V1__DIRECTORY_GROUP__INIT;

    message.number = (char *)group->number;
    message.display_name = (char *)group->display_name;
    message.strategy = strategies[group->strategy];
    message.ring_seconds = (uint32_t)group->ring_seconds;
    message.members = members;
    message.n_members = words_of(text, members, GROUP_MEMBERS_MAX);
    return message;
}

void wire_write_directory(struct bf_buf *into, const struct directory_entry *entry)
{
    Belfry__Registry__V1__DirectoryReply reply = BELFRY__REGISTRY__V1__DIRECTORY_REPLY__INIT;
    Belfry__Registry__V1__Limits limits;
    Belfry__Registry__V1__Tenant tenant = tenant_of(&entry->tenant, &limits);
    bf_autofree char *text = bf_xstrdup(entry->group.members);
    char *members[GROUP_MEMBERS_MAX];
    Belfry__Registry__V1__DirectoryExtension extension = extension_of(&entry->extension);
    Belfry__Registry__V1__DirectoryGroup group = group_of(&entry->group, text, members);

    reply.tenant = &tenant;
    if (entry->is_group) {
        reply.is_case = BELFRY__REGISTRY__V1__DIRECTORY_REPLY__IS_GROUP;
        reply.group = &group;
    } else {
        reply.is_case = BELFRY__REGISTRY__V1__DIRECTORY_REPLY__IS_EXTENSION;
        reply.extension = &extension;
    }
    message_add(into, &reply.base);
}

void wire_write_unknown(struct bf_buf *into, uint32_t at)
{
    Belfry__Registry__V1__UnknownReply reply = BELFRY__REGISTRY__V1__UNKNOWN_REPLY__INIT;

    reply.at = &at;
    reply.n_at = 1;
    message_add(into, &reply.base);
}

void wire_write_tenant(struct bf_buf *into, const struct tenant *tenant)
{
    Belfry__Registry__V1__TenantReply reply = BELFRY__REGISTRY__V1__TENANT_REPLY__INIT;
    Belfry__Registry__V1__Limits limits;
    Belfry__Registry__V1__Tenant message = tenant_of(tenant, &limits);
    bf_autofree char *text = bf_xstrdup(tenant->domains ? tenant->domains : "");
    char *domains[TENANT_DOMAINS_MAX];

    reply.tenant = &message;
    reply.domains = domains;
    reply.n_domains = words_of(text, domains, TENANT_DOMAINS_MAX);
    message_add(into, &reply.base);
}

void wire_write_app_keys(struct bf_buf *into, const struct app_key *keys, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        Belfry__Registry__V1__AppKeysReply part = BELFRY__REGISTRY__V1__APP_KEYS_REPLY__INIT;
        Belfry__Registry__V1__AppKey message = BELFRY__REGISTRY__V1__APP_KEY__INIT;
        Belfry__Registry__V1__AppKey *list[] = {&message};
        const struct bf_app_key *key = &keys[i].public;

        message.kid = (char *)key->kid;
        message.ed25519 = bytes_of(key->ed25519, sizeof(key->ed25519));
        message.not_before_ms = key->not_before_ms;
        message.not_after_ms = key->not_after_ms;
        part.keys = list;
        part.n_keys = 1;
        message_add(into, &part.base);
    }
}

void wire_write_snapshot(struct bf_buf *into, struct change_head head)
{
    Belfry__Registry__V1__SnapshotReply part = BELFRY__REGISTRY__V1__SNAPSHOT_REPLY__INIT;

    part.epoch = head.epoch;
    part.seq = head.seq;
    message_add(into, &part.base);
}

void wire_write_snapshot_tenant(struct bf_buf *into, const struct tenant *tenant)
{
    Belfry__Registry__V1__SnapshotReply part = BELFRY__REGISTRY__V1__SNAPSHOT_REPLY__INIT;
    Belfry__Registry__V1__Limits limits;
    Belfry__Registry__V1__Tenant message = tenant_of(tenant, &limits);
    Belfry__Registry__V1__Tenant *list[] = {&message};

    part.tenants = list;
    part.n_tenants = 1;
    message_add(into, &part.base);
}

void wire_write_snapshot_domain(struct bf_buf *into, const char *name, struct bf_id tenant)
{
    Belfry__Registry__V1__SnapshotReply part = BELFRY__REGISTRY__V1__SNAPSHOT_REPLY__INIT;
    Belfry__Registry__V1__Domain message = BELFRY__REGISTRY__V1__DOMAIN__INIT;
    Belfry__Registry__V1__Domain *list[] = {&message};

    message.name = (char *)name;
    message.tenant_id = bytes_of_id(&tenant);
    part.domains = list;
    part.n_domains = 1;
    message_add(into, &part.base);
}

void wire_write_snapshot_next(struct bf_buf *into, const char *next)
{
    Belfry__Registry__V1__SnapshotReply part = BELFRY__REGISTRY__V1__SNAPSHOT_REPLY__INIT;

    part.next = (char *)next;
    message_add(into, &part.base);
}

void wire_write_feed(struct bf_buf *into, struct change_head head)
{
    Belfry__Registry__V1__Feed part = BELFRY__REGISTRY__V1__FEED__INIT;

    part.epoch = head.epoch;
    part.head_seq = head.seq;
    message_add(into, &part.base);
}

static void feed_add(struct bf_buf *into, Belfry__Registry__V1__Change *change)
{
    Belfry__Registry__V1__Feed part = BELFRY__REGISTRY__V1__FEED__INIT;
    Belfry__Registry__V1__Change *list[] = {change};

    part.changes = list;
    part.n_changes = 1;
    message_add(into, &part.base);
}

void wire_write_feed_change(struct bf_buf *into, const struct change *change)
{
    Belfry__Registry__V1__Change message = BELFRY__REGISTRY__V1__CHANGE__INIT;
    Belfry__Registry__V1__DomainUp up = BELFRY__REGISTRY__V1__DOMAIN_UP__INIT;
    Belfry__Registry__V1__Extension extension = BELFRY__REGISTRY__V1__EXTENSION__INIT;
    Belfry__Registry__V1__Group group = BELFRY__REGISTRY__V1__GROUP__INIT;
    Belfry__Registry__V1__AppKeysChanged app_keys = BELFRY__REGISTRY__V1__APP_KEYS_CHANGED__INIT;
    Belfry__Registry__V1__Limits limits;
    Belfry__Registry__V1__Tenant tenant = tenant_of(&change->tenant, &limits);

    message.seq = change->seq;
    switch (change->kind) {
    case CHANGE_TENANT:
        message.what_case = change->gone ? BELFRY__REGISTRY__V1__CHANGE__WHAT_TENANT_GONE
                                         : BELFRY__REGISTRY__V1__CHANGE__WHAT_TENANT;
        if (change->gone)
            message.tenant_gone = bytes_of_id(&change->tenant_id);
        else
            message.tenant = &tenant;
        break;
    case CHANGE_DOMAIN:
        message.what_case = change->gone ? BELFRY__REGISTRY__V1__CHANGE__WHAT_DOMAIN_GONE
                                         : BELFRY__REGISTRY__V1__CHANGE__WHAT_DOMAIN;
        up.name = (char *)change->domain;
        up.tenant = &tenant;
        if (change->gone)
            message.domain_gone = up.name;
        else
            message.domain = &up;
        break;
    case CHANGE_EXTENSION:
        message.what_case = BELFRY__REGISTRY__V1__CHANGE__WHAT_EXTENSION;
        extension.tenant_id = bytes_of_id(&change->tenant_id);
        extension.number = (char *)change->number;
        extension.gone = change->gone;
        if (!change->gone)
            extension.id = bytes_of_id(&change->extension);
        message.extension = &extension;
        break;
    case CHANGE_GROUP:
        message.what_case = BELFRY__REGISTRY__V1__CHANGE__WHAT_GROUP;
        group.tenant_id = bytes_of_id(&change->tenant_id);
        group.number = (char *)change->number;
        group.gone = change->gone;
        message.group = &group;
        break;
    case CHANGE_APP_KEYS:
        message.what_case = BELFRY__REGISTRY__V1__CHANGE__WHAT_APP_KEYS;
        message.app_keys = &app_keys;
        break;
    }
    feed_add(into, &message);
}

void wire_write_changes(struct bf_buf *into, struct bf_str feed)
{
    // ChangesReply has one field, number 1, of wire type 2: its tag, its length as a varint, its bytes.
    uint8_t head[11] = {1 << 3 | 2};
    size_t len = 1;

    for (size_t left = feed.len; len == 1 || left > 0; left >>= 7)
        head[len++] = (uint8_t)((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
    bf_buf_add(into, head, len);
    bf_buf_add(into, feed.at, feed.len);
}
