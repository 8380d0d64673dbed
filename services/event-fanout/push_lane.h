// A lane: pushes that go to one provider with one credential, and what is known of how it goes there: how
// many requests are under way, the circuit breaker, our token. Memory and rules only; times are monotonic ms.
// One thread at a time.
#ifndef PUSH_LANE_H
#define PUSH_LANE_H

#include "push_credential.h"
#include "push_store.h"

#define PUSH_LANE_FAILURES_MAX 5       // one after the other, then the circuit opens
#define PUSH_LANE_OPEN_MS      1000ull // at first; doubled with each failed trial
#define PUSH_LANE_OPEN_MAX_MS  30000ull
#define PUSH_LANE_IDLE_MS      600000ull
#define PUSH_APNS_RENEW_MS     1200000ull // Apple refuses to see new tokens more often

struct push_lane {
    enum push_provider provider;
    struct bf_id credential_id;         // nil: none
    struct bf_id tenant;                // Expo's lanes: tokens of several tenants do not go in one request
    uint64_t version;                   // of the credential
    struct push_credential *credential; // NULL: Expo without one
    struct push_list queue;
    size_t under_way; // requests
    unsigned failures;
    uint64_t open_until_ms;
    char why[PUSH_DETAIL_SIZE]; // what failed last
    char *bearer;               // NULL: none
    uint64_t bearer_made_ms, bearer_until_ms;
    bool asking;      // for a bearer
    uint64_t used_ms; // last
    struct push_lane *next;
};

struct push_lane *push_lane_new(const struct push *push, uint64_t now_ms);
void push_lane_free(struct push_lane *lane); // with its queue; NULL is fine
bool push_lane_is_of(const struct push_lane *lane, const struct push *push);
// Another version of its credential; taken. What was known with the old one is forgotten.
void push_lane_credential(struct push_lane *lane, struct push_credential *credential, uint64_t version);

// May another request begin? While the circuit is open: none; then one, to try.
bool push_lane_may_send(const struct push_lane *lane, size_t requests_max, uint64_t now_ms);
bool push_lane_is_open(const struct push_lane *lane, uint64_t now_ms);
// A request that began with push_lane_may_send ended. `failed`: the provider did not answer, or it is in
// trouble. `wait_ms`: how long it wants to be left alone; 0: it did not say.
void push_lane_ended(struct push_lane *lane, bool failed, uint64_t wait_ms, uint64_t now_ms);

bool push_lane_has_bearer(const struct push_lane *lane, uint64_t now_ms);
// `life_ms`: how long it is good; it is used until shortly before. Taken.
void push_lane_bearer(struct push_lane *lane, char *bearer, uint64_t life_ms, uint64_t now_ms);
// The provider refused it in a request that began then.
void push_lane_refused(struct push_lane *lane, uint64_t began_ms, uint64_t now_ms);

#endif
