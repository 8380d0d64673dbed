// Lists come in pages: ?limit=&after=, answered as {"items":[...],"next":"cursor"|null}.
//
// A cursor is the last item's place (its sort key) with a letter for the kind of list in front, in hex: a
// position, not a secret. What may be seen from it is decided as for the first page. Any thread.
#ifndef BF_PAGE_H
#define BF_PAGE_H

#include "bf_http.h"

#define BF_PAGE_LIMIT_MAX     200
#define BF_PAGE_LIMIT_DEFAULT 50
#define BF_PLACE_SIZE         256
#define BF_CURSOR_SIZE        (2 * BF_PLACE_SIZE + 1)

// A kind of list. The check gets a place as it was in a cursor, never empty, with a zero behind it: NULL when
// good.
struct bf_page_kind {
    char letter;
    const char *(*check)(struct bf_str place);
};

struct bf_page {
    const struct bf_page_kind *kind;
    int64_t limit;
    char after[BF_PLACE_SIZE]; // "" for the first page
};

// `limit` and `after` as they came, NULL when absent. On BF_INVALID *ret_field and *ret_wrong say which and
// why.
bf_must_check enum bf_err bf_page_read(const struct bf_page_kind *kind, const char *limit, const char *after,
                                       struct bf_page *ret_page, const char **ret_field,
                                       const char **ret_wrong);
// The same from a request's query; on a fault the problem is set.
bf_must_check enum bf_err bf_page_of(struct bf_http_call *call, const struct bf_page_kind *kind,
                                     struct bf_page *ret_page);

// Returns cursor. A place that does not fit is cut, so that it is not accepted again.
const char *bf_page_cursor(const struct bf_page_kind *kind, const char *place, char cursor[BF_CURSOR_SIZE]);
// The answer: `items` is taken, `last` is the last item's place.
json_t *bf_page_json(const struct bf_page *page, json_t *items, const char *last, bool more);

#endif
