// Layout of the block: head, buckets (open addressing), then for each tenant its record with its domains
// right behind, so that a look-up touches a bucket and one or two neighbouring cache lines. Records are
// packed; the realm is the text of the domain of that name when the tenant (still) has it. What a patch adds
// stands at the end; what it removes leaves its bucket pointing to `gone`, a domain without a name, which no
// look-up is for.
#include "tenant_table.h"

#include <string.h>
#include "tenant_master.h"

struct bucket {
    uint32_t hash;
    uint32_t domain; // offset into the block; 0: free
};

// A text is its length in one byte, then its bytes.
struct packed_tenant {
    struct bf_id id;
    struct tenant_limits limits;
    uint32_t realm; // offset of a text
    uint8_t status;
    char slug[]; // a text
} __attribute__((packed));

struct packed_domain {
    uint32_t tenant; // offset
    char name[];     // a text
} __attribute__((packed));

#define ROOM_MIN  4096 // for patches; at least
#define ROOM_PART 64   // and this part of the block

struct tenant_table {
    uint64_t bytes;
    uint64_t used;
    struct tenant_hash_key key;
    char gone[sizeof(struct packed_domain) + 1]; // zeroes
    uint32_t buckets;                            // a power of two, at most 4/5 full
    uint32_t filled;                             // of them, with those of what is gone
    uint32_t domains;
    uint32_t tenants;
    struct bucket bucket[];
};

char tenant_lower(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    return c;
}

