// What all the SQL files share.
#ifndef STORE_H
#define STORE_H

#include "bf_db.h"
#include "page.h"
#include "tenant.h"

// A timestamptz as Unix milliseconds.
#define STORE_MS(column) "(extract(epoch FROM " column ") * 1000)::bigint"

// A column's text, cut at size - 1 bytes: the schema's checks are what keeps it from being longer.
void store_text(const struct bf_rows *rows, size_t row, int col, char *text, size_t size);

// A tenant's columns without its name, times and domains, and what they fill.
#define STORE_TENANT(t)                                                                          \
    t ".id, " t ".slug, " t ".status, " t ".realm, " t ".max_calls, " t ".max_registrations, " t \
      ".calls_per_second, " t ".requests_per_minute"
void store_tenant(const struct bf_rows *rows, size_t row, int col, struct tenant *tenant);

// A group's members as struct group has them.
#define STORE_MEMBERS(g)                                                                  \
    "(SELECT string_agg(m.member, ' ' ORDER BY m.position) FROM registry.group_member m " \
    "WHERE m.tenant_id = " g ".tenant_id AND m.group_number = " g ".number)"

// Lists ask for one row more than the page has, to know whether there are further ones.
size_t store_page_count(const struct bf_rows *rows, const struct bf_page *page, bool *ret_more);

#endif
