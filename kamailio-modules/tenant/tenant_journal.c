// What changed since the table was published.
#include "tenant_journal.h"

#include <string.h>

void tenant_journal_clear(struct tenant_journal *journal)
{
    journal->whole = false;
    journal->domain_count = journal->tenant_count = 0;
}

void tenant_journal_whole(struct tenant_journal *journal)
{
    journal->whole = true;
}

void tenant_journal_domain(struct tenant_journal *journal, struct bf_str name)
{
    uint32_t at = journal->domain_count;

    if (at == TENANT_JOURNAL_MAX) {
        tenant_journal_whole(journal);
        return;
    }
    journal->domains[at].len = (uint8_t)name.len;
    memcpy(journal->domains[at].name, name.at, name.len);
    journal->domain_count++;
}

void tenant_journal_tenant(struct tenant_journal *journal, struct bf_id id)
{
    if (journal->tenant_count == TENANT_JOURNAL_MAX)
        tenant_journal_whole(journal);
    else
        journal->tenants[journal->tenant_count++] = id;
}
