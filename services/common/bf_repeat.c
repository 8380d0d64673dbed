// Idempotency-Key.
#include "bf_repeat.h"

#include <string.h>

#include "bf_buf.h"

#define HEADER "Idempotency-Key"

const char *bf_repeat_key_check(struct bf_str key)
{
    bool printable = true;

    for (size_t i = 0; i < key.len; i++)
        printable = printable && key.at[i] > 0x20 && key.at[i] < 0x7f;
    if (!printable || key.len < 1 || key.len > BF_REPEAT_KEY_BYTES_MAX)
        return "must be 1 to 128 printable ASCII characters without spaces";
    return NULL;
}

enum bf_err bf_repeat_key(struct bf_http_call *call, const char **ret_key)
{
    bool post = strcmp(bf_http_route(call)->method, "POST") == 0;
    const char *key = post ? bf_http_header(call, HEADER) : NULL;
    const char *wrong = key ? bf_repeat_key_check(bf_str(key)) : NULL;

    if (wrong)
        return bf_http_problem(call, BF_INVALID, HEADER, "%s", wrong);
    *ret_key = key;
    return BF_OK;
}

void bf_repeat_digest(const struct bf_http_call *call, uint8_t digest[BF_SHA256_BYTES])
{
    struct bf_str body = bf_http_body(call);
    struct bf_buf all;

    bf_buf_init(&all, BF_HTTP_BODY_BYTES_MAX + 8192);
    bf_buf_fmt(&all, "%s %s\n", bf_http_route(call)->method, bf_http_path(call));
    bf_buf_add(&all, body.at, body.len);
    bf_sha256(all.at, all.len, digest);
    bf_buf_release(&all);
}

enum bf_err bf_repeat_busy(struct bf_http_call *call)
{
    return bf_http_problem(call, BF_CONFLICT, HEADER,
                           "a request with this key is being worked on; wait and send it again");
}

enum bf_err bf_repeat_other(struct bf_http_call *call)
{
    return bf_http_problem(call, BF_CONFLICT, HEADER,
                           "this key was used for a different request; use a new one");
}
