// Protobuf <-> our structs.
#include "bf_access_wire.h"

#include <string.h>

#include "belfry/registry/v1/registry.pb-c.h"

static void message_free_at(void *message)
{
    ProtobufCMessage *at = *(ProtobufCMessage **)message;

    if (at)
        protobuf_c_message_free_unpacked(at, NULL);
}

static void message_add(struct bf_buf *into, const ProtobufCMessage *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    bf_autofree uint8_t *bytes = bf_xcalloc(1, size + 1);

    protobuf_c_message_pack(message, bytes);
    bf_buf_add(into, bytes, size);
}

static bool read_id(ProtobufCBinaryData from, struct bf_id *ret_id)
{
    if (from.len != sizeof(ret_id->bytes))
        return false;
    memcpy(ret_id->bytes, from.data, from.len);
    return true;
}

static bool read_text(const char *from, char *into, size_t size)
{
    size_t len = strlen(from);

    if (len >= size)
        return false;
    memcpy(into, from, len + 1);
    return true;
}

void bf_access_wire_ask_key(struct bf_buf *into, const char *key)
{
    Belfry__Registry__V1__AuthenticateRequest request = BELFRY__REGISTRY__V1__AUTHENTICATE_REQUEST__INIT;

    request.key = (char *)key;
    message_add(into, &request.base);
}

static enum bf_role read_role(Belfry__Registry__V1__Role role)
{
    switch (role) {
    case BELFRY__REGISTRY__V1__ROLE__ROLE_OPERATOR:
        return BF_ROLE_OPERATOR;
    case BELFRY__REGISTRY__V1__ROLE__ROLE_ADMIN:
        return BF_ROLE_ADMIN;
    case BELFRY__REGISTRY__V1__ROLE__ROLE_READER:
        return BF_ROLE_READER;
    default:
        return BF_ROLE_NONE;
    }
}

enum bf_err bf_access_wire_read_key(struct bf_str body, struct bf_caller *ret_caller)
{
    bf_cleanup(message_free_at) Belfry__Registry__V1__AuthenticateReply *reply =
        belfry__registry__v1__authenticate_reply__unpack(NULL, body.len, (const uint8_t *)body.at);
    struct bf_caller caller = {.role = reply ? read_role(reply->role) : BF_ROLE_NONE};

    if (!reply || caller.role == BF_ROLE_NONE || !read_id(reply->key_id, &caller.key_id))
        return BF_PROTOCOL;
    if (caller.role != BF_ROLE_OPERATOR && !read_id(reply->tenant_id, &caller.tenant_id))
        return BF_PROTOCOL;
    *ret_caller = caller;
    return BF_OK;
}

void bf_access_wire_ask_tenant(struct bf_buf *into, struct bf_id id, const char *slug)
{
    Belfry__Registry__V1__TenantRequest request = BELFRY__REGISTRY__V1__TENANT_REQUEST__INIT;

    request.slug = (char *)slug;
    if (!*slug)
        request.id = (ProtobufCBinaryData){sizeof(id.bytes), id.bytes};
    message_add(into, &request.base);
}

enum bf_err bf_access_wire_read_tenant(struct bf_str body, struct bf_access_tenant *ret_tenant)
{
    bf_cleanup(message_free_at) Belfry__Registry__V1__TenantReply *reply =
        belfry__registry__v1__tenant_reply__unpack(NULL, body.len, (const uint8_t *)body.at);
    const Belfry__Registry__V1__Tenant *from = reply ? reply->tenant : NULL;
    struct bf_access_tenant tenant = {.suspended = true};

    if (!from || !read_id(from->id, &tenant.id) || !read_text(from->slug, tenant.slug, sizeof(tenant.slug)) ||
        !read_text(from->realm, tenant.realm, sizeof(tenant.realm)) ||
        (reply->n_domains && !read_text(reply->domains[0], tenant.domain, sizeof(tenant.domain))))
        return BF_PROTOCOL;
    tenant.suspended = from->status != BELFRY__REGISTRY__V1__TENANT_STATUS__TENANT_STATUS_ACTIVE;
    tenant.requests_per_minute = from->limits ? from->limits->requests_per_minute : 0;
    // The realm is a domain of the tenant unless that one was deleted: calls are made under it where it is.
    for (size_t i = 0; i < reply->n_domains; i++)
        if (strcmp(reply->domains[i], tenant.realm) == 0)
            memcpy(tenant.domain, tenant.realm, sizeof(tenant.domain));
    *ret_tenant = tenant;
    return BF_OK;
}
