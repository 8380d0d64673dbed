// The only file that knows the generated names.
#include "tenant_wire.h"

#include <string.h>
#include "belfry/registry/v1/registry.pb-c.h"

typedef Belfry__Registry__V1__Change pb_change;
typedef Belfry__Registry__V1__Tenant pb_tenant;

static bool read_id(ProtobufCBinaryData bytes, struct bf_id *ret_id)
{
    if (bytes.len != sizeof(ret_id->bytes))
        return false;
    memcpy(ret_id->bytes, bytes.data, bytes.len);
    return !bf_id_is_nil(*ret_id);
}

// The message is ours, so the name is made normal where it stands.
static bool read_domain(char *name, struct bf_str *ret_name)
{
    size_t len;

    if (!tenant_domain_normal(bf_str(name), name, &len))
        return false;
    *ret_name = (struct bf_str){name, len};
    return true;
}

static bool read_status(Belfry__Registry__V1__TenantStatus status, enum tenant_status *ret_status)
{
    switch (status) {
    case BELFRY__REGISTRY__V1__TENANT_STATUS__TENANT_STATUS_ACTIVE:
        *ret_status = TENANT_ACTIVE;
        return true;
    case BELFRY__REGISTRY__V1__TENANT_STATUS__TENANT_STATUS_SUSPENDED:
        *ret_status = TENANT_SUSPENDED;
        return true;
    default:
        return false;
    }
}

static bool read_tenant(const pb_tenant *tenant, struct tenant_record *ret_record)
{
    struct tenant_record record = {0};

    if (!tenant || !read_id(tenant->id, &record.id) || !read_status(tenant->status, &record.status))
        return false;
    record.slug = bf_str(tenant->slug);
    if (record.slug.len == 0 || record.slug.len > TENANT_SLUG_MAX ||
        !read_domain(tenant->realm, &record.realm))
        return false;
    if (tenant->limits) {
        record.limits.max_calls = tenant->limits->max_calls;
        record.limits.max_registrations = tenant->limits->max_registrations;
        record.limits.calls_per_second = tenant->limits->calls_per_second;
    }
    *ret_record = record;
    return true;
}

static bool read_extension(const Belfry__Registry__V1__Extension *extension, struct tenant_change *change)
{
    change->name = bf_str(extension->number);
    change->gone = extension->gone;
    change->extension = (struct bf_id){{0}};
    return read_id(extension->tenant_id, &change->id) && change->name.len > 0 &&
           change->name.len <= TENANT_USER_MAX &&
           (extension->id.len == 0 || read_id(extension->id, &change->extension));
}

static bool read_change(const pb_change *from, struct tenant_change *change)
{
    change->seq = from->seq;
    switch (from->what_case) {
    case BELFRY__REGISTRY__V1__CHANGE__WHAT_TENANT:
        change->kind = TENANT_CHANGE_TENANT;
        return read_tenant(from->tenant, &change->record);
    case BELFRY__REGISTRY__V1__CHANGE__WHAT_TENANT_GONE:
        change->kind = TENANT_CHANGE_TENANT_GONE;
        return read_id(from->tenant_gone, &change->id);
    case BELFRY__REGISTRY__V1__CHANGE__WHAT_DOMAIN:
        change->kind = TENANT_CHANGE_DOMAIN;
        return read_domain(from->domain->name, &change->name) &&
               read_tenant(from->domain->tenant, &change->record);
    case BELFRY__REGISTRY__V1__CHANGE__WHAT_DOMAIN_GONE:
        change->kind = TENANT_CHANGE_DOMAIN_GONE;
        return read_domain(from->domain_gone, &change->name);
    case BELFRY__REGISTRY__V1__CHANGE__WHAT_EXTENSION:
        change->kind = TENANT_CHANGE_EXTENSION;
        return read_extension(from->extension, change);
    case BELFRY__REGISTRY__V1__CHANGE__WHAT_APP_KEYS:
        change->kind = TENANT_CHANGE_APP_KEYS;
        return true;
    default:
        change->kind = TENANT_CHANGE_NOTHING;
        return true;
    }
}

static bool read_changes(const Belfry__Registry__V1__Feed *feed, struct tenant_change *changes)
{
    for (size_t i = 0; i < feed->n_changes; i++) {
        if (!read_change(feed->changes[i], &changes[i]))
            return false;
        if (changes[i].seq == 0 || (i > 0 && changes[i].seq != changes[i - 1].seq + 1))
            return false;
    }
    return true;
}

static enum bf_err read_feed(const Belfry__Registry__V1__Feed *message, struct tenant_feed *feed)
{
    feed->epoch = message->epoch;
    feed->head_seq = message->head_seq;
    feed->count = message->n_changes;
    feed->changes = calloc(feed->count + 1, sizeof(*feed->changes));
    return feed->changes && read_changes(message, feed->changes) ? BF_OK : BF_PROTOCOL;
}

static void message_free(void *message)
{
    if (message)
        protobuf_c_message_free_unpacked(message, NULL);
}

enum bf_err tenant_wire_feed(struct bf_str bytes, struct tenant_feed *ret_feed)
{
    Belfry__Registry__V1__Feed *message =
        belfry__registry__v1__feed__unpack(NULL, bytes.len, (const uint8_t *)bytes.at);
    struct tenant_feed feed = {.message = message};

    if (!message || read_feed(message, &feed) != BF_OK) {
        tenant_feed_release(&feed);
        return BF_PROTOCOL;
    }
    *ret_feed = feed;
    return BF_OK;
}

enum bf_err tenant_wire_changes(struct bf_str bytes, struct tenant_feed *ret_feed)
{
    Belfry__Registry__V1__ChangesReply *message =
        belfry__registry__v1__changes_reply__unpack(NULL, bytes.len, (const uint8_t *)bytes.at);
    struct tenant_feed feed = {.message = message};

