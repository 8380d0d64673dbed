// The HTTP request before a WebSocket.
#include "handshake.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "bf_app_token.h"

#define BODY_MAX   1024
#define HEADER_MAX 1024

static const struct {
    const char *method, *path;
} route[] = {
    {"GET", "/v1/events"},
};

// ---- what it shows

static bool path_ok(struct lws *wsi)
{
    char path[64];

    return lws_hdr_copy(wsi, path, sizeof(path), WSI_TOKEN_GET_URI) > 0 && strcmp(path, route[0].path) == 0;
}

static bool no(struct handshake_problem *problem, enum bf_err err, const char *field, const char *detail)
{
    *problem = (struct handshake_problem){.err = err, .field = field, .detail = detail};
    return false;
}

// What fits and holds only what tokens and keys do; "" else.
static void take_bearer(struct handshake *handshake, struct bf_str text)
{
    handshake->bearer[0] = '\0';
    if (text.len >= sizeof(handshake->bearer))
        return;
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] <= ' ' || text.at[i] >= 0x7f)
            return;
    memcpy(handshake->bearer, text.at, text.len);
    handshake->bearer[text.len] = '\0';
}

static void read_authorization(struct lws *wsi, struct handshake *handshake)
{
    char value[HANDSHAKE_BEARER_SIZE + 16] = "";
    int len = lws_hdr_copy(wsi, value, sizeof(value), WSI_TOKEN_HTTP_AUTHORIZATION);

    if (len > 7 && bf_str_case_eq((struct bf_str){value, 7}, BF_STR("bearer ")))
        take_bearer(handshake, bf_str(value + 7));
    explicit_bzero(value, sizeof(value));
}

static bool read_protocols(struct lws *wsi, struct handshake *handshake, struct handshake_problem *problem)
{
    char value[HANDSHAKE_PROTOCOLS_MAX + 1] = "";

    if (lws_hdr_total_length(wsi, WSI_TOKEN_PROTOCOL) <= 0)
        return true;
    if (lws_hdr_copy(wsi, value, sizeof(value) - 1, WSI_TOKEN_PROTOCOL) < 0)
        return no(problem, BF_INVALID, "Sec-WebSocket-Protocol",
                  "this list is too long without a gateway that makes a header of its token");
    for (const char *at = value; *at;) {
        at += strspn(at, ", \t");
        size_t len = strcspn(at, ", \t");
        if (bf_str_eq((struct bf_str){at, len}, BF_STR(HANDSHAKE_PROTOCOL)))
            handshake->named_protocol = true;
        else if (len > 6 && memcmp(at, "token.", 6) == 0 && !*handshake->bearer)
            take_bearer(handshake, (struct bf_str){at + 6, len - 6});
        at += len;
    }
    explicit_bzero(value, sizeof(value));
    return handshake->named_protocol ||
           no(problem, BF_INVALID, "Sec-WebSocket-Protocol", "must name belfry.v1, or not be there");
}

static bool read_query(struct lws *wsi, struct handshake *handshake, struct handshake_problem *problem)
{
    char pair[HANDSHAKE_BEARER_SIZE + 16];

    for (int i = 0; lws_hdr_copy_fragment(wsi, pair, sizeof(pair), WSI_TOKEN_HTTP_URI_ARGS, i) > 0; i++) {
        if (strncmp(pair, "after=", 6) == 0) {
            if (!bf_id_parse(bf_str(pair + 6), &handshake->after))
                return no(problem, BF_INVALID, "after",
                          "must be the id of the last event that you have seen");
        } else if (strncmp(pair, "token=", 6) == 0) {
            handshake->by_url = !*handshake->bearer;
            if (handshake->by_url)
                take_bearer(handshake, bf_str(pair + 6));
        } else {
            return no(problem, BF_INVALID, "", "there is no such query parameter: after and token are");
        }
    }
    explicit_bzero(pair, sizeof(pair));
    return true;
}

static void read_source(struct lws *wsi, struct handshake *handshake)
{
    if (lws_hdr_copy(wsi, handshake->source, sizeof(handshake->source), WSI_TOKEN_HTTP_X_REAL_IP) <= 0)
        lws_get_peer_simple(wsi, handshake->source, sizeof(handshake->source));
}

