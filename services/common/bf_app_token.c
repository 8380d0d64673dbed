// JWTs of one form.
#include "bf_app_token.h"

#include <jansson.h>
#include <string.h>

#include "bf_base64.h"
#include "bf_json.h"

#define ISSUER   "belfry"
#define AUDIENCE "belfry-app"

const char *const bf_app_verdicts[BF_APP_VERDICTS] = {
    [BF_APP_GOOD] = "",
    [BF_APP_MALFORMED] = "this is no app token of this platform",
    [BF_APP_UNKNOWN_KEY] = "this token's key is unknown or revoked: get a new token",
    [BF_APP_FORGED] = "this token's signature is wrong",
    [BF_APP_EXPIRED] = "this token has expired: get a new one",
    [BF_APP_EARLY] = "this token is of the future: compare the clocks",
};

bool bf_app_kid_ok(struct bf_str kid)
{
    for (size_t i = 0; i < kid.len; i++)
        if (!(kid.at[i] >= '0' && kid.at[i] <= '9') && !(kid.at[i] >= 'a' && kid.at[i] <= 'z') &&
            !(kid.at[i] >= 'A' && kid.at[i] <= 'Z') && kid.at[i] != '-' && kid.at[i] != '_')
            return false;
    return kid.len >= 1 && kid.len <= BF_APP_KEY_ID_BYTES_MAX;
}

// ---- making

static void add_part(struct bf_buf *into, json_t *part)
{
    char *text = json_dumps(part, JSON_COMPACT);

    bf_base64url(into, text, strlen(text));
    free(text);
    json_decref(part);
}

char *bf_app_token_sign(const struct bf_app_token *token, const char *kid,
                        const uint8_t private_key[BF_ED25519_BYTES])
{
    bf_cleanup(bf_buf_release) struct bf_buf text;
    char tenant[BF_ID_TEXT_SIZE], id[BF_ID_TEXT_SIZE], extension[BF_ID_TEXT_SIZE];
    uint8_t signature[BF_ED25519_SIGNATURE_BYTES];

    bf_buf_init(&text, BF_APP_TOKEN_BYTES_MAX);
    add_part(&text, json_pack("{s:s, s:s, s:s}", "alg", "EdDSA", "typ", "JWT", "kid", kid));
    bf_buf_str(&text, ".");
    add_part(&text, json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:s}", "iss", ISSUER, "aud", AUDIENCE,
                              "sub", token->number, "ext", bf_id_text(token->extension, extension), "tenant",
                              bf_id_text(token->tenant, tenant), "iat", (json_int_t)token->issued_s, "exp",
                              (json_int_t)token->expires_s, "jti", bf_id_text(token->id, id)));
    bf_ed25519_sign(private_key, text.at, text.len, signature);
    bf_buf_str(&text, ".");
    bf_base64url(&text, signature, sizeof(signature));
    return bf_xstrndup(text.at, text.len);
}

// ---- checking

// A JSON object out of one part; NULL: it is none. The caller releases it.
static json_t *object_of(struct bf_str part)
{
    char text[BF_BASE64_DECODED(BF_APP_TOKEN_BYTES_MAX)];
    struct bf_json_fault fault;
    json_t *json = NULL;
    size_t len;

    if (!bf_unbase64url(part, text, &len) || bf_json_parse((struct bf_str){text, len}, &json, &fault))
        return NULL;
    if (json_is_object(json))
        return json;
    json_decref(json);
    return NULL;
}

static struct bf_str text_of(const json_t *object, const char *name)
{
    const json_t *text = json_object_get(object, name);

    return json_is_string(text) ? (struct bf_str){json_string_value(text), json_string_length(text)}
                                : (struct bf_str){"", 0};
}

// A time that must be there, or (0) may not be.
static bool time_of(const json_t *object, const char *name, bool required, uint64_t *ret_s)
{
    const json_t *value = json_object_get(object, name);
    json_int_t seconds = json_integer_value(value);

    *ret_s = 0;
    if (!value)
        return !required;
    if (!json_is_integer(value) || seconds <= 0 || seconds > (json_int_t)1 << 40)
        return false;
    *ret_s = (uint64_t)seconds;
    return true;
}

