// The kinds of lists there are, and the places in them. Rules only. Any thread.
#ifndef CURSOR_H
#define CURSOR_H

#include "bf_id.h"
#include "bf_page.h"

extern const struct bf_page_kind cursor_calls, cursor_cdrs, cursor_registrations, cursor_timeline;

// Places. False: this cursor was never given out.
bool cursor_id(const char *place, struct bf_id *ret_id);                    // "" is nil
bool cursor_line(const char *place, uint64_t *ret_at_ms, int64_t *ret_seq); // "" is the beginning
void cursor_line_place(uint64_t at_ms, int64_t seq, char place[BF_PLACE_SIZE]);
// "number", and of a page that ends within a number "number edge/ruid".
struct cursor_device {
    char number[BF_PLACE_SIZE], device[BF_PLACE_SIZE]; // device "": behind the whole number
};
bool cursor_device(const char *place, struct cursor_device *ret_device);

#endif
