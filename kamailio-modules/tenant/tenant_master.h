// What the tenant process knows of all tenants and domains: its private, changeable original of the published
// table.
//
// A tenant lives here as long as it has a domain. Memory is the process's heap. One thread.
#ifndef TENANT_MASTER_H
#define TENANT_MASTER_H

#include "bf_err.h"
#include "tenant_journal.h"
#include "tenant_table.h"

#define TENANT_MASTER_DOMAINS_MAX 2000000 // more is refused: a table of that size is a mistake

struct tenant_entry {
    struct bf_id id;
    enum tenant_status status;
    struct tenant_limits limits;
    char *slug;
    char *realm;
    struct tenant_domain *first; // of its domains, the newest; NULL: freed
    struct tenant_entry *next;   // in its bucket
    struct tenant_entry *older, *newer;
};

struct tenant_domain {
    struct tenant_entry *tenant;
    struct tenant_domain *next; // in its bucket
    struct tenant_domain *older, *newer;
    struct tenant_domain *sibling, **sibling_at; // the tenant's next, and what points here
    uint64_t hash;
    uint8_t len;
    char name[];
};

struct tenant_master;

struct tenant_master *tenant_master_new(const struct tenant_hash_key *key);
void tenant_master_free(struct tenant_master *master);

// `name` is normal (tenant_domain_normal). Moves the domain when it was another tenant's. *ret_left is the
// tenant that has no domain any more because of that, or nil. BF_TOO_LARGE above the limit.
bf_must_check enum bf_err tenant_master_put(struct tenant_master *master, struct bf_str name,
                                            const struct tenant_record *record, struct bf_id *ret_left);
// Status, limits, slug of a tenant that is here; others are not kept (their first domain brings them). True:
// changed.
bool tenant_master_update(struct tenant_master *master, const struct tenant_record *record);
// True: it was here. *ret_left as above.
bool tenant_master_drop(struct tenant_master *master, struct bf_str name, struct bf_id *ret_left);
bool tenant_master_drop_tenant(struct tenant_master *master, struct bf_id id);

// NULL when it is not here.
struct tenant_entry *tenant_master_tenant(const struct tenant_master *master, struct bf_id id);
struct tenant_domain *tenant_master_domain(const struct tenant_master *master, struct bf_str name);
bool tenant_master_has(const struct tenant_master *master, struct bf_id id);
uint32_t tenant_master_domains(const struct tenant_master *master);
uint32_t tenant_master_tenants(const struct tenant_master *master);

// Each once, oldest first: the order of memory, mostly, which is what makes a walk over all of them quick.
// Not to be changed meanwhile.
void tenant_master_each_tenant(const struct tenant_master *master,
                               void (*visit)(struct tenant_entry *entry, void *ctx), void *ctx);
void tenant_master_each_domain(const struct tenant_master *master,
                               void (*visit)(const struct tenant_domain *domain, void *ctx), void *ctx);
// What changed since it was last cleared: by whoever published a table.
struct tenant_journal *tenant_master_journal(struct tenant_master *master);
const struct tenant_hash_key *tenant_master_key(const struct tenant_master *master);

#endif
