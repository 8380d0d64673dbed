// Writing and reading the messages of sipload's calls.
#include "sipload_dialog.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const methods[] = {"", "INVITE", "ACK", "BYE"}; // by enum sip_method

// ---- out

// Appends and moves on; what does not fit leaves the whole too long, which the end finds.
struct writer {
    char *text;
    size_t used;
};

static void writer_init(struct writer *out, char *text)
{
    out->text = text;
    out->used = 0;
}

static void bf_printf(2, 3) put(struct writer *out, const char *format, ...)
{
    size_t left = out->used < SIP_BYTES_MAX ? SIP_BYTES_MAX - out->used : 0;
    va_list values;

    va_start(values, format);
    int len = vsnprintf(left > 0 ? out->text + out->used : NULL, left, format, values);
    va_end(values);
    out->used += len > 0 ? (size_t)len : SIP_BYTES_MAX;
}

static size_t written(const struct writer *out)
{
    return out->used < SIP_BYTES_MAX ? out->used : 0;
}

static bool keep(char *ret_text, size_t size, struct bf_str value)
{
    if (value.len == 0 || value.len >= size)
        return false;
    memcpy(ret_text, value.at, value.len);
    ret_text[value.len] = '\0';
    return true;
}

void sip_dialog_begin(struct sip_dialog *dialog)
{
    snprintf(dialog->target, sizeof(dialog->target), "sip:%s@%s", dialog->callee.number,
             dialog->callee.domain);
    snprintf(dialog->to, sizeof(dialog->to), "<sip:%s@%s>", dialog->callee.number, dialog->callee.domain);
    dialog->routes[0] = '\0';
}

bool sip_dialog_answered(struct sip_dialog *dialog, const struct sip_packet *answer)
{
    size_t used = 0;

    // The caller's way is the recorded one backwards (RFC 3261 12.1.2).
    for (size_t i = answer->route_count; i-- > 0;) {
        struct bf_str route = answer->routes[i];
        int len = snprintf(dialog->routes + used, sizeof(dialog->routes) - used, "Route: %.*s\r\n",
                           (int)route.len, route.at);
        if (len < 0 || used + (size_t)len >= sizeof(dialog->routes))
            return false;
        used += (size_t)len;
    }
    return keep(dialog->target, sizeof(dialog->target), answer->contact) &&
           keep(dialog->to, sizeof(dialog->to), answer->to);
}

static void put_request(struct writer *out, const struct sip_dialog *dialog, enum sip_method method,
                        const char *branch_end, uint32_t cseq, struct bf_str to)
{
    struct sip_tag tag = dialog->tag;

    put(out,
        "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;rport;branch=z9hG4bK%08x%08x%08x%u%s\r\n"
        "Max-Forwards: 70\r\nFrom: <sip:%s@%s>;tag=%08x%08x\r\nTo: %.*s\r\n"
        "Call-ID: %08x%08x%08x@127.0.0.1\r\nCSeq: %u %s\r\n",
        methods[method], dialog->target, dialog->port, tag.run, tag.slot, tag.generation, cseq, branch_end,
        dialog->caller.number, dialog->caller.domain, tag.slot, tag.generation, (int)to.len, to.at, tag.run,
        tag.slot, tag.generation, cseq, methods[method]);
}

size_t sip_dialog_request(const struct sip_dialog *dialog, enum sip_method method, uint32_t cseq,
                          const char *authorization, char text[SIP_BYTES_MAX])
{
    struct writer out;

    writer_init(&out, text);
    put_request(&out, dialog, method, method == SIP_ACK ? "a" : "", cseq, bf_str(dialog->to));
    if (method == SIP_INVITE)
        put(&out, "Contact: <sip:%s@127.0.0.1:%u>\r\n", dialog->caller.number, dialog->port);
    put(&out, "%s%sContent-Length: 0\r\n\r\n", dialog->routes, authorization);
    return written(&out);
}

size_t sip_dialog_ack_refusal(const struct sip_dialog *dialog, const struct sip_packet *refusal,
                              char text[SIP_BYTES_MAX])
{
    struct writer out;

    writer_init(&out, text);
    put_request(&out, dialog, SIP_ACK, "", refusal->cseq, refusal->to);
    put(&out, "Content-Length: 0\r\n\r\n");
    return written(&out);
}

