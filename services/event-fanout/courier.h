// HTTP requests to the outside: one thread that owns a curl multi handle.
//
// HTTP/1.1 or HTTP/2 as the other side wants. Connections are kept and shared, so many at most in all and to
// one host; further requests wait for one. Redirects are not followed, proxies of the environment not used,
// and where a request may go to is decided by the address that it really connects to, so a name that changes
// its mind in between helps nobody. Any thread may send; `done` runs on the courier's thread and must not
// block.
#ifndef COURIER_H
#define COURIER_H

#include <curl/curl.h>

#include "bf_base.h"
#include "bf_err.h"
#include "target.h"

#define COURIER_ANSWER_BYTES_MAX 4096  // of the body, unless a job wants more; the rest is read and dropped
#define COURIER_BODY_BYTES_READ  65536 // an answer that is longer is cut there, and is one all the same

struct courier;

struct courier_options {
    struct targets targets;
    int64_t connections_max;  // send no more at once: what waits for a connection uses its time up
    int64_t host_connections; // 0: as many
};

struct courier_answer {
    int code;          // HTTP status; 0: none
    const char *error; // "", or why there was none or no end of it
    bool stopped;      // by courier_stop
    int64_t latency_ms;
    int64_t retry_after_s; // as the other side said; 0: it did not
    struct bf_str body;    // what was kept of it
};

// Borrowed until `done`, which is called once whatever happens.
struct courier_job {
    const char *url;
    struct curl_slist *headers;
    struct bf_str body;      // posted
    int64_t timeout_ms;      // of the whole, once it is under way
    bool free_targets;       // the operator's own choice of URL: any address
    bool shared;             // waits for a connection that others use too, where the other side speaks HTTP/2
    const char *ca_file;     // certificates to trust instead of the system's; NULL: those
    size_t answer_bytes_max; // of the body; 0: COURIER_ANSWER_BYTES_MAX
    void (*done)(void *ctx, const struct courier_answer *answer);
    void *ctx;
};

bf_must_check enum bf_err courier_start(const struct courier_options *options, struct courier **ret_courier);
// Requests under way have so long; what is left then is done as stopped. NULL is fine.
void courier_stop(struct courier *courier, int64_t drain_ms);

void courier_send(struct courier *courier, const struct courier_job *job); // copies the struct

#endif
