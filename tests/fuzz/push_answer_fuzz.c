// Whatever a push provider answers: what is made of it is fit to be kept, shown, and sent in a header.
#include <assert.h>
#include <string.h>
#include "push_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define COUNT 3

static void check_text(const char *text, size_t size)
{
    size_t len = strnlen(text, size);

    assert(len < size);
    assert(bf_utf8_valid((struct bf_str){text, len}));
    for (size_t i = 0; i < len; i++)
        assert((unsigned char)text[i] >= 0x20 && text[i] != 0x7f);
}

static void check_outcome(const struct push_outcome *outcome, const struct push_answer *answer)
{
    check_text(outcome->detail, sizeof(outcome->detail));
    check_text(outcome->ref, sizeof(outcome->ref));
    assert(outcome->verdict <= PUSH_SPLIT);
    assert(outcome->verdict == PUSH_SENT || *outcome->detail);
    assert(answer->code >= 200 || outcome->verdict != PUSH_SENT);
}

static void check_oauth(const struct push_answer *answer)
{
    struct push_outcome outcome = {.verdict = PUSH_AGAIN};
    int64_t life_s = 0;
    char *token = NULL;

    if (push_answer_oauth(answer, &token, &life_s, &outcome))
        assert(*token && !strpbrk(token, "\r\n") && life_s > 0 && life_s <= 3600);
    else
        check_outcome(&outcome, answer);
    free(token);
}

static void check_receipts(const struct push_answer *answer)
{
    static const char *const tickets[COUNT] = {"a", "b", ""};
    enum push_receipt receipts[COUNT] = {PUSH_RECEIPT_NONE};
    char details[COUNT][PUSH_DETAIL_SIZE] = {""};

    (void)push_answer_receipts(answer, tickets, COUNT, receipts, details);
    for (size_t i = 0; i < COUNT; i++)
        check_text(details[i], sizeof(details[i]));
}

// The first byte is the status.
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const int codes[] = {200, 400, 401, 403, 404, 410, 429, 503, 0};
    struct push_outcome outcomes[COUNT];

    if (len == 0)
        return 0;
    int code = codes[bytes[0] % BF_LEN(codes)];
    struct push_answer answer = {
        .code = code, .error = code ? "" : "timeout", .body = {(const char *)bytes + 1, len - 1}};
    memset(outcomes, 0, sizeof(outcomes));
    push_answer_apns(&answer, &outcomes[0]);
    push_answer_fcm(&answer, &outcomes[1]);
    check_outcome(&outcomes[0], &answer);
    check_outcome(&outcomes[1], &answer);
    memset(outcomes, 0, sizeof(outcomes));
    push_answer_expo(&answer, outcomes, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        check_outcome(&outcomes[i], &answer);
    check_oauth(&answer);
    check_receipts(&answer);
    return 0;
}
