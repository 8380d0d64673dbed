// Kinds of lists: each has its letter, and a place in it looks like the key it is sorted by.
#include "page.h"

#include "bf_id.h"
#include "domain.h"
#include "extension.h"
#include "tenant.h"

static const char *id_check(struct bf_str text)
{
    struct bf_id id;

    return bf_id_parse(text, &id) ? NULL : "must be a UUID";
}

const struct bf_page_kind page_tenants = {'t', tenant_slug_check};
const struct bf_page_kind page_domains = {'d', domain_check};
const struct bf_page_kind page_extensions = {'e', extension_number_check};
const struct bf_page_kind page_groups = {'g', extension_number_check};
const struct bf_page_kind page_ids = {'i', id_check};
