// REST: what every route of call-control has in common, done in one place.
//
// A request: who is calling (bf_access), the query and the body by the route's table, the handler, the
// answer. A POST with an Idempotency-Key is done once (repeat). The routes are tables, one a file.
#ifndef API_H
#define API_H

#include "bf_access.h"
#include "control.h"
#include "cursor.h"

struct api;

// Serves REST on BELFRY_HTTP_HOST and _PORT.
bf_must_check enum bf_err api_start(struct control *control, struct api **ret_api);
void api_stop(struct api *api, int64_t drain_ms); // NULL is fine

// ---- for the handlers

struct api_call_body {
    const char *from, *to, *party;
};

struct api_work {
    struct control *control;
    struct bf_http_call *call;
    const struct bf_access_caller *caller;
    const struct bf_access_tenant *tenant; // of the path's {t}
    struct bf_page page;                   // of a list
    struct api_call_body body;
    int status;     // the handler's answer; 0: none was given
    json_t *answer; // NULL: no body
};

// Fills status and answer, or returns an error (after bf_http_problem or without).
typedef enum bf_err api_handler(struct api_work *work);

#define API_QUERIES_MAX 4

struct api_route {
    const char *method, *pattern;
    api_handler *handle;
    unsigned flags;                       // enum bf_gate_flag
    const struct bf_page_kind *list;      // NULL: not a list
    const char *queries[API_QUERIES_MAX]; // further ones than a list's
    const struct bf_json_field *fields;
    size_t field_count;
};

#define API_FIELDS(table) .fields = (table), .field_count = BF_LEN(table)

extern const struct api_route registration_api_routes[], call_api_routes[], cdr_api_routes[],
    edge_api_routes[], process_api_routes[];
extern const size_t registration_api_route_count, call_api_route_count, cdr_api_route_count,
    edge_api_route_count, process_api_route_count;

// Answers a list: `items` is taken, `last` is the last item's place.
enum bf_err api_list(struct api_work *work, json_t *items, const char *last, bool more);
// The call of the path's {id}; an id that is none is a call that does not exist.
bf_must_check enum bf_err api_call_id(struct api_work *work, struct bf_id *ret_call);
enum bf_err api_no_such_call(struct api_work *work);
// A transaction that sees the tenant's rows only.
bf_must_check enum bf_err api_begin(struct api_work *work, struct bf_tx **ret_tx);
// Numbers in queries and bodies: NULL when good, else what would be.
const char *api_number_check(struct bf_str text);

#endif
