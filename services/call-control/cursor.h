// Lists come in pages: ?limit=&after=, answered as {"items":[...],"next":"cursor"|null}.
//
// A cursor is the last item's place with a letter for the kind of list in front, in hex: a position, not a
// secret. What may be seen from it is decided as for the first page. Rules only. Any thread.
#ifndef CURSOR_H
#define CURSOR_H

#include "bf_base.h"
#include "bf_id.h"

#define CURSOR_LIMIT_MAX     200
#define CURSOR_LIMIT_DEFAULT 50
#define CURSOR_PLACE_SIZE    256
#define CURSOR_SIZE          (2 * CURSOR_PLACE_SIZE + 1)

enum cursor_kind {
    CURSOR_NONE, // not a list
    CURSOR_CALLS = 'c',
    CURSOR_CDRS = 'd',
    CURSOR_REGISTRATIONS = 'r',
    CURSOR_TIMELINE = 't',
};

struct page {
    enum cursor_kind kind;
    int64_t limit;
    char after[CURSOR_PLACE_SIZE]; // "" for the first page
};

// `limit` and `after` as they came, NULL when absent. NULL: good; else what would be, of *ret_field.
const char *cursor_page(enum cursor_kind kind, const char *limit, const char *after, struct page *ret_page,
                        const char **ret_field);
const char *cursor_write(enum cursor_kind kind, const char *place, char text[CURSOR_SIZE]); // returns text

// Places. False: this cursor was never given out.
bool cursor_id(const char *place, struct bf_id *ret_id);                    // "" is nil
bool cursor_line(const char *place, uint64_t *ret_at_ms, int64_t *ret_seq); // "" is the beginning
void cursor_line_place(uint64_t at_ms, int64_t seq, char place[CURSOR_PLACE_SIZE]);
// "number", and of a page that ends within a number "number edge/ruid".
struct cursor_device {
    char number[CURSOR_PLACE_SIZE], device[CURSOR_PLACE_SIZE]; // device "": behind the whole number
};
bool cursor_device(const char *place, struct cursor_device *ret_device);

#endif
