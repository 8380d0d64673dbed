// A growing byte buffer with a cap, for everything that input sizes: bodies, rendered metrics, messages.
//
// Bytes past `cap` are refused and remembered: the appends may go unchecked and bf_buf_ok() asked once at the
// end. The text is always zero-terminated behind `len`. Not thread-safe.
#ifndef BF_BUF_H
#define BF_BUF_H

#include "bf_base.h"

struct bf_buf {
    char *at;
    size_t len;
    size_t room;
    size_t cap;
    bool over;
};

void bf_buf_init(struct bf_buf *buf, size_t cap_bytes);
void bf_buf_release(struct bf_buf *buf);
void bf_buf_clear(struct bf_buf *buf); // keeps the memory
void bf_buf_add(struct bf_buf *buf, const void *bytes, size_t len);
void bf_buf_str(struct bf_buf *buf, const char *text);
void bf_buf_int(struct bf_buf *buf, int64_t value); // decimal
void bf_buf_fmt(struct bf_buf *buf, const char *fmt, ...) bf_printf(2, 3);
bool bf_buf_ok(const struct bf_buf *buf); // false once an append did not fit

#endif
