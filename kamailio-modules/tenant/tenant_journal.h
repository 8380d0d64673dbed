// What changed in the master since its table was published, so that the next table can be a patched copy of
// the last.
//
// Names and ids only: what they are now stands in the master. Bounded; too many changes make it `whole`: the
// table is built anew. Part of the master, whose thread it is.
#ifndef TENANT_JOURNAL_H
#define TENANT_JOURNAL_H

#include "tenant_table.h"

#define TENANT_JOURNAL_MAX 256

struct tenant_journal {
    bool whole;
    uint32_t domain_count, tenant_count;
    struct {
        uint8_t len;
        char name[TENANT_DOMAIN_MAX];
    } domains[TENANT_JOURNAL_MAX];
    struct bf_id tenants[TENANT_JOURNAL_MAX];
};

void tenant_journal_clear(struct tenant_journal *journal);
void tenant_journal_whole(struct tenant_journal *journal);
void tenant_journal_domain(struct tenant_journal *journal, struct bf_str name); // came, went, or moved
void tenant_journal_tenant(struct tenant_journal *journal,
                           struct bf_id id); // its status, limits, slug or realm

#endif