    if (!message || !message->feed || read_feed(message->feed, &feed) != BF_OK) {
        tenant_feed_release(&feed);
        return BF_PROTOCOL;
    }
    *ret_feed = feed;
    return BF_OK;
}

void tenant_feed_release(struct tenant_feed *feed)
{
    free(feed->changes);
    message_free(feed->message);
    *feed = (struct tenant_feed){0};
}

// ---- snapshot pages ---------------------------------------------------------------------------------------

static int by_id(const void *a, const void *b)
{
    return memcmp(((const struct tenant_record *)a)->id.bytes, ((const struct tenant_record *)b)->id.bytes,
                  16);
}

static bool read_page_tenants(const Belfry__Registry__V1__SnapshotReply *message, struct tenant_page *page)
{
    page->tenants = calloc(message->n_tenants + 1, sizeof(*page->tenants));
    if (!page->tenants)
        return false;
    for (size_t i = 0; i < message->n_tenants; i++) {
        if (!read_tenant(message->tenants[i], &page->tenants[i]))
            return false;
    }
    qsort(page->tenants, message->n_tenants, sizeof(*page->tenants), by_id);
    return true;
}

static bool read_page_domains(const Belfry__Registry__V1__SnapshotReply *message, struct tenant_page *page)
{
    page->count = message->n_domains;
    page->domains = calloc(page->count + 1, sizeof(*page->domains));
    if (!page->domains)
        return false;
    for (size_t i = 0; i < page->count; i++) {
        struct tenant_record wanted;
        if (!read_domain(message->domains[i]->name, &page->domains[i].name) ||
            !read_id(message->domains[i]->tenant_id, &wanted.id))
            return false;
        page->domains[i].tenant = bsearch(&wanted, page->tenants, message->n_tenants, sizeof(wanted), by_id);
        if (!page->domains[i].tenant)
            return false;
    }
    return true;
}

enum bf_err tenant_wire_page(struct bf_str bytes, struct tenant_page *ret_page)
{
    Belfry__Registry__V1__SnapshotReply *message =
        belfry__registry__v1__snapshot_reply__unpack(NULL, bytes.len, (const uint8_t *)bytes.at);
    struct tenant_page page = {.message = message};

    if (!message || !read_page_tenants(message, &page) || !read_page_domains(message, &page)) {
        tenant_page_release(&page);
        return BF_PROTOCOL;
    }
    page.epoch = message->epoch;
    page.seq = message->seq;
    page.next = bf_str(message->next);
    *ret_page = page;
    return BF_OK;
}

void tenant_page_release(struct tenant_page *page)
{
    free(page->tenants);
    free(page->domains);
    message_free(page->message);
    *page = (struct tenant_page){0};
}

// ---- credentials ------------------------------------------------------------------------------------------

enum bf_err tenant_wire_answer(struct bf_str bytes, struct tenant_answer *ret_answer)
{
    Belfry__Registry__V1__CredentialReply *message =
        belfry__registry__v1__credential_reply__unpack(NULL, bytes.len, (const uint8_t *)bytes.at);
    struct tenant_answer answer = {.credential.known = true};
    bool good = message && read_id(message->tenant_id, &answer.tenant) &&
                message->ha1_md5.len == TENANT_HA1_MD5_BYTES &&
                message->ha1_sha256.len == TENANT_HA1_SHA256_BYTES &&
                (message->extension.len == 0 || read_id(message->extension, &answer.credential.extension));

    if (good) {
        memcpy(answer.credential.ha1_md5, message->ha1_md5.data, TENANT_HA1_MD5_BYTES);
        memcpy(answer.credential.ha1_sha256, message->ha1_sha256.data, TENANT_HA1_SHA256_BYTES);
        answer.credential.max_contacts = message->max_contacts;
        *ret_answer = answer;
    }
    message_free(message);
    return good ? BF_OK : BF_PROTOCOL;
}

// ---- questions --------------------------------------------------------------------------------------------

static void pack(const ProtobufCMessage *message, struct bf_buf *into)
{
    uint8_t bytes[1024]; // a question is at most a domain and a user
    size_t len = protobuf_c_message_get_packed_size(message);

    if (len > sizeof(bytes)) {
        into->over = true;
        return;
    }
    protobuf_c_message_pack(message, bytes);
    bf_buf_add(into, bytes, len);
}

void tenant_wire_ask_page(struct bf_str after, uint32_t limit, struct bf_buf *into)
{
    Belfry__Registry__V1__SnapshotRequest message = BELFRY__REGISTRY__V1__SNAPSHOT_REQUEST__INIT;
    bf_autofree char *text = bf_xstrndup(after.at ? after.at : "", after.len);

    message.after = text;
    message.limit = limit;
    pack(&message.base, into);
}

void tenant_wire_ask_changes(uint64_t epoch, uint64_t after_seq, uint32_t limit, struct bf_buf *into)
{
    Belfry__Registry__V1__ChangesRequest message = BELFRY__REGISTRY__V1__CHANGES_REQUEST__INIT;

    message.epoch = epoch;
    message.after_seq = after_seq;
    message.limit = limit;
    pack(&message.base, into);
}

void tenant_wire_ask_credential(struct bf_id tenant, struct bf_str user, struct bf_buf *into)
{
    Belfry__Registry__V1__CredentialRequest message = BELFRY__REGISTRY__V1__CREDENTIAL_REQUEST__INIT;
    bf_autofree char *user_text = bf_xstrndup(user.at, user.len);

    message.tenant_id = (ProtobufCBinaryData){sizeof(tenant.bytes), tenant.bytes};
    message.user = user_text;
    pack(&message.base, into);
}
