// $tenant(name): one table says where each value comes from.
#include "tenant_mod.h"

#include <string.h>
#include "core/dprint.h"
#include "core/parser/msg_parser.h"

#include "tenant_sdp.h"

#define SDP_BYTES_MAX 65536 // more than a message that the edge takes can have

enum kind {
    ID,
    TEXT,   // text at `offset`, its length at `length`
    NUMBER, // uint32_t at `offset`
    STATE,
    KNOWN,
    HEX,   // `length` bytes at `offset`
    WORDS, // const char * at `offset`; null when empty
    SDP,   // of the message's body
    // Of the plan: in struct tenant_plan_values, at `offset`
    PLAN_ID,
    PLAN_TEXT,
    PLAN_NUMBER, // null when 0
};

struct var {
    const char *name;
    enum kind kind;
    bool needs_credential;
    size_t offset, length;
};

#define AT(field)      offsetof(struct tenant_values, field)
#define PLAN_AT(field) offsetof(struct tenant_plan_values, field)

static const struct var VARS[] = {
    {"id", ID, false, 0, 0},
    {"slug", TEXT, false, AT(match.slug), AT(match.slug_len)},
    {"realm", TEXT, false, AT(match.realm), AT(match.realm_len)},
    {"status", STATE, false, 0, 0},
    {"domain", TEXT, false, AT(match.domain), AT(match.domain_len)},
    {"max_calls", NUMBER, false, AT(match.limits.max_calls), 0},
    {"max_registrations", NUMBER, false, AT(match.limits.max_registrations), 0},
    {"calls_per_second", NUMBER, false, AT(match.limits.calls_per_second), 0},
    {"user", TEXT, true, AT(user), AT(user_len)},
    {"known", KNOWN, true, 0, 0},
    {"ha1", HEX, true, AT(credential.ha1_md5), TENANT_HA1_MD5_BYTES},
    {"ha1_sha256", HEX, true, AT(credential.ha1_sha256), TENANT_HA1_SHA256_BYTES},
    {"max_contacts", NUMBER, true, AT(credential.max_contacts), 0},
    {"token_why", WORDS, false, AT(token.why), 0},
    {"sdp", SDP, false, 0, 0},
    {"call", PLAN_ID, false, PLAN_AT(call), 0},
    {"plan_code", PLAN_NUMBER, false, PLAN_AT(code), 0},
    {"plan_reason", PLAN_TEXT, false, PLAN_AT(reason), 0},
    {"plan_why", PLAN_TEXT, false, PLAN_AT(why), 0},
    {"caller_name", PLAN_TEXT, false, PLAN_AT(caller_name), 0},
    {"branch_number", PLAN_TEXT, false, PLAN_AT(branch_number), 0},
    {"step_seconds", PLAN_NUMBER, false, PLAN_AT(step_seconds), 0},
};

int tenant_var_parse(pv_spec_t *spec, str *name)
{
    struct bf_str wanted = {name->s, (size_t)name->len};

    for (size_t i = 0; i < BF_LEN(VARS); i++) {
        if (!bf_str_eq(bf_str(VARS[i].name), wanted))
            continue;
        spec->pvp.pvn.type = PV_NAME_INTSTR;
        spec->pvp.pvn.u.isname.type = 0;
        spec->pvp.pvn.u.isname.name.n = (int)i;
        return 0;
    }
    LM_ERR("$tenant(%.*s) does not exist; kamailio-modules/tenant/README.md lists the names\n", name->len,
           name->s);
    return -1;
}

static int get_hex(sip_msg_t *msg, pv_param_t *param, pv_value_t *value, const uint8_t *bytes, size_t len)
{
    static const char DIGITS[] = "0123456789abcdef";
    // A value must outlive the next one of another variable: ha1 and ha1_sha256 may stand in one expression.
    static char texts[2][2 * TENANT_HA1_SHA256_BYTES + 1];
    char *text = texts[len == TENANT_HA1_MD5_BYTES];

    for (size_t i = 0; i < len; i++) {
        text[2 * i] = DIGITS[bytes[i] >> 4];
        text[2 * i + 1] = DIGITS[bytes[i] & 15];
    }
    text[2 * len] = '\0';
    return pv_get_strlval(msg, param, value, text, (int)(2 * len));
}

static int get_plan(sip_msg_t *msg, pv_param_t *param, pv_value_t *value, const struct var *var)
{
    static char id[BF_ID_TEXT_SIZE];
    struct tenant_plan_values values;
    const char *at = (const char *)&values + var->offset;
    struct bf_str text;
    uint32_t number;

    if (!tenant_plan_values_of(msg, &values))
        return pv_get_null(msg, param, value);
    if (var->kind == PLAN_ID)
        return pv_get_strzval(msg, param, value, (char *)bf_id_text(values.call, id));
    if (var->kind == PLAN_NUMBER) {
        memcpy(&number, at, sizeof(number));
        return number > 0 ? pv_get_uintval(msg, param, value, number) : pv_get_null(msg, param, value);
    }
    memcpy(&text, at, sizeof(text));
    return text.len > 0 ? pv_get_strlval(msg, param, value, (char *)text.at, (int)text.len)
                        : pv_get_null(msg, param, value);
}

static int get_sdp(sip_msg_t *msg, pv_param_t *param, pv_value_t *value)
{
    static char text[SDP_BYTES_MAX];
    const char *body = msg ? get_body(msg) : NULL;
    struct bf_str sdp = {body, body ? (size_t)(msg->buf + msg->len - body) : 0};

    if (sdp.len == 0 || sdp.len > sizeof(text))
        return pv_get_null(msg, param, value);
    sdp = tenant_sdp_without_ssrc(sdp, text);
    return pv_get_strlval(msg, param, value, text, (int)sdp.len);
}

int tenant_var_get(sip_msg_t *msg, pv_param_t *param, pv_value_t *value)
{
    static char id[BF_ID_TEXT_SIZE];
    const struct var *var = &VARS[param->pvn.u.isname.name.n];
    const struct tenant_values *values = tenant_values_of(msg);
    const char *base = (const char *)values;
    uint32_t number;

    if (var->kind == SDP)
        return get_sdp(msg, param, value);
    if (var->kind >= PLAN_ID)
        return get_plan(msg, param, value, var);
    if (!values || (var->needs_credential && !values->asked))
        return pv_get_null(msg, param, value);
    switch (var->kind) {
    case ID:
        return pv_get_strzval(msg, param, value, (char *)bf_id_text(values->match.id, id));
    case TEXT:
        return pv_get_strlval(msg, param, value, (char *)base + var->offset,
                              *(const uint8_t *)(base + var->length));
    case NUMBER:
        memcpy(&number, base + var->offset, sizeof(number));
        return pv_get_uintval(msg, param, value, number);
    case STATE:
        return pv_get_strzval(msg, param, value,
                              values->match.status == TENANT_ACTIVE ? "active" : "suspended");
    case KNOWN:
        return pv_get_uintval(msg, param, value, values->credential.known);
    case HEX:
        return get_hex(msg, param, value, (const uint8_t *)base + var->offset, var->length);
    case WORDS:
        return **(const char *const *)(base + var->offset)
                   ? pv_get_strzval(msg, param, value, *(char **)(base + var->offset))
                   : pv_get_null(msg, param, value);
    default:
        break;
    }
    return pv_get_null(msg, param, value);
}
