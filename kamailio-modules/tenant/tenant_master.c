// Two chained hash tables that grow by doubling: tenants by id, domains by name.
#include "tenant_master.h"

#include <string.h>

struct tenant_master {
    struct tenant_hash_key key;
    struct tenant_entry **tenants;
    struct tenant_domain **domains;
    uint32_t tenant_buckets, tenant_count; // buckets are powers of two
    uint32_t domain_buckets, domain_count;
    struct tenant_entry *oldest_tenant, *newest_tenant;
    struct tenant_domain *oldest_domain, *newest_domain;
    struct tenant_journal journal;
};

#define BUCKETS_MIN 64

// The lists of all, oldest first.
#define LIST_ADD(oldest_, newest_, item)                        \
    do {                                                        \
        (item)->older = (newest_);                              \
        *((newest_) ? &(newest_)->newer : &(oldest_)) = (item); \
        (newest_) = (item);                                     \
    } while (0)
#define LIST_REMOVE(oldest_, newest_, item)                                    \
    do {                                                                       \
        *((item)->older ? &(item)->older->newer : &(oldest_)) = (item)->newer; \
        *((item)->newer ? &(item)->newer->older : &(newest_)) = (item)->older; \
    } while (0)

static uint64_t id_hash(const struct tenant_master *master, struct bf_id id)
{
    return tenant_hash(&master->key, id.bytes, sizeof(id.bytes));
}

static struct tenant_entry **tenant_at(const struct tenant_master *master, struct bf_id id)
{
    struct tenant_entry **at = &master->tenants[id_hash(master, id) & (master->tenant_buckets - 1)];

    while (*at && !bf_id_eq((*at)->id, id))
        at = &(*at)->next;
    return at;
}

static struct tenant_domain **domain_at(const struct tenant_master *master, struct bf_str name)
{
    uint64_t hash = tenant_hash(&master->key, name.at, name.len);
    struct tenant_domain **at = &master->domains[hash & (master->domain_buckets - 1)];

    while (*at && ((*at)->hash != hash || !bf_str_eq((struct bf_str){(*at)->name, (*at)->len}, name)))
        at = &(*at)->next;
    return at;
}

static void grow_tenants(struct tenant_master *master)
{
    uint32_t buckets = master->tenant_buckets * 2;
    struct tenant_entry **grown;

    if (master->tenant_count < master->tenant_buckets)
        return;
    grown = bf_xcalloc(buckets, sizeof(void *));
    for (uint32_t i = 0; i < master->tenant_buckets; i++) {
        for (struct tenant_entry *entry = master->tenants[i], *next; entry; entry = next) {
            struct tenant_entry **at = &grown[id_hash(master, entry->id) & (buckets - 1)];
            next = entry->next;
            entry->next = *at;
            *at = entry;
        }
    }
    free(master->tenants);
    master->tenants = grown;
    master->tenant_buckets = buckets;
}

static void grow_domains(struct tenant_master *master)
{
    uint32_t buckets = master->domain_buckets * 2;
    struct tenant_domain **grown;

    if (master->domain_count < master->domain_buckets)
        return;
    grown = bf_xcalloc(buckets, sizeof(void *));
    for (uint32_t i = 0; i < master->domain_buckets; i++) {
        for (struct tenant_domain *domain = master->domains[i], *next; domain; domain = next) {
            struct tenant_domain **at = &grown[domain->hash & (buckets - 1)];
            next = domain->next;
            domain->next = *at;
            *at = domain;
        }
    }
    free(master->domains);
    master->domains = grown;
    master->domain_buckets = buckets;
}

static void entry_free(struct tenant_entry *entry)
{
    free(entry->slug);
    free(entry->realm);
    free(entry);
}

static bool text_set(char **text, struct bf_str value)
{
    if (*text && bf_str_eq(bf_str(*text), value))
        return false;
    free(*text);
    *text = bf_xstrndup(value.at, value.len);
    return true;
}

// True: something changed.
static bool entry_set(struct tenant_master *master, struct tenant_entry *entry,
                      const struct tenant_record *record)
{
    bool changed = entry->status != record->status ||
                   memcmp(&entry->limits, &record->limits, sizeof(entry->limits)) != 0;

    changed |= text_set(&entry->slug, record->slug);
    changed |= text_set(&entry->realm, record->realm);
    entry->status = record->status;
    entry->limits = record->limits;
    if (changed && entry->first)
        tenant_journal_tenant(&master->journal, entry->id);
    return changed;
}

static struct tenant_entry *entry_put(struct tenant_master *master, const struct tenant_record *record)
{
    struct tenant_entry **at;
    struct tenant_entry *entry;

    grow_tenants(master);
    at = tenant_at(master, record->id);
    entry = *at;
    if (!entry) {
        entry = *at = bf_xcalloc(1, sizeof(*entry));
        entry->id = record->id;
        LIST_ADD(master->oldest_tenant, master->newest_tenant, entry);
        master->tenant_count++;
    }
    entry_set(master, entry, record);
    return entry;
}

static void entry_join(struct tenant_entry *entry, struct tenant_domain *domain)
{
    domain->tenant = entry;
    domain->sibling = entry->first;
    domain->sibling_at = &entry->first;
    if (domain->sibling)
        domain->sibling->sibling_at = &domain->sibling;
    entry->first = domain;
}

