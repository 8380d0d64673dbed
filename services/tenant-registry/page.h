// The kinds of lists there are.
#ifndef PAGE_H
#define PAGE_H

#include "bf_page.h"

extern const struct bf_page_kind page_tenants, page_domains, page_extensions, page_groups,
    page_ids; // keys, audit

#endif