bool tenant_domain_normal(struct bf_str text, char ret_name[TENANT_DOMAIN_MAX + 1], size_t *ret_len)
{
    size_t len = text.len;

    if (len > 0 && text.at[len - 1] == '.')
        len--;
    if (len == 0 || len > TENANT_DOMAIN_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        ret_name[i] = tenant_lower(text.at[i]);
    ret_name[len] = '\0';
    *ret_len = len;
    return true;
}

// ---- reading ----------------------------------------------------------------------------------------------

static struct bf_str text_read(const char *text)
{
    return (struct bf_str){text + 1, (uint8_t)*text};
}

static const void *record_at(const struct tenant_table *table, uint32_t offset)
{
    return (const char *)table + offset;
}

// The bucket of this name, or the free one where it would go.
static uint32_t bucket_of(const struct tenant_table *table, struct bf_str name, uint64_t hash)
{
    uint32_t mask = table->buckets - 1, i;

    for (i = (uint32_t)hash & mask; table->bucket[i].domain; i = (i + 1) & mask) {
        const struct packed_domain *domain = record_at(table, table->bucket[i].domain);
        if (table->bucket[i].hash == (uint32_t)(hash >> 32) && bf_str_eq(text_read(domain->name), name))
            break;
    }
    return i;
}

static const struct packed_domain *find(const struct tenant_table *table, struct bf_str name)
{
    uint32_t at = table->bucket[bucket_of(table, name, tenant_hash(&table->key, name.at, name.len))].domain;

    return at ? record_at(table, at) : NULL;
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
    const struct packed_domain *found;
    const struct packed_tenant *tenant;

    if (!tenant_domain_normal(domain, name, &normal.len))
        return false;
    found = find(table, normal);
    if (!found)
        return false;
    tenant = record_at(table, found->tenant);
    ret_match->id = tenant->id;
    ret_match->status = tenant->status;
    ret_match->limits = tenant->limits;
    ret_match->slug_len = text_copy(ret_match->slug, text_read(tenant->slug));
    ret_match->realm_len = text_copy(ret_match->realm, text_read(record_at(table, tenant->realm)));
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

// ---- building ---------------------------------------------------------------------------------------------

// The plan gives each tenant its place: scratch in its entry. `end` first counts the size of what belongs to
// it.

static void plan_clear(struct tenant_entry *entry, void *ctx)
{
    entry->end = (uint32_t)(sizeof(struct packed_tenant) + 1 + strlen(entry->slug));
    entry->realm_at = 0;
}

static void plan_domain(const struct tenant_domain *domain, void *ctx)
{
    struct tenant_entry *entry = domain->tenant;

    if (strcmp(entry->realm, domain->name) == 0)
        entry->realm_at = 1;
    entry->end += (uint32_t)sizeof(struct packed_domain) + 1 + domain->len;
}

static void plan_place(struct tenant_entry *entry, void *ctx)
{
    struct tenant_table_need *plan = ctx;

    entry->at = (uint32_t)plan->bytes;
    plan->bytes += entry->end + (entry->realm_at ? 0 : 1 + strlen(entry->realm));
}

struct tenant_table_need tenant_table_plan(const struct tenant_master *master)
{
    struct tenant_table_need plan = {.buckets = 16};
    uint64_t domains = tenant_master_domains(master);

    while ((uint64_t)plan.buckets * 4 < domains * 5)
        plan.buckets *= 2;
    plan.bytes = sizeof(struct tenant_table) + plan.buckets * sizeof(struct bucket);
    tenant_master_each_tenant(master, plan_clear, NULL);
    tenant_master_each_domain(master, plan_domain, NULL);
    tenant_master_each_tenant(master, plan_place, &plan);
    plan.used = plan.bytes;
    plan.bytes += plan.bytes / ROOM_PART + ROOM_MIN;
    return plan;
}

static uint32_t text_write(struct tenant_table *table, uint32_t at, const char *text, size_t len)
{
    char *into = (char *)table + at;

    *into = (char)len;
    memcpy(into + 1, text, len);
    return at + 1 + (uint32_t)len;
}

static void write_tenant(struct packed_tenant *into, const struct tenant_entry *entry)
{
    into->id = entry->id;
    into->limits = entry->limits;
    into->status = (uint8_t)entry->status;
}

static void build_tenant(struct tenant_entry *entry, void *ctx)
{
    struct tenant_table *table = ctx;
    struct packed_tenant *tenant = (void *)((char *)table + entry->at);

    write_tenant(tenant, entry);
    entry->end = text_write(table, entry->at + (uint32_t)sizeof(*tenant), entry->slug, strlen(entry->slug));
    if (entry->realm_at)
        return; // build_domain comes by it
    tenant->realm = entry->end;
    entry->end = text_write(table, entry->end, entry->realm, strlen(entry->realm));
}

static void build_domain(const struct tenant_domain *domain, void *ctx)
{
    struct tenant_table *table = ctx;
    struct tenant_entry *entry = domain->tenant;
    struct packed_domain *into = (void *)((char *)table + entry->end);
    uint32_t at = entry->end, name_at = at + (uint32_t)sizeof(*into);
    uint32_t i = (uint32_t)domain->hash & (table->buckets - 1);

    into->tenant = entry->at;
    entry->end = text_write(table, name_at, domain->name, domain->len);
    if (entry->realm_at && strcmp(entry->realm, domain->name) == 0)
        ((struct packed_tenant *)(void *)((char *)table + entry->at))->realm = name_at;
    while (table->bucket[i].domain)
        i = (i + 1) & (table->buckets - 1);
    table->bucket[i] = (struct bucket){(uint32_t)(domain->hash >> 32), at};
}

struct tenant_table *tenant_table_build(const struct tenant_master *master, struct tenant_table_need plan,
                                        void *memory)
{
    struct tenant_table *table = memory;

    memset(table, 0, sizeof(*table) + plan.buckets * sizeof(struct bucket));
    table->bytes = plan.bytes;
    table->used = plan.used;
    table->key = *tenant_master_key(master);
    table->buckets = plan.buckets;
    table->domains = table->filled = tenant_master_domains(master);
    table->tenants = tenant_master_tenants(master);
    tenant_master_each_tenant(master, build_tenant, table);
    tenant_master_each_domain(master, build_domain, table);
    return table;
}

// ---- patching ---------------------------------------------------------------------------------------------

// The next `len` bytes of the room, or 0.
static uint32_t room_take(struct tenant_table *table, size_t len)
{
    uint32_t at = (uint32_t)table->used;

    if (table->used + len > table->bytes)
        return 0;
    table->used += len;
    return at;
}

static bool add_tenant(struct tenant_table *table, struct tenant_entry *entry)
{
    size_t slug_len = strlen(entry->slug), realm_len = strlen(entry->realm);
    uint32_t at = room_take(table, sizeof(struct packed_tenant) + 1 + slug_len + 1 + realm_len);
    struct packed_tenant *tenant = (void *)((char *)table + at);

    if (!at)
        return false;
    write_tenant(tenant, entry);
    tenant->realm = text_write(table, at + (uint32_t)sizeof(*tenant), entry->slug, slug_len);
    text_write(table, tenant->realm, entry->realm, realm_len);
    entry->at = at;
    return true;
}

static bool add_domain(struct tenant_table *table, const struct tenant_domain *domain, uint32_t bucket)
{
    uint32_t at = room_take(table, sizeof(struct packed_domain) + 1 + domain->len);

    if (!at || (uint64_t)table->buckets * 4 < ((uint64_t)table->filled + 1) * 5)
        return false;
    ((struct packed_domain *)(void *)((char *)table + at))->tenant = domain->tenant->at;
    text_write(table, at + (uint32_t)sizeof(struct packed_domain), domain->name, domain->len);
    table->bucket[bucket] = (struct bucket){(uint32_t)(domain->hash >> 32), at};
    table->filled++;
    return true;
}

static bool patch_domain(struct tenant_table *table, const struct tenant_master *master, struct bf_str name)
{
    const struct tenant_domain *domain = tenant_master_domain(master, name);
    uint32_t i = bucket_of(table, name, tenant_hash(&table->key, name.at, name.len));
    bool stands = table->bucket[i].domain != 0;

    if (!domain) {
        if (stands)
            table->bucket[i].domain = offsetof(struct tenant_table, gone);
        return true;
    }
    if (!domain->tenant->at && !add_tenant(table, domain->tenant))
        return false;
    if (!stands)
        return add_domain(table, domain, i);
    ((struct packed_domain *)(void *)((char *)table + table->bucket[i].domain))->tenant = domain->tenant->at;
    return true;
}

static void patch_tenant(struct tenant_table *table, const struct tenant_master *master, struct bf_id id)
{
    const struct tenant_entry *entry = tenant_master_tenant(master, id);

    if (entry && entry->at)
        write_tenant((void *)((char *)table + entry->at), entry);
}

struct tenant_table *tenant_table_patch(const struct tenant_table *old, struct tenant_master *master,
                                        void *memory)
{
    struct tenant_journal *journal = tenant_master_journal(master);
    struct tenant_table *table = memory;
    bool fits = !journal->whole;

    if (fits)
        memcpy(table, old, old->used);
    for (uint32_t i = 0; fits && i < journal->domain_count; i++)
        fits =
            patch_domain(table, master, (struct bf_str){journal->domains[i].name, journal->domains[i].len});
    if (!fits) {
        tenant_journal_whole(journal); // entries may already say where they would have stood
        return NULL;
    }
    for (uint32_t i = 0; i < journal->tenant_count; i++)
        patch_tenant(table, master, journal->tenants[i]);
    table->domains = tenant_master_domains(master);
    table->tenants = tenant_master_tenants(master);
    return table;
}

// ---- sharing ----------------------------------------------------------------------------------------------

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
