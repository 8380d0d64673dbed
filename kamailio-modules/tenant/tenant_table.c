// Layout of the block: head, buckets (index of a domain + 1, open addressing), domains, tenants, texts. A
// text is its length in one byte, then its bytes; a tenant's realm is the text of the domain of that name
// when there is one.
#include "tenant_table.h"

#include <string.h>
#include "tenant_master.h"

struct row_domain {
    uint32_t hash;
    uint32_t name; // offset into the texts
    uint32_t tenant;
};

struct row_tenant {
    struct bf_id id;
    struct tenant_limits limits;
    uint32_t slug;
    uint32_t realm;
    uint32_t status;
};

struct tenant_table {
    uint64_t bytes;
    struct tenant_hash_key key;
    uint32_t buckets; // a power of two, at most 3/4 full
    uint32_t domains;
    uint32_t tenants;
    uint32_t texts_at; // offsets from the head
    uint32_t domains_at;
    uint32_t tenants_at;
    uint32_t bucket[];
};

#define NO_TEXT UINT32_MAX

bool tenant_domain_normal(struct bf_str text, char ret_name[TENANT_DOMAIN_MAX + 1], size_t *ret_len)
{
    size_t len = text.len;

    if (len > 0 && text.at[len - 1] == '.')
        len--;
    if (len == 0 || len > TENANT_DOMAIN_MAX)
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = text.at[i];
        ret_name[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    ret_name[len] = '\0';
    *ret_len = len;
    return true;
}

// ---- reading
// -------------------------------------------------------------------------------------------------------

static const struct row_domain *rows_domain(const struct tenant_table *table)
{
    return (const void *)((const char *)table + table->domains_at);
}

static const struct row_tenant *rows_tenant(const struct tenant_table *table)
{
    return (const void *)((const char *)table + table->tenants_at);
}

static struct bf_str text_at(const struct tenant_table *table, uint32_t offset)
{
    const char *text = (const char *)table + table->texts_at + offset;

    return (struct bf_str){text + 1, (uint8_t)*text};
}

static const struct row_domain *find(const struct tenant_table *table, struct bf_str name)
{
    uint64_t hash = tenant_hash(&table->key, name.at, name.len);
    uint32_t mask = table->buckets - 1;

    for (uint32_t i = (uint32_t)hash & mask; table->bucket[i]; i = (i + 1) & mask) {
        const struct row_domain *row = &rows_domain(table)[table->bucket[i] - 1];
        if (row->hash == (uint32_t)(hash >> 32) && bf_str_eq(text_at(table, row->name), name))
            return row;
    }
    return NULL;
}

static uint8_t text_copy(char *into, struct bf_str text)
{
    memcpy(into, text.at, text.len);
    into[text.len] = '\0';
    return (uint8_t)text.len;
}

bool tenant_table_find(const struct tenant_table *table, struct bf_str domain, struct tenant_match *ret_match)
{
    char name[TENANT_DOMAIN_MAX + 1];
    struct bf_str normal = {name, 0};
    const struct row_domain *row;
    const struct row_tenant *tenant;

    if (!tenant_domain_normal(domain, name, &normal.len))
        return false;
    row = find(table, normal);
    if (!row)
        return false;
    tenant = &rows_tenant(table)[row->tenant];
    ret_match->id = tenant->id;
    ret_match->status = tenant->status;
    ret_match->limits = tenant->limits;
    ret_match->slug_len = text_copy(ret_match->slug, text_at(table, tenant->slug));
    ret_match->realm_len = text_copy(ret_match->realm, text_at(table, tenant->realm));
    ret_match->domain_len = text_copy(ret_match->domain, normal);
    return true;
}

uint32_t tenant_table_domains(const struct tenant_table *table)
{
    return table->domains;
}

uint32_t tenant_table_tenants(const struct tenant_table *table)
{
    return table->tenants;
}

size_t tenant_table_size(const struct tenant_table *table)
{
    return table->bytes;
}

// ---- building
// ------------------------------------------------------------------------------------------------------

struct plan {
    uint32_t buckets;
    size_t domains_at, tenants_at, texts_at, bytes;
    size_t text_bytes;
    const struct tenant_master *master;
};

static void plan_domain(const struct tenant_domain *domain, void *ctx)
{
    struct plan *plan = ctx;

    plan->text_bytes += 1u + domain->len;
}

static bool realm_is_domain(const struct tenant_master *master, const struct tenant_entry *entry)
{
    return tenant_master_maps(master, bf_str(entry->realm), entry->id);
}

static void plan_tenant(struct tenant_entry *entry, void *ctx)
{
    struct plan *plan = ctx;

    plan->text_bytes += 1 + strlen(entry->slug);
    if (!realm_is_domain(plan->master, entry))
        plan->text_bytes += 1 + strlen(entry->realm);
}

static struct plan plan_make(const struct tenant_master *master)
{
    struct plan plan = {.buckets = 16, .master = master};
    uint64_t domains = tenant_master_domains(master);

    while ((uint64_t)plan.buckets * 3 < domains * 4)
        plan.buckets *= 2;
    tenant_master_each_domain(master, plan_domain, &plan);
    tenant_master_each_tenant(master, plan_tenant, &plan);
    plan.domains_at = sizeof(struct tenant_table) + plan.buckets * sizeof(uint32_t);
    plan.tenants_at = plan.domains_at + domains * sizeof(struct row_domain);
    plan.texts_at = plan.tenants_at + tenant_master_tenants(master) * sizeof(struct row_tenant);
    plan.bytes = plan.texts_at + plan.text_bytes;
    return plan;
}

size_t tenant_table_bytes(const struct tenant_master *master)
{
    return plan_make(master).bytes;
}

struct build {
    struct tenant_table *table;
    struct row_domain *domains;
    struct row_tenant *tenants;
    const struct tenant_master *master;
    uint32_t text_end;
    uint32_t domain_end;
    uint32_t tenant_end;
};

static uint32_t build_text(struct build *build, const char *text, size_t len)
{
    char *at = (char *)build->table + build->table->texts_at + build->text_end;
    uint32_t offset = build->text_end;

    *at = (char)len;
    memcpy(at + 1, text, len);
    build->text_end += 1 + (uint32_t)len;
    return offset;
}

static void build_tenant(struct tenant_entry *entry, void *ctx)
{
    struct build *build = ctx;
    struct row_tenant *row = &build->tenants[build->tenant_end];

    entry->index = build->tenant_end++;
    row->id = entry->id;
    row->status = entry->status;
    row->limits = entry->limits;
    row->slug = build_text(build, entry->slug, strlen(entry->slug));
    row->realm = NO_TEXT; // found by build_realm when it is one of the domains
    if (!realm_is_domain(build->master, entry))
        row->realm = build_text(build, entry->realm, strlen(entry->realm));
}

static void build_domain(const struct tenant_domain *domain, void *ctx)
{
    struct build *build = ctx;
    struct tenant_table *table = build->table;
    struct row_domain *row = &build->domains[build->domain_end++];
    uint32_t i = (uint32_t)domain->hash & (table->buckets - 1);
    struct row_tenant *tenant = &build->tenants[domain->tenant->index];

    row->hash = (uint32_t)(domain->hash >> 32);
    row->name = build_text(build, domain->name, domain->len);
    row->tenant = domain->tenant->index;
    if (tenant->realm == NO_TEXT && strcmp(domain->tenant->realm, domain->name) == 0)
        tenant->realm = row->name;
    while (table->bucket[i])
        i = (i + 1) & (table->buckets - 1);
    table->bucket[i] = build->domain_end;
}

struct tenant_table *tenant_table_build(const struct tenant_master *master, void *memory)
{
    struct plan plan = plan_make(master);
    struct tenant_table *table = memory;
    struct build build = {.table = table, .master = master};

    memset(table, 0, plan.domains_at);
    table->bytes = plan.bytes;
    table->key = *tenant_master_key(master);
    table->buckets = plan.buckets;
    table->domains = tenant_master_domains(master);
    table->tenants = tenant_master_tenants(master);
    table->domains_at = (uint32_t)plan.domains_at;
    table->tenants_at = (uint32_t)plan.tenants_at;
    table->texts_at = (uint32_t)plan.texts_at;
    build.domains = (struct row_domain *)((char *)memory + plan.domains_at);
    build.tenants = (struct row_tenant *)((char *)memory + plan.tenants_at);
    tenant_master_each_tenant(master, build_tenant, &build);
    tenant_master_each_domain(master, build_domain, &build);
    return table;
}

// ---- sharing
// -------------------------------------------------------------------------------------------------------

size_t tenant_share_bytes(uint32_t readers)
{
    return sizeof(struct tenant_share) + readers * sizeof(((struct tenant_share *)0)->slots[0]);
}

void tenant_share_init(struct tenant_share *share, uint32_t readers)
{
    memset(share, 0, tenant_share_bytes(readers));
    share->readers = readers;
}

enum tenant_found tenant_share_find(struct tenant_share *share, uint32_t reader, struct bf_str domain,
                                    struct tenant_match *ret_match)
{
    struct tenant_table *table;
    bool found = false;

    // Announce, then look again: only a block that was still current after the announcement is safe to read.
    do {
        table = atomic_load(&share->current);
        atomic_store(&share->slots[reader].reading, table);
    } while (table != atomic_load(&share->current));
    if (table)
        found = tenant_table_find(table, domain, ret_match);
    atomic_store_explicit(&share->slots[reader].reading, NULL, memory_order_release);
    if (!table)
        return TENANT_NO_TABLE;
    return found ? TENANT_FOUND : TENANT_NOT_FOUND;
}

struct tenant_table *tenant_share_swap(struct tenant_share *share, struct tenant_table *next)
{
    return atomic_exchange(&share->current, next);
}

bool tenant_share_read(struct tenant_share *share, const struct tenant_table *table)
{
    for (uint32_t i = 0; i < share->readers; i++) {
        if (atomic_load(&share->slots[i].reading) == table)
            return true;
    }
    return false;
}
