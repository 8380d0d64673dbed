// Writing and reading the few SIP messages of sipload.
#include "sipload_message.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "bf_crypto.h"

#define MD5_HEX_SIZE (2 * BF_MD5_BYTES + 1)
#define BRANCH       "branch=z9hG4bK"
#define TAG_HEX      24
#define CNONCE       "0a4f113b" // it protects the client, and this one has no secret

bool sip_digest_init(struct sip_digest *digest)
{
    digest->md5 = EVP_MD_fetch(NULL, "MD5", NULL);
    digest->context = EVP_MD_CTX_new();
    return digest->md5 && digest->context;
}

void sip_digest_release(struct sip_digest *digest)
{
    EVP_MD_CTX_free(digest->context);
    EVP_MD_free(digest->md5);
}

// ---- out
// -----------------------------------------------------------------------------------------------------------

static size_t fits(int written, size_t size)
{
    return written > 0 && (size_t)written < size ? (size_t)written : 0;
}

size_t sip_options(const struct sip_request *request, char text[SIP_BYTES_MAX])
{
    const struct sip_user *user = request->user;
    struct sip_tag tag = request->tag;

    return fits(snprintf(text, SIP_BYTES_MAX,
                         "OPTIONS sip:%s SIP/2.0\r\n"
                         "Via: SIP/2.0/UDP 127.0.0.1:%u;rport;" BRANCH "%08x%08x%08x\r\n"
                         "Max-Forwards: 70\r\n"
                         "From: <sip:%s@%s>;tag=%08x\r\n"
                         "To: <sip:%s>\r\n"
                         "Call-ID: %08x%08x@127.0.0.1\r\n"
                         "CSeq: %u OPTIONS\r\n"
                         "Content-Length: 0\r\n\r\n",
                         user->domain, request->local_port, tag.run, tag.slot, tag.generation, user->number,
                         user->domain, tag.run, user->domain, tag.slot, tag.generation, request->cseq),
                SIP_BYTES_MAX);
}

// The Call-ID stays the same for a user during a run and CSeq only rises, as with a real phone (RFC
// 3261 10.2).
size_t sip_register(const struct sip_request *request, char text[SIP_BYTES_MAX])
{
    const struct sip_user *user = request->user;
    struct sip_tag tag = request->tag;

    return fits(snprintf(text, SIP_BYTES_MAX,
                         "REGISTER sip:%s SIP/2.0\r\n"
                         "Via: SIP/2.0/UDP 127.0.0.1:%u;rport;" BRANCH "%08x%08x%08x\r\n"
                         "Max-Forwards: 70\r\n"
                         "From: <sip:%s@%s>;tag=%08x\r\n"
                         "To: <sip:%s@%s>\r\n"
                         "Call-ID: %08x-%s-%s\r\n"
                         "CSeq: %u REGISTER\r\n"
                         "Contact: <sip:%s@127.0.0.1:%u>\r\n"
                         "Expires: %d\r\n"
                         "%s"
                         "User-Agent: sipload\r\n"
                         "Content-Length: 0\r\n\r\n",
                         user->domain, request->local_port, tag.run, tag.slot, tag.generation, user->number,
                         user->domain, tag.generation, user->number, user->domain, tag.run, user->number,
                         user->domain, request->cseq, user->number, request->local_port, request->expires_s,
                         request->authorization),
                SIP_BYTES_MAX);
}

// Hex MD5 of the texts joined by ':'; NULL ends the list.
static bool md5_joined(struct sip_digest *digest, char ret_hex[MD5_HEX_SIZE], const char *first, ...)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    va_list rest;

    bool ok = EVP_DigestInit_ex2(digest->context, digest->md5, NULL) &&
              EVP_DigestUpdate(digest->context, first, strlen(first));
    va_start(rest, first);
    for (const char *text = va_arg(rest, const char *); ok && text; text = va_arg(rest, const char *))
        ok = EVP_DigestUpdate(digest->context, ":", 1) &&
             EVP_DigestUpdate(digest->context, text, strlen(text));
    va_end(rest);
    ok = ok && EVP_DigestFinal_ex(digest->context, hash, NULL);
    if (ok)
        bf_hex(hash, BF_MD5_BYTES, ret_hex);
    return ok;
}

