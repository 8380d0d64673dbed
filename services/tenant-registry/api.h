// What every REST route of the registry has in common, done in one place.
//
// A request is one transaction: read the body by the route's table, begin in the caller's scope, find {t},
// look whether the Idempotency-Key was used, run the handler, keep the answer, commit, answer. A handler that
// returns an error leaves nothing behind.
#ifndef API_H
#define API_H

#include "audit_store.h"
#include "caller.h"
#include "page.h"
#include "tenant.h"

struct api_tenant_body {
    const char *slug, *name, *status;
    struct bf_json_texts domains;
    struct tenant_limits limits;
};
struct api_domain_body {
    const char *name;
};
struct api_extension_body {
    const char *number, *kind, *display_name, *password;
    int64_t max_contacts, do_not_disturb, ring_seconds;
    const char *forward_always, *forward_busy, *forward_no_answer; // "": none
};
struct api_group_body {
    const char *number, *strategy, *display_name;
    struct bf_json_texts members;
    int64_t ring_seconds;
};
struct api_key_body {
    const char *role, *name, *expires_at;
};

struct api_token_body {
    const char *number;
    int64_t expires_in_seconds;
};

struct api_session_body {
    int64_t expires_in_seconds;
};

union api_body {
    struct api_tenant_body tenant;
    struct api_domain_body domain;
    struct api_extension_body extension;
    struct api_group_body group;
    struct api_key_body key;
    struct api_token_body token;
    struct api_session_body session;
};

struct api_work {
    struct registry *registry;
    struct bf_http_call *call;
    const struct bf_caller *caller;
    struct bf_tx *tx;
    struct tenant tenant; // of the path's {t}
    struct bf_page page;  // of a list
    union api_body body;
    // The handler's answer.
    int status;
    json_t *answer; // NULL: none
};

// Fills status and answer, or returns an error (after bf_http_problem or without).
typedef enum bf_err api_handler(struct api_work *work);

enum api_flag {                    // besides enum bf_gate_flag
    API_NO_TENANT_LOOKUP = 1 << 8, // the handler finds {t} by itself
};

struct api_route {
    const char *method, *pattern;
    api_handler *handle;
    unsigned flags;
    const struct bf_page_kind *page; // NULL: not a list
    const char *const *queries;      // of what is no list; NULL ends them, and stands for none
    const struct bf_json_field *fields;
    size_t field_count;
};

#define API_FIELDS(table) .fields = (table), .field_count = BF_LEN(table)

// All routes of this program, for bf_http_start: ctx is the registry.
extern const struct bf_http_route *api_routes(size_t *ret_count);

// Answers a list: `items` is taken, last is the last item's sort key.
enum bf_err api_list(struct api_work *work, json_t *items, const char *last, bool more);

// Writes the audit row of this request. `before` and `after` are taken, either may be NULL.
bf_must_check enum bf_err api_audit(struct api_work *work, const char *action, const char *kind,
                                    const char *name, json_t *before, json_t *after);

// The routes' tables, one file each.
extern const struct api_route tenant_api_routes[], domain_api_routes[], extension_api_routes[],
    group_api_routes[], key_api_routes[], token_api_routes[], ice_api_routes[], audit_api_routes[],
    session_api_routes[], provision_api_routes[];
extern const size_t tenant_api_route_count, domain_api_route_count, extension_api_route_count,
    group_api_route_count, key_api_route_count, token_api_route_count, ice_api_route_count,
    audit_api_route_count, session_api_route_count, provision_api_route_count;

// For other handlers.
json_t *tenant_api_json(const struct tenant *tenant);
bf_must_check enum bf_err key_api_add(struct api_work *work, struct bf_id tenant, const struct key *key,
                                      char text[KEY_TEXT_BYTES + 1]);
bf_must_check enum bf_err domain_api_add(struct api_work *work, struct bf_id tenant, const char *field,
                                         const char *name);

#endif
