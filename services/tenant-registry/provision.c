// Codes of provisioning links, and what they give.
#include "provision.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bf_base64.h"

#define PURPOSE "provision" // what else is sealed under this key never begins so

// ---- the code: an id of its own, and sealed to it "provision <tenant> <expires ms> <number>", in base64url

enum bf_err provision_code(const struct bf_vault *vault, const struct provision *provision,
                           char code[PROVISION_CODE_SIZE])
{
    struct bf_id id = bf_id_new();
    char tenant[BF_ID_TEXT_SIZE];
    bf_autofree char *text = bf_xasprintf(PURPOSE " %s %" PRIu64 " %s", bf_id_text(provision->tenant, tenant),
                                          provision->expires_ms, provision->number);
    bf_autofree uint8_t *sealed = NULL;
    bf_cleanup(bf_buf_release) struct bf_buf bytes, encoded;
    size_t len;

    bf_buf_init(&bytes, PROVISION_CODE_SIZE);
    bf_buf_init(&encoded, PROVISION_CODE_SIZE - 1);
    enum bf_err err = bf_vault_seal(vault, id, text, &sealed, &len);
    if (err)
        return err;
    bf_buf_add(&bytes, id.bytes, sizeof(id.bytes));
    bf_buf_add(&bytes, sealed, len);
    bf_base64url(&encoded, bytes.at, bytes.len);
    if (!bf_buf_ok(&bytes) || !bf_buf_ok(&encoded))
        return BF_INTERNAL;
    memcpy(code, encoded.at, encoded.len + 1);
    return BF_OK;
}

static struct bf_str next_word(const char **at)
{
    struct bf_str word = {*at, strcspn(*at, " ")};

    *at += word.len + ((*at)[word.len] == ' ');
    return word;
}

static bool text_read(const char *at, struct provision *provision)
{
    int64_t expires_ms;

    if (!bf_str_eq(next_word(&at), BF_STR(PURPOSE)) || !bf_id_parse(next_word(&at), &provision->tenant) ||
        !bf_parse_int(next_word(&at), 0, INT64_MAX, &expires_ms) || extension_number_check(bf_str(at)))
        return false;
    provision->expires_ms = (uint64_t)expires_ms;
    memcpy(provision->number, at, strlen(at) + 1);
    return true;
}

bool provision_read(const struct bf_vault *vault, struct bf_str code, uint64_t now_ms,
                    struct provision *ret_provision)
{
    uint8_t bytes[BF_BASE64_DECODED(PROVISION_CODE_SIZE)];
    struct provision provision;
    struct bf_id id;
    char *text = NULL;
    size_t len;

    if (code.len >= PROVISION_CODE_SIZE || !bf_unbase64url(code, bytes, &len) || len <= sizeof(id.bytes))
        return false;
    memcpy(id.bytes, bytes, sizeof(id.bytes));
    if (bf_vault_open(vault, id, bytes + sizeof(id.bytes), len - sizeof(id.bytes), &text))
        return false;
    bool good = text_read(text, &provision) && provision.expires_ms > now_ms;
    bf_vault_forget(text);
    if (good)
        *ret_provision = provision;
    return good;
}

// ---- what it gives

static void xml_text(struct bf_buf *into, const char *text)
{
    for (; *text; text++) {
        if (strchr("&<>\"'", *text))
            bf_buf_fmt(into, "&#%d;", *text);
        else
            bf_buf_add(into, text, 1);
    }
}

static void entry(struct bf_buf *into, const char *name, const char *value)
{
    bf_buf_fmt(into, "    <entry name=\"%s\" overwrite=\"true\">", name);
    xml_text(into, value);
    bf_buf_str(into, "</entry>\n");
}

void provision_xml(const struct provision_account *account, struct bf_buf *into)
{
    bool v6 = strchr(account->edge->host, ':') != NULL;
    bf_autofree char *name = *account->name ? bf_xasprintf("\"%s\" ", account->name) : bf_xstrdup("");
    bf_autofree char *identity = bf_xasprintf("%s<sip:%s@%s>", name, account->number, account->domain);
    bf_autofree char *proxy = bf_xasprintf("<sip:%s%s%s:%d;transport=tcp;lr>", v6 ? "[" : "",
                                           account->edge->host, v6 ? "]" : "", (int)account->edge->port);
    char ha1[2 * BF_MD5_BYTES + 1];

    for (size_t i = 0; i < BF_MD5_BYTES; i++)
        snprintf(ha1 + 2 * i, 3, "%02x", account->ha1_md5[i]);
    bf_buf_str(into,
               "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
               "<config xmlns=\"http://www.linphone.org/xsds/lpconfig.xsd\">\n  <section name=\"sip\">\n");
    entry(into, "default_proxy", "0");
    bf_buf_str(into, "  </section>\n  <section name=\"proxy_0\">\n");
    entry(into, "reg_identity", identity);
    entry(into, "reg_proxy", proxy);
    entry(into, "reg_route", proxy);
    entry(into, "reg_sendregister", "1");
    entry(into, "reg_expires", "600");
    entry(into, "publish", "0");
    bf_buf_str(into, "  </section>\n  <section name=\"auth_info_0\">\n");
    entry(into, "username", account->number);
    entry(into, "domain", account->domain);
    entry(into, "realm", account->realm);
    entry(into, "ha1", ha1);
    entry(into, "algorithm", "MD5");
    bf_buf_str(into, "  </section>\n</config>\n");
    explicit_bzero(ha1, sizeof(ha1));
}
