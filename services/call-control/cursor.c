// Kinds of lists, and what a place in each looks like.
#include "cursor.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool cursor_id(const char *place, struct bf_id *ret_id)
{
    *ret_id = (struct bf_id){{0}};
    return !*place || bf_id_parse(bf_str(place), ret_id);
}

void cursor_line_place(uint64_t at_ms, int64_t seq, char place[BF_PLACE_SIZE])
{
    snprintf(place, BF_PLACE_SIZE, "%" PRIu64 "/%" PRId64, at_ms, seq);
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

// ---- checks: a place has a zero behind it

static const char *never_given(bool good)
{
    return good ? NULL : "is no place of this list";
}

static const char *id_check(struct bf_str place)
{
    struct bf_id id;

    return never_given(cursor_id(place.at, &id));
}

static const char *line_check(struct bf_str place)
{
    uint64_t at_ms;
    int64_t seq;

    return never_given(cursor_line(place.at, &at_ms, &seq));
}

static const char *device_check(struct bf_str place)
{
    struct cursor_device device;

    return never_given(cursor_device(place.at, &device));
}

const struct bf_page_kind cursor_calls = {'c', id_check};
const struct bf_page_kind cursor_cdrs = {'d', id_check};
const struct bf_page_kind cursor_registrations = {'r', device_check};
const struct bf_page_kind cursor_timeline = {'t', line_check};
