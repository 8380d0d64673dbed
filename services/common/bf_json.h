// JSON in: a strict reader into plain structs, driven by a table. JSON itself is jansson's.
//
// Strict means: an object; well-formed UTF-8; no duplicate keys; unknown fields, wrong types, values out of
// range or failing their check are refused, and the fault names the field ("limits.max_calls") and the cure.
// Any thread.
#ifndef BF_JSON_H
#define BF_JSON_H

#include <jansson.h>
#include "bf_base.h"
#include "bf_err.h"
#include "bf_id.h"

#define BF_JSON_ABSENT     INT64_MIN // an integer or boolean field that was not there
#define BF_JSON_DEPTH_MAX  8
#define BF_JSON_FIELD_MAX  64
#define BF_JSON_DETAIL_MAX 256

enum bf_json_kind {
    BF_JSON_TEXT,         // const char *, borrowed from the json_t; NULL when absent; min..max bytes
    BF_JSON_TEXT_OR_NULL, // the same; null counts as ""
    BF_JSON_INT,          // int64_t, min..max
    BF_JSON_BOOL,         // int64_t 0 or 1
    BF_JSON_TEXTS,        // struct bf_json_texts; min..max items, each item by `check`
    BF_JSON_OBJECT,       // `fields` into the same struct
};

struct bf_json_texts {
    const char **items; // freed by bf_json_release
    size_t count;
};

struct bf_json_field {
    const char *name;
    enum bf_json_kind kind;
    bool required;
    size_t offset;
    int64_t min, max;
    // NULL: good; else what is wrong and what would be right ("must be ..."), a static text.
    const char *(*check)(struct bf_str value);
    const struct bf_json_field *fields;
    size_t field_count;
};

struct bf_json_fault {
    char field[BF_JSON_FIELD_MAX];
    char detail[BF_JSON_DETAIL_MAX];
};

// Text to a json_t (json_decref it). BF_INVALID with the fault filled (field empty: the body as a whole).
bf_must_check enum bf_err bf_json_parse(struct bf_str text, json_t **ret_json, struct bf_json_fault *fault);

// Fills *into by the table; what is absent is NULL, BF_JSON_ABSENT or an empty list. The texts borrow from
// `json`.
bf_must_check enum bf_err bf_json_read(json_t *json, const struct bf_json_field *fields, size_t count,
                                       void *into, struct bf_json_fault *fault);
// What bf_json_read begins with: everything absent.
void bf_json_clear(const struct bf_json_field *fields, size_t count, void *into);
void bf_json_release(const struct bf_json_field *fields, size_t count, void *into);

// JSON out: what many answers hold.
json_t *bf_json_text(const char *text); // null for NULL and ""
json_t *bf_json_time(uint64_t unix_ms); // RFC 3339; null for 0
json_t *bf_json_id(struct bf_id id);

#endif