// `crit` would name what must be understood: nothing is.
static bool header_ok(const json_t *header, struct bf_str *ret_kid)
{
    *ret_kid = text_of(header, "kid");
    return bf_str_eq(text_of(header, "alg"), BF_STR("EdDSA")) &&
           bf_str_eq(text_of(header, "typ"), BF_STR("JWT")) && bf_app_kid_ok(*ret_kid) &&
           !json_object_get(header, "crit");
}

static const struct bf_app_key *key_of(struct bf_str part, const struct bf_app_key *keys, size_t count,
                                       bool *ret_ok)
{
    json_t *header = object_of(part);
    const struct bf_app_key *found = NULL;
    struct bf_str kid;

    *ret_ok = header && header_ok(header, &kid);
    for (size_t i = 0; *ret_ok && i < count; i++)
        if (bf_str_eq(kid, bf_str(keys[i].kid)))
            found = &keys[i];
    json_decref(header);
    return found;
}

static bool claims_read(const json_t *claims, struct bf_app_token *token, uint64_t *ret_not_before_s)
{
    struct bf_str number = text_of(claims, "sub");

    if (!bf_str_eq(text_of(claims, "iss"), BF_STR(ISSUER)) ||
        !bf_str_eq(text_of(claims, "aud"), BF_STR(AUDIENCE)) || number.len == 0 ||
        number.len >= sizeof(token->number) || memchr(number.at, '\0', number.len) ||
        !bf_id_parse(text_of(claims, "tenant"), &token->tenant) || bf_id_is_nil(token->tenant) ||
        !bf_id_parse(text_of(claims, "jti"), &token->id))
        return false;
    memcpy(token->number, number.at, number.len);
    if (json_object_get(claims, "ext") && !bf_id_parse(text_of(claims, "ext"), &token->extension))
        return false;
    return time_of(claims, "iat", true, &token->issued_s) &&
           time_of(claims, "exp", true, &token->expires_s) && token->expires_s > token->issued_s &&
           token->expires_s - token->issued_s <= BF_APP_TOKEN_LIFE_S &&
           time_of(claims, "nbf", false, ret_not_before_s);
}

static enum bf_app_verdict claims_check(struct bf_str part, const struct bf_app_key *key, uint64_t now_s,
                                        struct bf_app_token *ret_token)
{
    struct bf_app_token token = {.number = ""};
    uint64_t not_before_s = 0;
    json_t *claims = object_of(part);
    bool good = claims && claims_read(claims, &token, &not_before_s);

    json_decref(claims);
    if (!good)
        return BF_APP_MALFORMED;
    if (token.expires_s <= now_s || (key->not_after_ms && now_s * 1000 > key->not_after_ms))
        return BF_APP_EXPIRED;
    if (token.issued_s > now_s + BF_APP_TOKEN_SKEW_S || not_before_s > now_s + BF_APP_TOKEN_SKEW_S ||
        key->not_before_ms > (now_s + BF_APP_TOKEN_SKEW_S) * 1000)
        return BF_APP_EARLY;
    *ret_token = token;
    return BF_APP_GOOD;
}

enum bf_app_verdict bf_app_token_check(struct bf_str text, const struct bf_app_key *keys, size_t count,
                                       uint64_t now_s, struct bf_app_token *ret_token)
{
    uint8_t signature[BF_BASE64_DECODED(BF_APP_TOKEN_BYTES_MAX)];
    size_t len;
    bool ok;

    if (text.len == 0 || text.len > BF_APP_TOKEN_BYTES_MAX)
        return BF_APP_MALFORMED;
    const char *first = memchr(text.at, '.', text.len);
    const char *last = memrchr(text.at, '.', text.len);
    if (!first || first == last)
        return BF_APP_MALFORMED;
    struct bf_str header = {text.at, (size_t)(first - text.at)};
    struct bf_str claims = {first + 1, (size_t)(last - first - 1)};
    struct bf_str signed_text = {text.at, (size_t)(last - text.at)};
    const struct bf_app_key *key = key_of(header, keys, count, &ok);
    if (!ok || !bf_unbase64url((struct bf_str){last + 1, text.len - signed_text.len - 1}, signature, &len) ||
        len != BF_ED25519_SIGNATURE_BYTES)
        return BF_APP_MALFORMED;
    if (!key)
        return BF_APP_UNKNOWN_KEY;
    if (!bf_ed25519_good(key->ed25519, signed_text.at, signed_text.len, signature))
        return BF_APP_FORGED;
    return claims_check(claims, key, now_s, ret_token);
}
