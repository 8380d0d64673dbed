// Lists come in pages: ?limit=&after=, answered as {"items":[...],"next":"cursor"|null}.
//
// A cursor is the last item's sort key with a letter for the kind of list in front, in hex: a position, not a
// secret. What may be seen from it is decided by row-level security as for the first page. Rules only. Any
// thread.
#ifndef PAGE_H
#define PAGE_H

#include "bf_base.h"
#include "bf_err.h"

#define PAGE_LIMIT_MAX     200
#define PAGE_LIMIT_DEFAULT 50
#define PAGE_KEY_BYTES_MAX 253
#define PAGE_CURSOR_SIZE   (2 * (PAGE_KEY_BYTES_MAX + 1) + 1)

enum page_kind {
    PAGE_NONE, // not a list
    PAGE_TENANTS,
    PAGE_DOMAINS,
    PAGE_EXTENSIONS,
    PAGE_GROUPS,
    PAGE_IDS, // keys, audit
};

struct page {
    enum page_kind kind;
    int64_t limit;
    char after[PAGE_KEY_BYTES_MAX + 1]; // "" for the first page
};

// `limit` and `after` as they came, NULL when absent. On BF_INVALID *ret_field and *ret_wrong say which and
// why.
bf_must_check enum bf_err page_read(enum page_kind kind, const char *limit, const char *after,
                                    struct page *ret_page, const char **ret_field, const char **ret_wrong);

const char *page_cursor(enum page_kind kind, const char *key,
                        char cursor[PAGE_CURSOR_SIZE]); // returns cursor

#endif
