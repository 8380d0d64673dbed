// Pages and cursors.
#include "cursor.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bf_crypto.h"

static bool place_ok(enum cursor_kind kind, const char *place)
{
    struct cursor_device device;
    struct bf_id id;
    uint64_t at_ms;
    int64_t seq;

    switch (kind) {
    case CURSOR_CALLS:
    case CURSOR_CDRS:
        return *place && cursor_id(place, &id);
    case CURSOR_TIMELINE:
        return *place && cursor_line(place, &at_ms, &seq);
    case CURSOR_REGISTRATIONS:
        return *place && cursor_device(place, &device);
    default:
        return false;
    }
}

static bool cursor_read(enum cursor_kind kind, struct bf_str text, char place[CURSOR_PLACE_SIZE])
{
    char bytes[CURSOR_PLACE_SIZE + 1] = {0};
    size_t len = text.len / 2;

    if (len < 2 || len > CURSOR_PLACE_SIZE || text.len % 2 || !bf_unhex(text, bytes, len))
        return false;
    if (bytes[0] != (char)kind || strlen(bytes) != len || !place_ok(kind, bytes + 1))
        return false;
    memcpy(place, bytes + 1, len);
    return true;
}

const char *cursor_page(enum cursor_kind kind, const char *limit, const char *after, struct page *ret_page,
                        const char **ret_field)
{
    struct page page = {.kind = kind, .limit = CURSOR_LIMIT_DEFAULT};

    if (limit && !bf_parse_int(bf_str(limit), 1, CURSOR_LIMIT_MAX, &page.limit)) {
        *ret_field = "limit";
        return "must be a number from 1 to 200";
    }
    if (after && !cursor_read(kind, bf_str(after), page.after)) {
        *ret_field = "after";
        return "must be the \"next\" of this list's previous page";
    }
    *ret_page = page;
    return NULL;
}

const char *cursor_write(enum cursor_kind kind, const char *place, char text[CURSOR_SIZE])
{
    char bytes[CURSOR_PLACE_SIZE];
    size_t len = strnlen(place, sizeof(bytes) - 1);

    bytes[0] = (char)kind;
    memcpy(bytes + 1, place, len);
    return bf_hex(bytes, len + 1, text);
}

bool cursor_id(const char *place, struct bf_id *ret_id)
{
    *ret_id = (struct bf_id){{0}};
    return !*place || bf_id_parse(bf_str(place), ret_id);
}

void cursor_line_place(uint64_t at_ms, int64_t seq, char place[CURSOR_PLACE_SIZE])
{
    snprintf(place, CURSOR_PLACE_SIZE, "%" PRIu64 "/%" PRId64, at_ms, seq);
}

bool cursor_line(const char *place, uint64_t *ret_at_ms, int64_t *ret_seq)
{
    const char *slash = strchr(place, '/');
    int64_t at_ms = 0, seq = INT64_MIN;

    if (*place && (!slash ||
                   !bf_parse_int((struct bf_str){place, (size_t)(slash - place)}, 0, INT64_C(253402300799999),
                                 &at_ms) ||
                   !bf_parse_int(bf_str(slash + 1), INT64_MIN + 1, INT64_MAX, &seq)))
        return false;
    *ret_at_ms = (uint64_t)at_ms;
    *ret_seq = seq;
    return true;
}

bool cursor_device(const char *place, struct cursor_device *ret_device)
{
    const char *space = strchr(place, ' ');
    size_t len = space ? (size_t)(space - place) : strlen(place);
    struct cursor_device device = {.number = ""};

    if (strlen(place) >= sizeof(device.device))
        return false;
    memcpy(device.number, place, len);
    if (space)
        snprintf(device.device, sizeof(device.device), "%s", space + 1);
    *ret_device = device;
    return true;
}
