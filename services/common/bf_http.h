// A small REST server on libmicrohttpd: a route table, bearer keys, capped bodies, problem+json, drain.
//
// A pool of threads; each request runs top to bottom in one of them, after its whole body has come. Every
// answer carries X-Request-Id (the caller's own when it is 1..64 of [A-Za-z0-9._-], else a new UUID). Errors
// are RFC 9457 `application/problem+json`:
// {"type":"urn:belfry:problem:<type>","title","status","detail","field"?,"request_id"}. Limits: body 64 KiB
// (413), header 16 KiB, path and query 2 KiB, `connections_max` (further ones wait in the backlog), idle
// connections closed after 30 s. HEAD is GET without a body; OPTIONS and other methods answer 405 with Allow.
// 401 carries WWW-Authenticate, 429 and 503 carry Retry-After (1 s unless the handler set another).
#ifndef BF_HTTP_H
#define BF_HTTP_H

#include <jansson.h>
#include "bf_base.h"
#include "bf_err.h"
#include "bf_json.h"

#define BF_HTTP_BODY_BYTES_MAX 65536
#define BF_HTTP_PARAMS_MAX     4
#define BF_HTTP_HEADERS_MAX    8

struct bf_http_server;
struct bf_http_call; // one request and its answer; lives until the handler returned and the answer went out

// Fills the answer by bf_http_json / bf_http_text / bf_http_empty and returns BF_OK, or returns an error
// after (or without) bf_http_problem(). Whatever a handler returns, exactly one answer goes out.
typedef enum bf_err bf_http_handler(struct bf_http_call *call, void *ctx);

struct bf_http_route {
    const char *method; // "GET"
    const char
        *pattern; // "/v1/tenants/{t}/extensions/{number}"; a parameter is one path segment, percent-decoded
    bf_http_handler *handle;
    unsigned flags; // the program's own (who may call it); see before
};

struct bf_http_options {
    const char *host; // numeric address
    int64_t port;     // 0: any free one, see bf_http_port
    int64_t threads;
    int64_t connections_max;
    const struct bf_http_route *routes;
    size_t route_count;
    // Runs before each handler: authentication, rate limit. An error ends the request. May be NULL.
    bf_http_handler *before;
    void *ctx;
    bool quiet; // an admin port: requests are not counted, and logged at debug only
};

bf_must_check enum bf_err bf_http_start(const struct bf_http_options *options,
                                        struct bf_http_server **ret_server);
// No new connections; requests under way finish, at most deadline_ms; then everything is closed. NULL is
// fine.
void bf_http_stop(struct bf_http_server *server, int64_t deadline_ms);
int64_t bf_http_port(const struct bf_http_server *server);

// The request. Texts live as long as the call.
const struct bf_http_route *bf_http_route(const struct bf_http_call *call);
const char *bf_http_param(const struct bf_http_call *call,
                          const char *name); // never NULL for a name in the pattern
const char *bf_http_query(const struct bf_http_call *call, const char *name);  // NULL when absent
const char *bf_http_header(const struct bf_http_call *call, const char *name); // NULL when absent
const char *bf_http_bearer(const struct bf_http_call *call); // NULL without "Authorization: Bearer"
const char *bf_http_request_id(const struct bf_http_call *call);
const char *
bf_http_remote(const struct bf_http_call *call); // X-Real-IP from the gateway, else the peer's address
struct bf_str bf_http_body(const struct bf_http_call *call);
const char *bf_http_path(const struct bf_http_call *call);
// Unknown query parameters are refused like unknown fields: list the allowed ones, NULL ends the list.
bf_must_check enum bf_err bf_http_query_only(struct bf_http_call *call, const char *const *names);

// Parses the body (Content-Type application/json; an empty one counts as {} when no field is required) and
// reads it by the table; on a fault the problem names the field. The json_t stays with the call, so the texts
// live as long as it.
bf_must_check enum bf_err bf_http_read(struct bf_http_call *call, const struct bf_json_field *fields,
                                       size_t count, void *into);

// Something the handlers of one call share (who is calling). Freed with the call by `release` (may be NULL).
void bf_http_set_user(struct bf_http_call *call, void *user, void (*release)(void *user));
void *bf_http_user(const struct bf_http_call *call);

// The answer. `json` is taken.
enum bf_err bf_http_json(struct bf_http_call *call, int status, json_t *json);
enum bf_err bf_http_text(struct bf_http_call *call, int status, const char *content_type, struct bf_str body);
enum bf_err bf_http_empty(struct bf_http_call *call, int status);
void bf_http_answer_header(struct bf_http_call *call, const char *name,
                           const char *value); // at most HEADERS_MAX
// Sets the problem's text and returns `err`, so that a handler can `return bf_http_problem(...)`. field may
// be NULL.
enum bf_err bf_http_problem(struct bf_http_call *call, enum bf_err err, const char *field,
                            const char *detail_fmt, ...) bf_printf(4, 5);
// What has been answered (for idempotency keys): status and body bytes; valid after bf_http_json and the
// like.
int bf_http_answer_status(const struct bf_http_call *call);
struct bf_str bf_http_answer_body(const struct bf_http_call *call);

#endif
