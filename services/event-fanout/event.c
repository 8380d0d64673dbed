// What is a good event, and its envelope.
#include "event.h"

#include <assert.h>
#include <jansson.h>
#include <string.h>

#include "bf_buf.h"
#include "bf_clock.h"
#include "bf_json.h"

#define ENVELOPE_ROOM 320 // all of it but the type and the data

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool event_type_ok(struct bf_str type)
{
    bool word = true; // one begins here
    size_t words = 1;

    if (type.len == 0 || type.len > EVENT_TYPE_BYTES_MAX)
        return false;
    for (size_t i = 0; i < type.len; i++) {
        char c = type.at[i];
        if (word ? !is_lower(c) : !is_lower(c) && !is_digit(c) && c != '-' && c != '.')
            return false;
        word = c == '.';
        words += c == '.';
    }
    return !word && words >= 2;
}

static bool number_ok(const char *number)
{
    size_t len = strlen(number);

    if (len == 0 || len > EVENT_NUMBER_BYTES_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!is_lower(number[i]) && !is_digit(number[i]) && !(number[i] >= 'A' && number[i] <= 'Z') &&
            !memchr("._+-", number[i], 4))
            return false;
    return true;
}

const char *event_check(const struct event *event, uint64_t now_ms)
{
    uint64_t made_ms = bf_id_ms(event->id);

    if (bf_id_is_nil(event->id) || bf_id_is_nil(event->tenant))
        return "has no id or no tenant";
    if (made_ms + EVENT_AGE_MS_MAX < now_ms || made_ms > now_ms + EVENT_AHEAD_MS_MAX)
        return "the time in its id is too far from now";
    if (!event_type_ok(bf_str(event->type)))
        return "its type is none";
    if (event->at_ms == 0 || event->at_ms > INT64_C(253402300799999))
        return "its time is none";
    if (event->seq > INT64_MAX)
        return "its seq is too large";
    if (event->number_count > EVENT_NUMBERS_MAX)
        return "has too many numbers";
    for (size_t i = 0; i < event->number_count; i++)
        if (!number_ok(event->numbers[i]))
            return "one of its numbers is none";
    return strlen(event->data) > EVENT_DATA_BYTES_MAX ? "its data is too large" : NULL;
}

static void field_add(struct bf_buf *text, const char *name, const char *value, const char *end)
{
    bf_buf_str(text, name);
    bf_buf_str(text, value);
    bf_buf_str(text, end);
}

// The data goes in as it came: to write it anew cost more than all else of publishing an event here.
char *event_envelope(const struct event *event)
{
    char id[BF_ID_TEXT_SIZE], tenant[BF_ID_TEXT_SIZE], call[BF_ID_TEXT_SIZE], time[BF_RFC3339_SIZE];
    struct bf_json_fault fault;
    struct bf_buf text;
    json_t *data = NULL;

    if (bf_json_parse(bf_str(event->data), &data, &fault))
        return NULL;
    json_decref(data); // it is one: that is all that is asked here
    bf_buf_init(&text, ENVELOPE_ROOM + strlen(event->type) + strlen(event->data));
    field_add(&text, "{\"id\":\"", bf_id_text(event->id, id), "\"");
    field_add(&text, ",\"type\":\"", event->type, "\"");
    field_add(&text, ",\"tenant\":\"", bf_id_text(event->tenant, tenant), "\"");
    field_add(&text, ",\"time\":\"", bf_rfc3339(event->at_ms, time), "\"");
    if (!bf_id_is_nil(event->call))
        field_add(&text, ",\"call_id\":\"", bf_id_text(event->call, call), "\"");
    if (event->seq) {
        bf_buf_str(&text, ",\"seq\":");
        bf_buf_int(&text, (int64_t)event->seq);
    }
    field_add(&text, ",\"data\":", event->data, "}");
    assert(bf_buf_ok(&text));
    return text.at;
}
