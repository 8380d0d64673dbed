// One request and its answer, as bf_http*.c see it. Private to them.
//
// A call begins when libmicrohttpd has read the request line (bf_http_call_new) and ends when the answer went
// out or the connection did (bf_http_call_free). In between it belongs to one thread of the pool.
#ifndef BF_HTTP_CALL_H
#define BF_HTTP_CALL_H

#include <microhttpd.h>

#include "bf_buf.h"
#include "bf_http.h"

#define BF_HTTP_URI_BYTES_MAX    2048
#define BF_HTTP_HEADER_BYTES_MAX 16384
#define BF_HTTP_SEGMENTS_MAX     16
#define BF_HTTP_QUERIES_MAX      16
#define BF_HTTP_DETAIL_SIZE      384
#define BF_HTTP_REQUEST_ID_SIZE  65
#define BF_HTTP_REMOTE_SIZE      48

struct bf_http_pair {
    const char *name;
    const char *value;
};

struct bf_http_call {
    struct bf_http_server *server;
    struct MHD_Connection *connection;
    uint64_t began_us;
    bool begun; // the headers have come

    // The request line. `text` holds the decoded pieces that the others point into.
    char *path; // as it came, without the query
    char *text;
    const char *segments[BF_HTTP_SEGMENTS_MAX];
    size_t segment_count;
    struct bf_http_pair queries[BF_HTTP_QUERIES_MAX];
    size_t query_count;
    const char *method;
    const struct bf_http_route *route;
    struct bf_http_pair params[BF_HTTP_PARAMS_MAX];
    size_t param_count;

    char request_id[BF_HTTP_REQUEST_ID_SIZE];
    char remote[BF_HTTP_REMOTE_SIZE];
    struct bf_buf body;
    uint64_t body_bytes; // that came, kept or not
    json_t *json;
    void *user;
    void (*release_user)(void *user);

    // What is wrong with it. `refused` is set before the handler could run.
    enum bf_err refused;
    char field[BF_JSON_FIELD_MAX];
    char detail[BF_HTTP_DETAIL_SIZE];

    bool answered;
    int status;
    const char *content_type;
    struct bf_buf answer;
    struct bf_http_pair headers[BF_HTTP_HEADERS_MAX]; // copies
    size_t header_count;
};

struct bf_http_call *bf_http_call_new(const char *uri);
void bf_http_call_free(struct bf_http_call *call); // NULL is fine

// Splits and decodes what the request line says; on a fault `refused` is set.
void bf_http_split_uri(struct bf_http_call *call, const char *uri);
// Finds the route and its parameters, or sets `refused` (NOT_FOUND, or METHOD with an Allow header).
void bf_http_find_route(struct bf_http_call *call, const struct bf_http_route *routes, size_t count);

// Turns an error into the problem answer, in place of whatever the handler had prepared.
void bf_http_answer_problem(struct bf_http_call *call, enum bf_err err);
bool bf_http_answer_has_header(const struct bf_http_call *call, const char *name);
// Hands the prepared answer to libmicrohttpd.
enum MHD_Result bf_http_send(struct bf_http_call *call, bool close_after);

#endif
