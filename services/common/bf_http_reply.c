// The call's life and the answer's: JSON, texts, problem+json.
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "bf_clock.h"
#include "bf_http_call.h"

#define ANSWER_BYTES_MAX (16u << 20)

struct bf_http_call *bf_http_call_new(const char *uri)
{
    struct bf_http_call *call = bf_xcalloc(1, sizeof(*call));
    call->began_us = bf_mono_us();
    bf_buf_init(&call->body, BF_HTTP_BODY_BYTES_MAX);
    bf_buf_init(&call->answer, ANSWER_BYTES_MAX);
    bf_http_split_uri(call, uri);
    return call;
}

static void drop_headers(struct bf_http_call *call)
{
    for (size_t i = 0; i < call->header_count; i++) {
        free((char *)call->headers[i].name);
        free((char *)call->headers[i].value);
    }
    call->header_count = 0;
}

void bf_http_call_free(struct bf_http_call *call)
{
    if (!call)
        return;
    if (call->release_user)
        call->release_user(call->user);
    for (size_t i = 0; i < call->param_count; i++)
        free((char *)call->params[i].name);
    drop_headers(call);
    json_decref(call->json);
    // A body may have carried a password.
    explicit_bzero(call->body.at, call->body.len);
    bf_buf_release(&call->body);
    explicit_bzero(call->answer.at, call->answer.len);
    bf_buf_release(&call->answer);
    free(call->path);
    free(call->text);
    free(call);
}

static void answer(struct bf_http_call *call, int status, const char *content_type)
{
    bf_buf_clear(&call->answer);
    call->answered = true;
    call->status = status;
    call->content_type = content_type;
}

static int append_json(const char *bytes, size_t len, void *into)
{
    bf_buf_add(into, bytes, len);
    return bf_buf_ok(into) ? 0 : -1;
}

enum bf_err bf_http_json(struct bf_http_call *call, int status, json_t *json)
{
    answer(call, status, "application/json");
    int failed = json_dump_callback(json, append_json, &call->answer, JSON_COMPACT);
    json_decref(json);
    return failed ? bf_http_problem(call, BF_INTERNAL, NULL, "the answer could not be built") : BF_OK;
}

enum bf_err bf_http_text(struct bf_http_call *call, int status, const char *content_type, struct bf_str body)
{
    answer(call, status, content_type);
    bf_buf_add(&call->answer, body.at, body.len);
    return bf_buf_ok(&call->answer) ? BF_OK
                                    : bf_http_problem(call, BF_INTERNAL, NULL, "the answer is too large");
}

enum bf_err bf_http_empty(struct bf_http_call *call, int status)
{
    answer(call, status, NULL);
    return BF_OK;
}

void bf_http_answer_header(struct bf_http_call *call, const char *name, const char *value)
{
    assert(call->header_count < BF_HTTP_HEADERS_MAX);
    assert(!strpbrk(value, "\r\n"));
    call->headers[call->header_count++] = (struct bf_http_pair){bf_xstrdup(name), bf_xstrdup(value)};
}

bool bf_http_answer_has_header(const struct bf_http_call *call, const char *name)
{
    for (size_t i = 0; i < call->header_count; i++)
        if (strcasecmp(call->headers[i].name, name) == 0)
            return true;
    return false;
}

int bf_http_answer_status(const struct bf_http_call *call)
{
    return call->status;
}

struct bf_str bf_http_answer_body(const struct bf_http_call *call)
{
    return (struct bf_str){call->answer.at, call->answer.len};
}

// A text may quote input and be cut anywhere: the answer must be UTF-8 all the same.
static void trim_utf8(char *text)
{
    size_t at = 0;
    for (size_t len; (len = bf_utf8_next(bf_str(text + at)));)
        at += len;
    text[at] = '\0';
}

enum bf_err bf_http_problem(struct bf_http_call *call, enum bf_err err, const char *field,
                            const char *detail_fmt, ...)
{
    snprintf(call->field, sizeof(call->field), "%s", field ? field : "");
    va_list args;
    va_start(args, detail_fmt);
    vsnprintf(call->detail, sizeof(call->detail), detail_fmt, args);
    va_end(args);
    trim_utf8(call->field);
    trim_utf8(call->detail);
    return err;
}

static json_t *problem_json(const struct bf_http_call *call, enum bf_err err)
{
    bf_autofree char *type = bf_xasprintf("urn:belfry:problem:%s", bf_err_type(err));
    const char *detail = call->detail[0] ? call->detail : bf_err_text(err);
    return json_pack("{s:s, s:s, s:i, s:s, s:s*, s:s}", "type", type, "title", bf_err_text(err), "status",
                     bf_err_http(err), "detail", detail, "field", call->field[0] ? call->field : NULL,
                     "request_id", call->request_id);
}

void bf_http_answer_problem(struct bf_http_call *call, enum bf_err err)
{
    if (bf_http_json(call, bf_err_http(err), problem_json(call, err)))
        bf_buf_clear(&call->answer);
    call->content_type = "application/problem+json";
    bool room = call->header_count < BF_HTTP_HEADERS_MAX;
    if (err == BF_UNAUTHENTICATED && room)
        bf_http_answer_header(call, "WWW-Authenticate", "Bearer");
    else if ((err == BF_UNAVAILABLE || err == BF_LIMIT) && room &&
             !bf_http_answer_has_header(call, "Retry-After"))
        bf_http_answer_header(call, "Retry-After", "1");
}

enum MHD_Result bf_http_send(struct bf_http_call *call, bool close_after)
{
    // The bytes live in the call, which outlives the sending.
    struct MHD_Response *response =
        MHD_create_response_from_buffer(call->answer.len, call->answer.at, MHD_RESPMEM_PERSISTENT);
    if (!response)
        return MHD_NO;
    if (call->content_type)
        MHD_add_response_header(response, "Content-Type", call->content_type);
    MHD_add_response_header(response, "X-Request-Id", call->request_id);
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (!bf_http_answer_has_header(call, "Cache-Control"))
        MHD_add_response_header(response, "Cache-Control", "no-store");
    for (size_t i = 0; i < call->header_count; i++)
        MHD_add_response_header(response, call->headers[i].name, call->headers[i].value);
    if (close_after)
        MHD_add_response_header(response, "Connection", "close");
    enum MHD_Result queued = MHD_queue_response(call->connection, (unsigned)call->status, response);
    MHD_destroy_response(response);
    return queued;
}
