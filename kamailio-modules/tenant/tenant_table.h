// The domain table: one immutable block, position-independent, that any process may read without a lock.
//
// Built from the master (tenant_master.h) by the tenant process, published by tenant_share below: a pointer
// swap, and readers announce the block they read in a slot of their own, so that the old one is freed when
// nobody reads it.
#ifndef TENANT_TABLE_H
#define TENANT_TABLE_H

#include <stdatomic.h>
#include "bf_base.h"
#include "bf_id.h"
#include "tenant_hash.h"

#define TENANT_SLUG_MAX   63
#define TENANT_DOMAIN_MAX 253

enum tenant_status {
    TENANT_ACTIVE = 1,
    TENANT_SUSPENDED = 2,
};

struct tenant_limits { // 0: no limit
    uint32_t max_calls;
    uint32_t max_registrations;
    uint32_t calls_per_second;
};

struct tenant_record { // texts are borrowed
    struct bf_id id;
    enum tenant_status status;
    struct bf_str slug;
    struct bf_str realm;
    struct tenant_limits limits;
};

// What a look-up gives: copies, so that nothing of the block is held afterwards.
struct tenant_match {
    struct bf_id id;
    enum tenant_status status;
    struct tenant_limits limits;
    uint8_t slug_len, realm_len, domain_len;
    char slug[TENANT_SLUG_MAX + 1];
    char realm[TENANT_DOMAIN_MAX + 1];
    char domain[TENANT_DOMAIN_MAX + 1]; // as it stands in the table: lower case, no trailing dot
};

char tenant_lower(char c); // ASCII
// Lower case without one trailing dot. False: empty, or longer than a domain may be.
bf_must_check bool tenant_domain_normal(struct bf_str text, char ret_name[TENANT_DOMAIN_MAX + 1],
                                        size_t *ret_len);

// ---- the block
struct tenant_table;
struct tenant_master;

struct tenant_table_need {
    size_t bytes;
    uint32_t slots;
};

struct tenant_table_need tenant_table_plan(const struct tenant_master *master);
// Fills `memory` (plan.bytes of it, aligned to 8). The master must not have changed since the plan was made.
struct tenant_table *tenant_table_build(const struct tenant_master *master, struct tenant_table_need plan,
                                        void *memory);
// A copy of `old` with what the master's journal names brought up to date: for a few changes of a large
// table. `memory` is tenant_table_size(old) bytes. NULL, and from then on the journal says `whole`: it takes
// a build.
struct tenant_table *tenant_table_patch(const struct tenant_table *old, struct tenant_master *master,
                                        void *memory);
bf_must_check bool tenant_table_find(const struct tenant_table *table, struct bf_str domain,
                                     struct tenant_match *ret_match);
uint32_t tenant_table_domains(const struct tenant_table *table);
uint32_t tenant_table_tenants(const struct tenant_table *table);
size_t tenant_table_size(const struct tenant_table *table);

// ---- its place in shared memory
struct tenant_share {
    _Atomic(struct tenant_table *) current;
    uint32_t readers;
    struct {
        _Alignas(64) _Atomic(struct tenant_table *) reading;
    } slots[]; // one a process
};

size_t tenant_share_bytes(uint32_t readers);
void tenant_share_init(struct tenant_share *share, uint32_t readers);

enum tenant_found {
    TENANT_FOUND,
    TENANT_NOT_FOUND,
    TENANT_NO_TABLE,
};
// `reader` is the caller's own slot: a process (or thread) uses one, and only for one look-up at a time.
enum tenant_found tenant_share_find(struct tenant_share *share, uint32_t reader, struct bf_str domain,
                                    struct tenant_match *ret_match);
// The one writer. Returns the block that is now old: to be freed once tenant_share_read() is false for it.
struct tenant_table *tenant_share_swap(struct tenant_share *share, struct tenant_table *next);
bool tenant_share_read(struct tenant_share *share, const struct tenant_table *table);

#endif