// Nil, or the id of the tenant that went with its last domain.
static struct bf_id entry_leave(struct tenant_master *master, struct tenant_domain *domain)
{
    struct tenant_entry *entry = domain->tenant;
    struct bf_id id = entry->id;

    *domain->sibling_at = domain->sibling;
    if (domain->sibling)
        domain->sibling->sibling_at = domain->sibling_at;
    if (entry->first)
        return (struct bf_id){{0}};
    *tenant_at(master, id) = entry->next;
    LIST_REMOVE(master->oldest_tenant, master->newest_tenant, entry);
    master->tenant_count--;
    entry_free(entry);
    return id;
}

struct tenant_master *tenant_master_new(const struct tenant_hash_key *key)
{
    struct tenant_master *master = bf_xcalloc(1, sizeof(*master));

    master->key = *key;
    tenant_journal_whole(&master->journal);
    master->tenant_buckets = master->domain_buckets = BUCKETS_MIN;
    master->tenants = bf_xcalloc(BUCKETS_MIN, sizeof(void *));
    master->domains = bf_xcalloc(BUCKETS_MIN, sizeof(void *));
    return master;
}

void tenant_master_free(struct tenant_master *master)
{
    if (!master)
        return;
    for (struct tenant_domain *domain = master->oldest_domain, *newer; domain; domain = newer) {
        newer = domain->newer;
        free(domain);
    }
    for (struct tenant_entry *entry = master->oldest_tenant, *newer; entry; entry = newer) {
        newer = entry->newer;
        entry_free(entry);
    }
    free(master->domains);
    free(master->tenants);
    free(master);
}

static struct tenant_domain *domain_new(struct tenant_master *master, struct bf_str name)
{
    struct tenant_domain *domain = bf_xcalloc(1, sizeof(*domain) + name.len + 1);
    struct tenant_domain **at;

    grow_domains(master);
    domain->hash = tenant_hash(&master->key, name.at, name.len);
    domain->len = (uint8_t)name.len;
    memcpy(domain->name, name.at, name.len);
    at = &master->domains[domain->hash & (master->domain_buckets - 1)];
    domain->next = *at;
    *at = domain;
    LIST_ADD(master->oldest_domain, master->newest_domain, domain);
    master->domain_count++;
    return domain;
}

enum bf_err tenant_master_put(struct tenant_master *master, struct bf_str name,
                              const struct tenant_record *record, struct bf_id *ret_left)
{
    struct tenant_domain *domain = *domain_at(master, name);
    struct tenant_entry *entry;

    if (!domain && master->domain_count >= TENANT_MASTER_DOMAINS_MAX)
        return BF_TOO_LARGE;
    if (!domain)
        domain = domain_new(master, name);
    tenant_journal_domain(&master->journal, name);
    entry = entry_put(master, record);
    *ret_left = (struct bf_id){{0}};
    if (domain->tenant == entry)
        return BF_OK;
    if (domain->tenant)
        *ret_left = entry_leave(master, domain);
    entry_join(entry, domain);
    return BF_OK;
}

bool tenant_master_update(struct tenant_master *master, const struct tenant_record *record)
{
    struct tenant_entry *entry = *tenant_at(master, record->id);

    return entry && entry_set(master, entry, record);
}

bool tenant_master_drop(struct tenant_master *master, struct bf_str name, struct bf_id *ret_left)
{
    struct tenant_domain **at = domain_at(master, name);
    struct tenant_domain *domain = *at;

    if (!domain)
        return false;
    tenant_journal_domain(&master->journal, name);
    *at = domain->next;
    LIST_REMOVE(master->oldest_domain, master->newest_domain, domain);
    master->domain_count--;
    *ret_left = entry_leave(master, domain);
    free(domain);
    return true;
}

bool tenant_master_drop_tenant(struct tenant_master *master, struct bf_id id)
{
    struct tenant_entry *entry;
    struct bf_id left;
    bool here = false;

    while ((entry = *tenant_at(master, id)) != NULL) // it goes with its last domain
        here = tenant_master_drop(master, (struct bf_str){entry->first->name, entry->first->len}, &left);
    return here;
}

struct tenant_entry *tenant_master_tenant(const struct tenant_master *master, struct bf_id id)
{
    return *tenant_at(master, id);
}

struct tenant_domain *tenant_master_domain(const struct tenant_master *master, struct bf_str name)
{
    return *domain_at(master, name);
}

struct tenant_journal *tenant_master_journal(struct tenant_master *master)
{
    return &master->journal;
}

bool tenant_master_has(const struct tenant_master *master, struct bf_id id)
{
    return tenant_master_tenant(master, id) != NULL;
}

uint32_t tenant_master_domains(const struct tenant_master *master)
{
    return master->domain_count;
}

uint32_t tenant_master_tenants(const struct tenant_master *master)
{
    return master->tenant_count;
}

void tenant_master_each_tenant(const struct tenant_master *master,
                               void (*visit)(struct tenant_entry *entry, void *ctx), void *ctx)
{
    for (struct tenant_entry *entry = master->oldest_tenant; entry; entry = entry->newer)
        visit(entry, ctx);
}

void tenant_master_each_domain(const struct tenant_master *master,
                               void (*visit)(const struct tenant_domain *domain, void *ctx), void *ctx)
{
    for (const struct tenant_domain *domain = master->oldest_domain; domain; domain = domain->newer)
        visit(domain, ctx);
}

const struct tenant_hash_key *tenant_master_key(const struct tenant_master *master)
{
    return &master->key;
}
