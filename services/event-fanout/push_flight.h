// A flight: one request to a provider, from what it is made of to what its answer means for each of its
// pushes. Ends on the courier's thread, which hands it back to its owner.
#ifndef PUSH_FLIGHT_H
#define PUSH_FLIGHT_H

#include "courier.h"
#include "push_lane.h"
#include "push_receipt_store.h"
#include "push_request.h"

enum push_flight_kind {
    PUSH_FLIGHT_PUSHES,
    PUSH_FLIGHT_BEARER,   // asks Google for an access token
    PUSH_FLIGHT_RECEIPTS, // asks Expo what became of tickets
};

struct push_flight {
    enum push_flight_kind kind;
    struct push_lane *lane; // NULL: receipts
    uint64_t version;       // of the lane's credential when it began
    struct push_list pushes;
    struct push_tickets tickets;
    struct bf_id id;          // of the request: apns-id
    uint64_t began_ms, at_ms; // monotonic, Unix
    // The answer.
    struct push_answer answer;
    struct bf_buf body;
    char *error;
    int64_t latency_ms;
    // While it is under way.
    struct push_request request;
    struct curl_slist *headers;
    void (*landed)(void *ctx, struct push_flight *flight);
    void *ctx;
    struct push_flight *next; // in a list
};

struct push_flight_options {
    struct courier *courier;
    const struct push_bases *bases;
    const char *ca_file; // NULL: the system's
    int64_t timeout_ms;
    void (*landed)(void *ctx, struct push_flight *flight); // once, on the courier's thread; must not block
    void *ctx;
};

// The first of the lane's queue, or as many as go in one request. The lane has a bearer if it needs one.
void push_flight_pushes(const struct push_flight_options *options, struct push_lane *lane);
// False: our own token cannot be signed.
bool push_flight_bearer(const struct push_flight_options *options, struct push_lane *lane);
// `tickets` are taken.
void push_flight_receipts(const struct push_flight_options *options, const char *access_token,
                          struct push_tickets *tickets);

// What became of each of its pushes, by place; `outcomes` has room for all.
void push_flight_judge(const struct push_flight *flight, struct push_outcome *outcomes);
void push_flight_free(struct push_flight *flight); // with what is still in it; NULL is fine

#endif
