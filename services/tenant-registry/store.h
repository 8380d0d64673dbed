// What all the SQL files share.
#ifndef STORE_H
#define STORE_H

#include "bf_db.h"
#include "page.h"

// A timestamptz as Unix milliseconds.
#define STORE_MS(column) "(extract(epoch FROM " column ") * 1000)::bigint"

// A column's text, cut at size - 1 bytes: the schema's checks are what keeps it from being longer.
void store_text(const struct bf_rows *rows, size_t row, int col, char *text, size_t size);

// Lists ask for one row more than the page has, to know whether there are further ones.
size_t store_page_count(const struct bf_rows *rows, const struct page *page, bool *ret_more);

#endif
