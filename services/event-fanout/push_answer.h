// What the providers' answers mean. Pure. Any thread.
#ifndef PUSH_ANSWER_H
#define PUSH_ANSWER_H

#include "push.h"

// `error`: "" or why there was no answer. Each fills verdict, code, detail, ref, dead_ms of outcomes that are
// zero before; `retry_after_s`: as the provider said, 0 if it did not.
struct push_answer {
    int code; // HTTP status; 0: none
    const char *error;
    int64_t retry_after_s;
    struct bf_str body;
};

void push_answer_apns(const struct push_answer *answer, struct push_outcome *ret_outcome); // ref stays
void push_answer_fcm(const struct push_answer *answer, struct push_outcome *ret_outcome);
// One outcome for each of the request's messages, by place.
void push_answer_expo(const struct push_answer *answer, struct push_outcome *ret_outcomes, size_t count);

enum push_receipt {
    PUSH_RECEIPT_NONE, // not yet
    PUSH_RECEIPT_DELIVERED,
    PUSH_RECEIPT_DEAD,
    PUSH_RECEIPT_FAILED,
};
// The receipts of these tickets, by place; details as above. False: this was no answer, ask again later.
bool push_answer_receipts(const struct push_answer *answer, const char *const *tickets, size_t count,
                          enum push_receipt *ret_receipts, char (*ret_details)[PUSH_DETAIL_SIZE]);

// Google's answer to push_request_oauth: an access token and how long it is good, or why there is none (the
// outcome: PUSH_AGAIN or PUSH_DROPPED). The caller wipes and frees the token (bf_vault_forget).
bool push_answer_oauth(const struct push_answer *answer, char **ret_token, int64_t *ret_life_s,
                       struct push_outcome *ret_outcome);

#endif
