// For tests: the registry's side of the wire (our structs to protobuf), and short ways to make ids and
// records.
#ifndef TENANT_FIXTURE_H
#define TENANT_FIXTURE_H

#include <string.h>
#include "belfry/registry/v1/registry.pb-c.h"
#include "tenant_wire.h"

static inline struct bf_id fixture_id(uint32_t number)
{
    struct bf_id id = {{0xab}};

    memcpy(id.bytes + 12, &number, sizeof(number));
    return id;
}

static inline struct tenant_record fixture_record(uint32_t number, const char *slug, const char *realm)
{
    return (struct tenant_record){
        .id = fixture_id(number),
        .status = TENANT_ACTIVE,
        .slug = bf_str(slug),
        .realm = bf_str(realm),
        .limits = {.max_calls = number, .max_registrations = 2, .calls_per_second = 3},
    };
}

static inline struct bf_buf fixture_pack(const ProtobufCMessage *message)
{
    size_t len = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = bf_xcalloc(1, len + 1);
    struct bf_buf buf;

    protobuf_c_message_pack(message, bytes);
    bf_buf_init(&buf, 64u << 20);
    bf_buf_add(&buf, bytes, len);
    free(bytes);
    return buf;
}

static inline struct bf_str fixture_str(const struct bf_buf *buf)
{
    return (struct bf_str){buf->at, buf->len};
}

static inline Belfry__Registry__V1__Tenant *fixture_tenant(const struct tenant_record *record)
{
    Belfry__Registry__V1__Tenant *tenant = bf_xcalloc(1, sizeof(*tenant));

    belfry__registry__v1__tenant__init(tenant);
    tenant->id.data = bf_xcalloc(1, sizeof(record->id));
    tenant->id.len = sizeof(record->id.bytes);
    memcpy(tenant->id.data, record->id.bytes, tenant->id.len);
    tenant->slug = bf_xstrndup(record->slug.at, record->slug.len);
    tenant->realm = bf_xstrndup(record->realm.at, record->realm.len);
    tenant->status = (Belfry__Registry__V1__TenantStatus)record->status;
    tenant->limits = bf_xcalloc(1, sizeof(*tenant->limits));
    belfry__registry__v1__limits__init(tenant->limits);
    tenant->limits->max_calls = record->limits.max_calls;
    tenant->limits->max_registrations = record->limits.max_registrations;
    tenant->limits->calls_per_second = record->limits.calls_per_second;
    return tenant;
}

static inline ProtobufCBinaryData fixture_bytes(struct bf_id id)
{
    ProtobufCBinaryData bytes = {sizeof(id.bytes), bf_xcalloc(1, sizeof(id.bytes))};

    memcpy(bytes.data, id.bytes, sizeof(id.bytes));
    return bytes;
}

static inline Belfry__Registry__V1__Change *fixture_change(const struct tenant_change *from)
{
    Belfry__Registry__V1__Change *change = bf_xcalloc(1, sizeof(*change));

    belfry__registry__v1__change__init(change);
    change->seq = from->seq;
    switch (from->kind) {
    case TENANT_CHANGE_TENANT:
        change->what_case = BELFRY__REGISTRY__V1__CHANGE__WHAT_TENANT;
        change->tenant = fixture_tenant(&from->record);
        break;
    case TENANT_CHANGE_TENANT_GONE:
        change->what_case = BELFRY__REGISTRY__V1__CHANGE__WHAT_TENANT_GONE;
        change->tenant_gone = fixture_bytes(from->id);
        break;
    case TENANT_CHANGE_DOMAIN:
        change->what_case = BELFRY__REGISTRY__V1__CHANGE__WHAT_DOMAIN;
        change->domain = bf_xcalloc(1, sizeof(*change->domain));
        belfry__registry__v1__domain_up__init(change->domain);
        change->domain->name = bf_xstrndup(from->name.at, from->name.len);
        change->domain->tenant = fixture_tenant(&from->record);
        break;
    case TENANT_CHANGE_DOMAIN_GONE:
        change->what_case = BELFRY__REGISTRY__V1__CHANGE__WHAT_DOMAIN_GONE;
        change->domain_gone = bf_xstrndup(from->name.at, from->name.len);
        break;
    case TENANT_CHANGE_EXTENSION:
        change->what_case = BELFRY__REGISTRY__V1__CHANGE__WHAT_EXTENSION;
        change->extension = bf_xcalloc(1, sizeof(*change->extension));
        belfry__registry__v1__extension__init(change->extension);
        change->extension->tenant_id = fixture_bytes(from->id);
        change->extension->number = bf_xstrndup(from->name.at, from->name.len);
        change->extension->gone = from->gone;
        if (!bf_id_is_nil(from->extension))
            change->extension->id = fixture_bytes(from->extension);
        break;
    case TENANT_CHANGE_APP_KEYS:
        change->what_case = BELFRY__REGISTRY__V1__CHANGE__WHAT_APP_KEYS;
        change->app_keys = bf_xcalloc(1, sizeof(*change->app_keys));
        belfry__registry__v1__app_keys_changed__init(change->app_keys);
        break;
    case TENANT_CHANGE_NOTHING:
        break;
    }
    return change;
}

