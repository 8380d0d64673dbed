// What is sent to the providers: URLs, headers, bodies, tokens' claims. Pure. Any thread.
//
// The app gets: type ("incoming_call", "call_cancelled", "test"), call_id (a UUID, CallKit's too),
// sip_call_id, caller, caller_name, callee, number, wake_token, until (RFC 3339); a cancel without the last
// two, and with why. All are texts, because FCM knows no others.
#ifndef PUSH_REQUEST_H
#define PUSH_REQUEST_H

#include <jansson.h>

#include "bf_buf.h"
#include "push_credential.h"

#define PUSH_BATCH_MAX    100 // Expo's
#define PUSH_RECEIPTS_MAX 300 // Expo's
#define PUSH_HEADERS_MAX  10

#define PUSH_JWT_LIFE_S    3600      // Google's longest
#define PUSH_APNS_FRESH_MS 2400000ll // Apple takes a token for an hour, and a new one each 20 minutes at most

// One request, its texts its own.
struct push_request {
    char *url;
    char *headers[PUSH_HEADERS_MAX]; // "name: value"
    size_t header_count;
    char *body;
};
void push_request_release(struct push_request *request);

struct push_bases { // URLs without a slash at the end
    const char *expo, *fcm, *fcm_token, *apns, *apns_sandbox;
};

// Apple's topic for a device: its own, or the credential's with ".voip" behind it; "" when neither is known.
// The caller frees it.
char *push_apns_topic(const char *device_topic, const struct push_credential *credential);

// `bearer`: a provider token (push_apns_bearer), an OAuth access token, Expo's access token or "".
void push_request_apns(const struct push_bases *bases, const struct push_credential *credential,
                       const char *bearer, const struct push *push, struct bf_id id, uint64_t now_ms,
                       struct push_request *ret_request);
void push_request_fcm(const struct push_bases *bases, const struct push_credential *credential,
                      const char *bearer, const struct push *push, uint64_t now_ms,
                      struct push_request *ret_request);
void push_request_expo(const struct push_bases *bases, const char *bearer, const struct push *pushes,
                       uint64_t now_ms, struct push_request *ret_request); // all of the list
void push_request_receipts(const struct push_bases *bases, const char *bearer, const char *const *tickets,
                           size_t count, struct push_request *ret_request);

// Apple's provider token. NULL: it could not be signed.
char *push_apns_bearer(const struct push_credential *credential, uint64_t now_ms);
// What asks Google for an access token. False: it could not be signed.
bool push_request_oauth(const struct push_bases *bases, const struct push_credential *credential,
                        uint64_t now_ms, struct push_request *ret_request);

#endif
