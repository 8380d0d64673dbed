// Pushes: devices that can be woken, and what is sent to them for a call. Rules only, but for the memory of a
// struct push. Any thread.
#ifndef PUSH_H
#define PUSH_H

#include "bf_base.h"
#include "bf_id.h"

#define PUSH_TOKEN_BYTES_MAX     4096
#define PUSH_DEVICE_ID_BYTES_MAX 255
#define PUSH_TOPIC_BYTES_MAX     255
#define PUSH_NAME_BYTES_MAX      128  // of a caller
#define PUSH_WAKE_TOKEN_MAX      1024 // bytes
#define PUSH_UNTIL_MS_MAX        (10 * 60000ull)
#define PUSH_CANCEL_MS           30000ull // so long a cancel push is tried
#define PUSH_TEST_MS             60000ull
#define PUSH_BACKOFF_MS          500ull
#define PUSH_BACKOFF_MAX_MS      10000ull

enum push_provider {
    PUSH_EXPO,
    PUSH_FCM,
    PUSH_APNS,
    PUSH_PROVIDERS,
};
const char *push_provider_name(enum push_provider provider); // "expo"
bool push_provider_parse(struct bf_str name, enum push_provider *ret_provider);

enum push_kind {
    PUSH_WAKE,
    PUSH_CANCEL,
    PUSH_TEST,
};
const char *push_kind_name(enum push_kind kind);

// ---- devices. Checks: NULL when good, else what would be ("must be ...").

const char *push_provider_check(struct bf_str provider);
const char *push_platform_check(struct bf_str platform);
const char *push_device_id_check(struct bf_str device_id);
const char *push_number_check(struct bf_str number);
const char *push_topic_check(struct bf_str topic); // an app: APNs topic, FCM project; letters, digits, ".-_"
const char *push_token_check(enum push_provider provider, const char *token);
const char *push_expo_token_check(struct bf_str token);

// RFC 8599. The provider's app out of pn-param: "TEAM123456.com.example.app.voip" is the topic
// "com.example.app.voip" (a list of services, "voip&remote" at its end: the first one), anything else is
// itself. The caller frees it.
char *push_pn_topic(enum push_provider provider, const char *param);
// A voip token is "token" or the first of "token:voip&other:remote". The caller frees it.
char *push_pn_token(const char *prid);

// ---- one push on its way. The texts are its own.

struct push {
    struct bf_id call, device, tenant;
    enum push_kind kind;
    int64_t attempts;         // that ended
    uint64_t at_ms, until_ms; // Unix: when the call began to wait, and when it does no longer
    bool got_before;          // an earlier attempt may have reached the device
    char *number, *caller, *caller_name, *callee, *sip_call_id, *wake_token;
    // The device; `token` NULL: it is gone or dead.
    enum push_provider provider;
    char *platform, *token, *topic, *device_id;
    // What it is sent with; nil: none was found. `sealed`: as it is in the database.
    struct bf_id credential;
    uint64_t credential_version;
    uint8_t *sealed;
    size_t sealed_len;
    int64_t held_us;   // Unix: until when it is held, as it stands in its row
    bool alone;        // not together with others in one request
    struct push *next; // in a list
};

void push_free(struct push *push); // NULL is fine

// ---- what came of it

enum push_verdict {
    PUSH_SENT,    // the provider took it
    PUSH_AGAIN,   // later
    PUSH_DEAD,    // the token is no longer valid
    PUSH_DROPPED, // never, for another reason
    PUSH_REAUTH,  // our token was refused: again with a new one
    PUSH_SPLIT,   // again, each alone
};

#define PUSH_DETAIL_SIZE 256
#define PUSH_REF_SIZE    256

struct push_outcome {
    enum push_verdict verdict;
    int code;                      // HTTP status; 0: no answer
    char detail[PUSH_DETAIL_SIZE]; // the provider's words, or why there was no answer; "" when sent
    char ref[PUSH_REF_SIZE];       // the provider's name of the push; "" when there is none
    uint64_t dead_ms;              // Unix: the token was found dead then; 0: now
    uint64_t wait_ms;              // PUSH_AGAIN: at least so long, as the provider says; 0: it does not
    bool begun;                    // a request went out
    uint64_t at_ms;                // Unix, of the request
    int64_t latency_ms;
};

// A token is a secret: takes it out of a provider's words, also one that was cut off at their end.
void push_hide_token(char *words, const char *token);

// The device may have got it: it was sent, or nobody knows.
bool push_may_have_got(const struct push_outcome *outcome);

// PUSH_AGAIN: *ret_wait_ms is how long to wait before it, doubled each time, +-25 % by `random`; when there
// is no time left for another attempt, `outcome` becomes PUSH_DROPPED.
void push_settle(const struct push *push, struct push_outcome *outcome, uint64_t now_ms, uint32_t random,
                 uint64_t *ret_wait_ms);

// ---- what a call waits for

struct push_wake { // borrowed texts
    struct bf_id tenant, call, device;
    const char *number, *caller, *caller_name, *callee, *sip_call_id, *token;
    uint64_t at_ms, until_ms;
};
// What a strange one lacks: NULL when it is good.
const char *push_wake_check(const struct push_wake *wake, uint64_t now_ms);

enum push_end {
    PUSH_END_REGISTERED,
    PUSH_END_TIMED_OUT,
    PUSH_END_ANSWERED,
    PUSH_END_CANCELLED,
    PUSH_ENDS,
};
const char *push_end_name(enum push_end end);

struct push_wake_end {
    struct bf_id tenant, call, device; // device nil: every one of the call
    enum push_end why;                 // PUSH_ENDS: none that we know
    uint64_t at_ms;
};
const char *push_wake_end_check(const struct push_wake_end *end);

#endif
