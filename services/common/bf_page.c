// Pages and cursors.
#include "bf_page.h"

#include <string.h>

#include "bf_crypto.h"

static bool cursor_read(const struct bf_page_kind *kind, struct bf_str cursor, char place[BF_PLACE_SIZE])
{
    char bytes[BF_PLACE_SIZE + 1] = {0};
    size_t len = cursor.len / 2;

    if (len < 2 || len > BF_PLACE_SIZE || cursor.len % 2 || !bf_unhex(cursor, bytes, len))
        return false;
    if (bytes[0] != kind->letter || strlen(bytes) != len || kind->check((struct bf_str){bytes + 1, len - 1}))
        return false;
    memcpy(place, bytes + 1, len);
    return true;
}

enum bf_err bf_page_read(const struct bf_page_kind *kind, const char *limit, const char *after,
                         struct bf_page *ret_page, const char **ret_field, const char **ret_wrong)
{
    struct bf_page page = {.kind = kind, .limit = BF_PAGE_LIMIT_DEFAULT};

    if (limit && !bf_parse_int(bf_str(limit), 1, BF_PAGE_LIMIT_MAX, &page.limit)) {
        *ret_field = "limit";
        *ret_wrong = "must be a number from 1 to 200";
        return BF_INVALID;
    }
    if (after && !cursor_read(kind, bf_str(after), page.after)) {
        *ret_field = "after";
        *ret_wrong = "must be the \"next\" of this list's previous page";
        return BF_INVALID;
    }
    *ret_page = page;
    return BF_OK;
}

enum bf_err bf_page_of(struct bf_http_call *call, const struct bf_page_kind *kind, struct bf_page *ret_page)
{
    const char *field, *wrong;
    enum bf_err err = bf_page_read(kind, bf_http_query(call, "limit"), bf_http_query(call, "after"), ret_page,
                                   &field, &wrong);

    return err ? bf_http_problem(call, err, field, "%s", wrong) : BF_OK;
}

const char *bf_page_cursor(const struct bf_page_kind *kind, const char *place, char cursor[BF_CURSOR_SIZE])
{
    char bytes[BF_PLACE_SIZE];
    size_t len = strnlen(place, sizeof(bytes) - 1);

    bytes[0] = kind->letter;
    memcpy(bytes + 1, place, len);
    return bf_hex(bytes, len + 1, cursor);
}

json_t *bf_page_json(const struct bf_page *page, json_t *items, const char *last, bool more)
{
    char cursor[BF_CURSOR_SIZE];

    return json_pack("{s:o, s:o}", "items", items, "next",
                     more ? json_string(bf_page_cursor(page->kind, last, cursor)) : json_null());
}
