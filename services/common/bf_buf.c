// A growing byte buffer with a cap.
#include "bf_buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ROOM_MIN 128

void bf_buf_init(struct bf_buf *buf, size_t cap_bytes)
{
    size_t room = cap_bytes < ROOM_MIN ? cap_bytes : ROOM_MIN;
    *buf = (struct bf_buf){.at = bf_xcalloc(room + 1, 1), .room = room, .cap = cap_bytes};
}

void bf_buf_release(struct bf_buf *buf)
{
    free(buf->at);
    *buf = (struct bf_buf){0};
}

void bf_buf_clear(struct bf_buf *buf)
{
    buf->len = 0;
    buf->over = false;
    if (buf->at)
        buf->at[0] = '\0';
}

// Room for `more` bytes and the zero. False, and the buffer is marked, when that goes past the cap or memory
// is out.
static bool reserve(struct bf_buf *buf, size_t more)
{
    if (buf->over || more > buf->cap - buf->len) {
        buf->over = true;
        return false;
    }
    size_t need = buf->len + more;
    if (buf->at && need <= buf->room)
        return true;
    size_t room = need > buf->room * 2 ? need : buf->room * 2;
    room = room > buf->cap ? buf->cap : room;
    char *at = realloc(buf->at, room + 1);
    if (!at) {
        buf->over = true;
        return false;
    }
    buf->at = at;
    buf->room = room;
    return true;
}

void bf_buf_add(struct bf_buf *buf, const void *bytes, size_t len)
{
    if (!len || !reserve(buf, len))
        return;
    memcpy(buf->at + buf->len, bytes, len);
    buf->len += len;
    buf->at[buf->len] = '\0';
}

void bf_buf_str(struct bf_buf *buf, const char *text)
{
    bf_buf_add(buf, text, strlen(text));
}

void bf_buf_int(struct bf_buf *buf, int64_t value)
{
    uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;
    char digits[24];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left);
    if (value < 0)
        digits[--at] = '-';
    bf_buf_add(buf, digits + at, sizeof(digits) - at);
}

void bf_buf_fmt(struct bf_buf *buf, const char *fmt, ...)
{
    size_t left = buf->at && !buf->over ? buf->room - buf->len : 0;
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(left ? buf->at + buf->len : NULL, left ? left + 1 : 0, fmt, args);
    va_end(args);
    assert(len >= 0);
    if ((size_t)len > left) {
        bool fits = reserve(buf, (size_t)len);
        if (left)
            buf->at[buf->len] = '\0'; // what was begun
        if (!fits)
            return;
        va_start(args, fmt);
        vsnprintf(buf->at + buf->len, (size_t)len + 1, fmt, args);
        va_end(args);
    }
    buf->len += (size_t)len;
}

bool bf_buf_ok(const struct bf_buf *buf)
{
    return !buf->over;
}