static inline Belfry__Registry__V1__Feed *
fixture_feed_message(uint64_t epoch, uint64_t head_seq, const struct tenant_change *changes, size_t count)
{
    Belfry__Registry__V1__Feed *feed = bf_xcalloc(1, sizeof(*feed));

    belfry__registry__v1__feed__init(feed);
    feed->epoch = epoch;
    feed->head_seq = head_seq;
    feed->n_changes = count;
    feed->changes = bf_xcalloc(count + 1, sizeof(void *));
    for (size_t i = 0; i < count; i++)
        feed->changes[i] = fixture_change(&changes[i]);
    return feed;
}

static inline struct bf_buf fixture_feed(uint64_t epoch, uint64_t head_seq,
                                         const struct tenant_change *changes, size_t count)
{
    Belfry__Registry__V1__Feed *feed = fixture_feed_message(epoch, head_seq, changes, count);
    struct bf_buf buf = fixture_pack(&feed->base);

    belfry__registry__v1__feed__free_unpacked(feed, NULL);
    return buf;
}

static inline struct bf_buf fixture_changes(uint64_t epoch, uint64_t head_seq,
                                            const struct tenant_change *changes, size_t count)
{
    Belfry__Registry__V1__ChangesReply reply = BELFRY__REGISTRY__V1__CHANGES_REPLY__INIT;
    struct bf_buf buf;

    reply.feed = fixture_feed_message(epoch, head_seq, changes, count);
    buf = fixture_pack(&reply.base);
    belfry__registry__v1__feed__free_unpacked(reply.feed, NULL);
    return buf;
}

struct fixture_domain {
    const char *name;
    struct tenant_record tenant;
};

static inline struct bf_buf fixture_page(uint64_t epoch, uint64_t seq, const struct fixture_domain *domains,
                                         size_t count, const char *next)
{
    Belfry__Registry__V1__SnapshotReply *reply = bf_xcalloc(1, sizeof(*reply));
    struct bf_buf buf;

    belfry__registry__v1__snapshot_reply__init(reply);
    reply->epoch = epoch;
    reply->seq = seq;
    reply->next = bf_xstrdup(next);
    reply->n_tenants = reply->n_domains = count;
    reply->tenants = bf_xcalloc(count + 1, sizeof(void *));
    reply->domains = bf_xcalloc(count + 1, sizeof(void *));
    for (size_t i = 0; i < count; i++) {
        reply->tenants[i] = fixture_tenant(&domains[i].tenant);
        reply->domains[i] = bf_xcalloc(1, sizeof(*reply->domains[i]));
        belfry__registry__v1__domain__init(reply->domains[i]);
        reply->domains[i]->name = bf_xstrdup(domains[i].name);
        reply->domains[i]->tenant_id = fixture_bytes(domains[i].tenant.id);
    }
    buf = fixture_pack(&reply->base);
    belfry__registry__v1__snapshot_reply__free_unpacked(reply, NULL);
    return buf;
}

// The extension's id is the tenant's, too.
static inline struct bf_buf fixture_answer(struct bf_id tenant, uint8_t fill, size_t md5_bytes)
{
    Belfry__Registry__V1__CredentialReply reply = BELFRY__REGISTRY__V1__CREDENTIAL_REPLY__INIT;
    uint8_t ha1[TENANT_HA1_SHA256_BYTES];

    memset(ha1, fill, sizeof(ha1));
    reply.tenant_id.data = tenant.bytes;
    reply.tenant_id.len = sizeof(tenant.bytes);
    reply.ha1_md5.data = reply.ha1_sha256.data = ha1;
    reply.ha1_md5.len = md5_bytes;
    reply.ha1_sha256.len = TENANT_HA1_SHA256_BYTES;
    reply.max_contacts = 5;
    reply.extension = reply.tenant_id;
    return fixture_pack(&reply.base);
}

#endif
