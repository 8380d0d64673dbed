// The bus: nng REQ/REP with the protobuf envelope of proto/belfry/bus/v1, and PUB for feeds.
//
// Serving: N contexts, N threads; a handler runs top to bottom in one of them and may block. Work whose
// deadline has passed is dropped unanswered and counted. Calling: up to BF_BUS_URLS_MAX addresses; a call
// goes to a connected one in turn, again to another one when that connection goes, fails fast with
// BF_UNAVAILABLE when none is connected, with BF_TIMEOUT at its deadline. An address that is connected and
// does not answer is left out for a while (bf_bus_choice.h). Messages are at most BF_BUS_BYTES_MAX either
// way. nng must not be used before a fork. Any thread, unless said otherwise.
#ifndef BF_BUS_H
#define BF_BUS_H

#include "bf_base.h"
#include "bf_err.h"
#include "bf_buf.h"

#define BF_BUS_BYTES_MAX       (4u << 20)
#define BF_BUS_URLS_MAX        16
#define BF_BUS_REQUEST_ID_SIZE 65

struct bf_bus_server;
struct bf_bus_client;
struct bf_bus_publisher;

struct bf_bus_request { // borrowed for the time of the handler
    const char *method;
    const char *request_id;
    const char *tenant_id; // UUID text or ""
    uint64_t deadline_ms;  // Unix ms
    struct bf_str body;    // packed protobuf
};

// Appends the packed reply to *ret_body; on an error the text for people goes to `error` (may stay empty).
typedef enum bf_err bf_bus_handler(const struct bf_bus_request *request, struct bf_buf *ret_body,
                                   struct bf_buf *error, void *ctx);

struct bf_bus_method {
    const char *name;
    bf_bus_handler *handle;
};

// `urls`: one or more nng addresses separated by spaces ("ipc:///run/belfry/registry.bus
// tcp://0.0.0.0:7001").
bf_must_check enum bf_err bf_bus_serve(const char *urls, int64_t contexts,
                                       const struct bf_bus_method *methods, size_t count, void *ctx,
                                       struct bf_bus_server **ret_server);
void bf_bus_server_stop(struct bf_bus_server *server, int64_t deadline_ms);

bf_must_check enum bf_err bf_bus_dial(const char *urls,
                                      struct bf_bus_client **ret_client); // connects in the background
void bf_bus_hang_up(struct bf_bus_client *client); // calls under way end with BF_UNAVAILABLE
bool bf_bus_connected(const struct bf_bus_client *client);

// From now on a call that is not answered after so many ms, or at once by BF_UNAVAILABLE, is sent to a
// further address too; the first answer counts, but for a BF_UNAVAILABLE while another one is at it. For
// callers whose every method may be carried out twice at the same time. To be said before the first call; 0:
// never, as it is at first.
#define BF_BUS_HEDGE_MS 150
void bf_bus_hedge(struct bf_bus_client *client, int64_t after_ms);

struct bf_bus_figures {
    uint64_t hedges;   // calls that were sent to a further address because one was slow
    uint32_t left_out; // addresses that do not answer, now
};
struct bf_bus_figures bf_bus_figures(struct bf_bus_client *client);

// Waits for the answer at most timeout_ms. The reply's body is appended to *ret_body. `error` may be NULL.
bf_must_check enum bf_err bf_bus_call(struct bf_bus_client *client, const char *method, const char *tenant_id,
                                      const char *request_id, int64_t timeout_ms, struct bf_str body,
                                      struct bf_buf *ret_body, struct bf_buf *error);

// The same without waiting; `done` runs once, on one of nng's threads (or in the caller when it fails at
// once), and must not block. `body` is copied; `reply` is borrowed for the time of `done`.
typedef void bf_bus_done(void *ctx, enum bf_err err, struct bf_str reply);
void bf_bus_call_async(struct bf_bus_client *client, const char *method, const char *tenant_id,
                       const char *request_id, int64_t timeout_ms, struct bf_str body, bf_bus_done *done,
                       void *ctx);

// Feeds. Publishing loses messages for slow or late subscribers: what is published must carry its own
// sequence.
bf_must_check enum bf_err bf_bus_publisher_open(const char *urls, struct bf_bus_publisher **ret_publisher);
void bf_bus_publisher_close(struct bf_bus_publisher *publisher);
bf_must_check enum bf_err bf_bus_publish(struct bf_bus_publisher *publisher, struct bf_str message);

// `got` runs on one of nng's threads for each message, in order per publisher, never twice at once.
struct bf_bus_subscriber;
typedef void bf_bus_got(void *ctx, struct bf_str message);
bf_must_check enum bf_err bf_bus_subscribe(const char *urls, bf_bus_got *got, void *ctx,
                                           struct bf_bus_subscriber **ret_subscriber);
void bf_bus_unsubscribe(struct bf_bus_subscriber *subscriber);

#endif
