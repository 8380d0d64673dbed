// REST: what every route of event-fanout has in common, done in one place.
//
// A request: who is calling (bf_access), the query and the body by the route's table, the handler in a
// transaction that sees the tenant's rows only, commit, the answer. A POST with an Idempotency-Key is done
// once (bf_idempotency). The routes are tables, one a file.
#ifndef API_H
#define API_H

#include "bf_access.h"
#include "bf_app_token.h"
#include "bf_page.h"
#include "fanout.h"
#include "push_credential.h"

struct api;

// Who is calling, for REST and WebSockets. After the registry's client.
struct bf_access *api_access_new(struct fanout *fanout);

// Serves REST on BELFRY_HTTP_HOST and _PORT.
bf_must_check enum bf_err api_start(struct fanout *fanout, struct api **ret_api);
void api_stop(struct api *api, int64_t drain_ms); // NULL is fine

// ---- for the handlers

struct api_body {
    const char *url, *status;
    struct bf_json_texts events;
    // Push devices and credentials.
    const char *number, *provider, *token, *device_id, *platform, *topic, *name;
    const char *ignored; // what Google's file has besides
    struct push_credential_texts credential;
    const char *from, *to, *state;
    int64_t overlap_seconds;
};

struct api_work {
    struct fanout *fanout;
    struct bf_http_call *call;
    const struct bf_access_tenant *tenant; // of the path's {t}, else of the key; nil: an operator, or nobody
    const struct bf_app_token *app;        // an app's request: its token, good; NULL: it is none
    struct bf_tx *tx;                      // committed when the handler returned BF_OK, before the answer
    struct bf_page page;                   // of a list
    struct api_body body;
    int status;     // the handler's answer; 0: none was given
    json_t *answer; // NULL: no body
};

// Flags of a route beside enum bf_gate_flag's. Who calls without an API key may do so as often from one
// source as authentications may fail.
enum api_flag {
    API_KEYLESS = 1 << 8, // for anybody without an Authorization header, if BELFRY_PUSH_REGISTER_OPEN
    API_APPS = 1 << 9,    // also with an app token: api_work.app; of its tenant the id alone is known
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

extern const struct api_route webhook_api_routes[];
extern const size_t webhook_api_route_count;
extern const struct api_route push_api_routes[];
extern const size_t push_api_route_count;
extern const struct api_route push_credential_api_routes[];
extern const size_t push_credential_api_route_count;
extern const struct api_route delivery_api_routes[];
extern const size_t delivery_api_route_count;

// Lists whose items have ids.
extern const struct bf_page_kind api_page_webhooks, api_page_deliveries;
// Answers a list whose items are objects with an "id"; `items` is taken, one more than the page's limit says
// that there are more.
enum bf_err api_list(struct api_work *work, json_t *items);
// The id behind which a page begins; nil: the first page.
struct bf_id api_after(const struct api_work *work);
// The webhook of the path's {id}; an id that is none is one that does not exist.
bf_must_check enum bf_err api_webhook_id(struct api_work *work, struct bf_id *ret_id);
enum bf_err api_no_such_webhook(struct api_work *work);

#endif
