// A delivery: one event on its way to one webhook. What an answer means, and when it is tried again. Rules
// only, but for the memory of a struct delivery. Any thread.
#ifndef DELIVERY_H
#define DELIVERY_H

#include "bf_base.h"
#include "bf_id.h"

#define DELIVERY_ANSWER_BYTES_MAX 1024
#define DELIVERY_ERROR_SIZE       128
#define DELIVERY_GIVE_UP_MS       (24 * 3600000ull)
#define DELIVERY_BACKOFF_MS       1000ull
#define DELIVERY_BACKOFF_MAX_MS   3600000ull

// As it is in memory. Its texts are its own.
struct delivery {
    struct bf_id id, tenant, webhook, event;
    struct bf_id lane;
    int64_t position;
    int64_t attempts;    // that ended
    uint64_t give_up_ms; // Unix
    int64_t version;     // of its webhook
    char *url;
    char *secret, *secret_before; // in the clear; before: NULL when there is none that counts
    char *body;
    struct delivery *next;       // in its lane
    struct delivery *ready_next; // at its endpoint
};

void delivery_free(struct delivery *delivery); // NULL is fine

// What came of one attempt.
struct delivery_outcome {
    int code;                        // HTTP status; 0: no answer
    char error[DELIVERY_ERROR_SIZE]; // why there was none, or not the whole of it; "" when there was
    int64_t latency_ms;
    uint64_t at_ms; // Unix, of the request
    char answer[DELIVERY_ANSWER_BYTES_MAX];
    size_t answer_len;
};

enum delivery_verdict {
    DELIVERY_DONE,  // 2xx, and the answer came to its end
    DELIVERY_AGAIN, // later
    DELIVERY_DEAD,  // given up: its time is over, or it never can be
    DELIVERY_GONE,  // 410: dead, and so is the webhook
};

// `now_ms`: Unix. Redirects are not followed: they are failures as others.
enum delivery_verdict delivery_judge(const struct delivery *delivery, const struct delivery_outcome *outcome,
                                     uint64_t now_ms);

// How long to wait after so many attempts: doubled each time, +-25 % by `random`, so that what failed
// together does not come back together.
uint64_t delivery_wait_ms(int64_t attempts, uint32_t random);

#endif