bool handshake_read(struct lws *wsi, struct handshake *handshake, struct handshake_problem *problem)
{
    *handshake = (struct handshake){.by_url = false};
    if (!path_ok(wsi))
        return no(problem, BF_NOT_FOUND, "", "WebSockets are at /v1/events");
    read_source(wsi, handshake);
    read_authorization(wsi, handshake);
    if (!read_protocols(wsi, handshake, problem) || !read_query(wsi, handshake, problem))
        return false;
    if (!*handshake->bearer)
        return no(
            problem, BF_UNAUTHENTICATED, "",
            "send an app token or a tenant's API key: \"Authorization: Bearer ...\", or for browsers the "
            "subprotocols \"belfry.v1, token.<it>\"");
    handshake->is_key = strncmp(handshake->bearer, "bfk_", 4) == 0;
    if (handshake->is_key && handshake->by_url)
        return no(
            problem, BF_INVALID, "token",
            "an API key in a URL ends in somebody's log: send it as header or subprotocol, and replace it");
    return true;
}

// ---- answers

struct handshake_problem handshake_none(struct lws *wsi)
{
    struct handshake_problem problem;

    if (!path_ok(wsi))
        (void)no(&problem, BF_NOT_FOUND, "", "WebSockets are at /v1/events");
    else
        (void)no(&problem, BF_INVALID, "Upgrade", "this is a WebSocket: send Upgrade: websocket");
    return problem;
}

static void request_id(struct lws *wsi, char id[BF_ID_TEXT_SIZE + 28])
{
    int len = lws_hdr_custom_copy(wsi, id, BF_ID_TEXT_SIZE + 28, "x-request-id:", 13);

    for (int i = 0; i < len; i++)
        if (!strchr("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._-", id[i]))
            len = 0;
    if (len <= 0)
        bf_id_text(bf_id_new(), id);
}

static char *body_of(const struct handshake_problem *problem, const char *id)
{
    bf_autofree char *type = bf_xasprintf("urn:belfry:problem:%s", bf_err_type(problem->err));
    json_t *body =
        json_pack("{s:s, s:s, s:i, s:s, s:s}", "type", type, "title", bf_err_text(problem->err), "status",
                  bf_err_http(problem->err), "detail", problem->detail, "request_id", id);

    if (*problem->field)
        json_object_set_new(body, "field", json_string(problem->field));
    char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    return text;
}

static int add_header(struct lws *wsi, const char *name, const char *value, unsigned char **at,
                      unsigned char *end)
{
    return lws_add_http_header_by_name(wsi, (const unsigned char *)name, (const unsigned char *)value,
                                       (int)strlen(value), at, end);
}

int handshake_refuse(struct lws *wsi, const struct handshake_problem *problem)
{
    unsigned char head[LWS_PRE + HEADER_MAX], body[LWS_PRE + BODY_MAX];
    unsigned char *at = head + LWS_PRE, *end = head + sizeof(head) - 1;
    char id[BF_ID_TEXT_SIZE + 28], seconds[12];

    request_id(wsi, id);
    bf_autofree char *text = body_of(problem, id);
    size_t len = strlen(text) < BODY_MAX ? strlen(text) : BODY_MAX;
    memcpy(body + LWS_PRE, text, len);
    snprintf(seconds, sizeof(seconds), "%d", problem->retry_after_s);
    if (lws_add_http_common_headers(wsi, (unsigned)bf_err_http(problem->err), "application/problem+json", len,
                                    &at, end) ||
        add_header(wsi, "x-request-id:", id, &at, end) ||
        (problem->err == BF_UNAUTHENTICATED && add_header(wsi, "www-authenticate:", "Bearer", &at, end)) ||
        (problem->retry_after_s && add_header(wsi, "retry-after:", seconds, &at, end)) ||
        lws_finalize_write_http_header(wsi, head + LWS_PRE, &at, end))
        return -1;
    return lws_write(wsi, body + LWS_PRE, len, LWS_WRITE_HTTP_FINAL) == (int)len ? 0 : -1;
}
