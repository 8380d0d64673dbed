// What is a good event, and its envelope.
#include "event.h"

#include <jansson.h>
#include <string.h>

#include "bf_clock.h"
#include "bf_json.h"

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

static uint64_t id_ms(struct bf_id id)
{
    uint64_t ms = 0;

    for (size_t i = 0; i < 6; i++)
        ms = ms << 8 | id.bytes[i];
    return ms;
}

const char *event_check(const struct event *event, uint64_t now_ms)
{
    uint64_t made_ms = id_ms(event->id);

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

char *event_envelope(const struct event *event)
{
    char id[BF_ID_TEXT_SIZE], tenant[BF_ID_TEXT_SIZE], call[BF_ID_TEXT_SIZE], time[BF_RFC3339_SIZE];
    struct bf_json_fault fault;
    json_t *data = NULL;

    if (bf_json_parse(bf_str(event->data), &data, &fault))
        return NULL;
    json_t *envelope =
        json_pack("{s:s, s:s, s:s, s:s}", "id", bf_id_text(event->id, id), "type", event->type, "tenant",
                  bf_id_text(event->tenant, tenant), "time", bf_rfc3339(event->at_ms, time));
    if (!bf_id_is_nil(event->call))
        json_object_set_new(envelope, "call_id", json_string(bf_id_text(event->call, call)));
    if (event->seq)
        json_object_set_new(envelope, "seq", json_integer((json_int_t)event->seq));
    bool object = json_is_object(data);
    json_object_set_new(envelope, "data", data);
    char *text = object ? json_dumps(envelope, JSON_COMPACT) : NULL;
    json_decref(envelope);
    return text;
}