size_t sip_dialog_answer(struct bf_str packet, int status, uint16_t port, char text[SIP_BYTES_MAX])
{
    static const char *const copied[] = {"Via:", "Record-Route:", "From:", "Call-ID:", "CSeq:"};
    struct writer out;
    struct bf_str line;

    writer_init(&out, text);
    put(&out, "SIP/2.0 %d %s\r\n", status, status < 200 ? "Ringing" : "OK");
    while (sip_next_line(&packet, &line)) {
        if (sip_starts(line, BF_STR("To:")))
            put(&out, "%.*s%s\r\n", (int)line.len, line.at,
                memmem(line.at, line.len, ";tag=", 5) ? "" : ";tag=callee");
        for (size_t i = 0; i < BF_LEN(copied); i++) {
            if (sip_starts(line, bf_str(copied[i])))
                put(&out, "%.*s\r\n", (int)line.len, line.at);
        }
    }
    put(&out, "Contact: <sip:callee@127.0.0.1:%u>\r\nContent-Length: 0\r\n\r\n", port);
    return written(&out);
}

// ---- in

static enum sip_method method_of(struct bf_str text)
{
    for (enum sip_method method = SIP_INVITE; method <= SIP_BYE; method++) {
        if (bf_str_eq(text, bf_str(methods[method])))
            return method;
    }
    return SIP_OTHER;
}

// Takes `name` and the space behind it off the line. False: it is another header.
static bool value_of(struct bf_str line, struct bf_str name, struct bf_str *ret_value)
{
    if (!sip_starts(line, name))
        return false;
    *ret_value = (struct bf_str){line.at + name.len, line.len - name.len};
    while (ret_value->len > 0 && *ret_value->at == ' ') {
        ret_value->at++;
        ret_value->len--;
    }
    return true;
}

static struct bf_str uri_of(struct bf_str value)
{
    const char *from = memchr(value.at, '<', value.len);
    const char *end = from ? memchr(from, '>', (size_t)(value.at + value.len - from)) : NULL;

    return end ? (struct bf_str){from + 1, (size_t)(end - from - 1)} : (struct bf_str){0};
}

static bool parse_cseq(struct bf_str value, struct sip_packet *packet)
{
    const char *space = memchr(value.at, ' ', value.len);
    int64_t number;

    if (!space ||
        !bf_parse_int((struct bf_str){value.at, (size_t)(space - value.at)}, 1, UINT32_MAX, &number))
        return false;
    packet->cseq = (uint32_t)number;
    packet->method = method_of((struct bf_str){space + 1, (size_t)(value.at + value.len - space - 1)});
    return true;
}

static void take_header(struct bf_str line, struct sip_packet *packet, bool *identified)
{
    struct bf_str value;

    if (value_of(line, BF_STR("Call-ID:"), &value))
        *identified = sip_parse_tag(value, &packet->tag);
    else if (value_of(line, BF_STR("To:"), &value))
        packet->to = value;
    else if (value_of(line, BF_STR("Contact:"), &value))
        packet->contact = uri_of(value);
    else if (value_of(line, BF_STR("Record-Route:"), &value) && packet->route_count < SIP_ROUTES_MAX)
        packet->routes[packet->route_count++] = value;
    else if (sip_starts(line, BF_STR("Proxy-Authenticate:")))
        packet->challenged = sip_parse_challenge(line, &packet->challenge);
}

bool sip_dialog_parse(struct bf_str packet, struct sip_packet *ret_packet)
{
    struct bf_str line, value;
    bool identified = false, numbered = false;

    *ret_packet = (struct sip_packet){0};
    if (!sip_next_line(&packet, &line))
        return false;
    if (sip_starts(line, BF_STR("SIP/2.0 ")) && !sip_parse_status(line, &ret_packet->status))
        return false;
    while (sip_next_line(&packet, &line)) {
        if (value_of(line, BF_STR("CSeq:"), &value))
            numbered = parse_cseq(value, ret_packet);
        else
            take_header(line, ret_packet, &identified);
    }
    return identified && numbered && ret_packet->method != SIP_OTHER;
}