bool sip_authorize(struct sip_digest *digest, const struct sip_challenge *challenge,
                   const struct sip_protected *what, uint32_t nonce_count, char *ret_line, size_t size)
{
    char count[9];
    char ha1[MD5_HEX_SIZE], ha2[MD5_HEX_SIZE], response[MD5_HEX_SIZE];
    char qop[64] = "";

    snprintf(count, sizeof(count), "%08x", nonce_count);
    bool ok = md5_joined(digest, ha1, what->user->number, challenge->realm, what->password, NULL) &&
              md5_joined(digest, ha2, what->method, what->uri, NULL);
    if (challenge->qop) {
        ok = ok && md5_joined(digest, response, ha1, challenge->nonce, count, CNONCE, "auth", ha2, NULL);
        snprintf(qop, sizeof(qop), ", qop=auth, nc=%s, cnonce=\"" CNONCE "\"", count);
    } else {
        ok = ok && md5_joined(digest, response, ha1, challenge->nonce, ha2, NULL);
    }
    if (!ok)
        return false;
    return fits(snprintf(ret_line, size,
                         "%s: Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", uri=\"%s\", "
                         "response=\"%s\", algorithm=MD5%s%s%s%s\r\n",
                         what->header, what->user->number, challenge->realm, challenge->nonce, what->uri,
                         response, qop, challenge->opaque[0] ? ", opaque=\"" : "", challenge->opaque,
                         challenge->opaque[0] ? "\"" : ""),
                size) > 0;
}

// ---- in
// ------------------------------------------------------------------------------------------------------------

bool sip_next_line(struct bf_str *rest, struct bf_str *ret_line)
{
    const char *end = memmem(rest->at, rest->len, "\r\n", 2);

    if (!end || end == rest->at)
        return false;
    *ret_line = (struct bf_str){rest->at, (size_t)(end - rest->at)};
    rest->at = end + 2;
    rest->len -= ret_line->len + 2;
    return true;
}

bool sip_starts(struct bf_str text, struct bf_str with)
{
    return text.len >= with.len && strncasecmp(text.at, with.at, with.len) == 0;
}

bool sip_parse_tag(struct bf_str hex, struct sip_tag *ret_tag)
{
    uint8_t bytes[TAG_HEX / 2];
    uint32_t parts[3] = {0};

    if (hex.len < TAG_HEX || !bf_unhex((struct bf_str){hex.at, TAG_HEX}, bytes, sizeof(bytes)))
        return false;
    for (size_t i = 0; i < sizeof(bytes); i++)
        parts[i / 4] = parts[i / 4] << 8 | bytes[i];
    *ret_tag = (struct sip_tag){parts[0], parts[1], parts[2]};
    return true;
}

static bool parse_branch(struct bf_str via, struct sip_tag *ret_tag)
{
    const char *branch = memmem(via.at, via.len, BRANCH, sizeof(BRANCH) - 1);

    if (!branch)
        return false;
    branch += sizeof(BRANCH) - 1;
    return sip_parse_tag((struct bf_str){branch, (size_t)(via.at + via.len - branch)}, ret_tag);
}

// The quoted value of `name` (given with its `="`), or "" when it is absent or too long to be one of ours.
static void parse_quoted(struct bf_str line, struct bf_str name, char ret_value[SIP_TEXT_MAX])
{
    const char *at = memmem(line.at, line.len, name.at, name.len);

    ret_value[0] = '\0';
    if (!at)
        return;
    at += name.len;
    const char *end = memchr(at, '"', (size_t)(line.at + line.len - at));
    if (!end || end - at >= SIP_TEXT_MAX)
        return;
    memcpy(ret_value, at, (size_t)(end - at));
    ret_value[end - at] = '\0';
}

bool sip_parse_challenge(struct bf_str line, struct sip_challenge *ret_challenge)
{
    parse_quoted(line, BF_STR("realm=\""), ret_challenge->realm);
    parse_quoted(line, BF_STR(" nonce=\""), ret_challenge->nonce);
    parse_quoted(line, BF_STR("opaque=\""), ret_challenge->opaque);
    ret_challenge->qop = memmem(line.at, line.len, "qop=", 4) != NULL;
    ret_challenge->stale = memmem(line.at, line.len, "stale=true", 10) != NULL;
    return ret_challenge->realm[0] && ret_challenge->nonce[0];
}

bool sip_parse_status(struct bf_str line, int *ret_status)
{
    int64_t status;

    if (line.len < 11 || !sip_starts(line, BF_STR("SIP/2.0 ")) ||
        !bf_parse_int((struct bf_str){line.at + 8, 3}, 100, 699, &status))
        return false;
    *ret_status = (int)status;
    return true;
}

bool sip_parse(struct bf_str packet, struct sip_answer *ret_answer)
{
    struct bf_str line;
    bool tagged = false;

    if (!sip_next_line(&packet, &line) || !sip_parse_status(line, &ret_answer->status))
        return false;
    ret_answer->challenged = false;
    while (sip_next_line(&packet, &line)) {
        if (!tagged && sip_starts(line, BF_STR("Via:")))
            tagged = parse_branch(line, &ret_answer->tag);
        else if (sip_starts(line, BF_STR("WWW-Authenticate:")))
            ret_answer->challenged = sip_parse_challenge(line, &ret_answer->challenge);
    }
    return tagged;
}
