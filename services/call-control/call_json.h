// Calls as JSON: what is kept in PostgreSQL beside the columns, and what REST shows. No I/O. Any thread.
#ifndef CALL_JSON_H
#define CALL_JSON_H

#include <jansson.h>

#include "bf_json.h"
#include "call.h"

// The part of an event that only some kinds have, as text; NULL when there is nothing. The caller frees it.
char *call_json_details(const struct call_event *event);

struct call_details { // what the event read back borrows from
    json_t *json;
    struct bf_leg legs[BF_LEGS_MAX];
};
// Fills the event's members that are kept there; "" and what is no such JSON leave them empty.
void call_json_details_read(const char *text, struct call_details *details, struct call_event *event);
void call_json_details_release(struct call_details *details);

// A leg as people read it: durations in ms, MOS as a number, null for what is not known. `party` "" is null.
json_t *call_json_leg(const struct bf_leg *leg, const char *party);
json_t *call_json_legs(const struct call *call); // an array

json_t *call_json_live(const struct call *call, uint64_t now_ms); // without media figures
json_t *call_json_event(const struct call_event *event);          // a line of the timeline

#endif
