// What all the SQL files share.
#include "store.h"

#include <string.h>

void store_text(const struct bf_rows *rows, size_t row, int col, char *text, size_t size)
{
    const char *from = bf_rows_text(rows, row, col);
    size_t len = strnlen(from, size - 1);

    memcpy(text, from, len);
    text[len] = '\0';
}

void store_tenant(const struct bf_rows *rows, size_t row, int col, struct tenant *tenant)
{
    *tenant = (struct tenant){
        .id = bf_rows_id(rows, row, col),
        .status = tenant_status_parse(bf_str(bf_rows_text(rows, row, col + 2))),
        .limits = {bf_rows_int(rows, row, col + 4), bf_rows_int(rows, row, col + 5),
                   bf_rows_int(rows, row, col + 6), bf_rows_int(rows, row, col + 7)},
    };
    store_text(rows, row, col + 1, tenant->slug, sizeof(tenant->slug));
    store_text(rows, row, col + 3, tenant->realm, sizeof(tenant->realm));
}

size_t store_page_count(const struct bf_rows *rows, const struct bf_page *page, bool *ret_more)
{
    size_t count = bf_rows_count(rows);

    *ret_more = count > (size_t)page->limit;
    return *ret_more ? (size_t)page->limit : count;
}
