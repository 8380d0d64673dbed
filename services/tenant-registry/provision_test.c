// Provisioning links: their codes and what they give.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "bf_base64.h"
#include "provision.h"

static const struct provision door = {.tenant = {{1, 2, 3}}, .number = "front-door", .expires_ms = 5000};

static void a_code_says_whose_phone_it_is_until_it_is_over(void **state)
{
    struct bf_vault vault, other;
    struct provision read;
    char code[PROVISION_CODE_SIZE];

    bf_vault_init(&vault, "a passphrase of some length");
    bf_vault_init(&other, "another one, of another place");
    assert_int_equal(provision_code(&vault, &door, code), BF_OK);
    assert_true(provision_read(&vault, bf_str(code), 4999, &read));
    assert_string_equal(read.number, "front-door");
    assert_memory_equal(&read.tenant, &door.tenant, sizeof(read.tenant));
    assert_false(provision_read(&vault, bf_str(code), 5000, &read));
    assert_false(provision_read(&other, bf_str(code), 0, &read));
}

static void a_changed_code_is_none(void **state)
{
    struct bf_vault vault;
    struct provision read;
    char code[PROVISION_CODE_SIZE];

    bf_vault_init(&vault, "a passphrase of some length");
    assert_int_equal(provision_code(&vault, &door, code), BF_OK);
    for (size_t i = 0; i < strlen(code); i++) {
        char was = code[i];
        code[i] = was == 'A' ? 'B' : 'A';
        assert_false(provision_read(&vault, bf_str(code), 0, &read));
        code[i] = was;
    }
    assert_false(provision_read(&vault, BF_STR(""), 0, &read));
    assert_false(provision_read(&vault, BF_STR("AAAA"), 0, &read));
    assert_false(provision_read(&vault, (struct bf_str){code, strlen(code) - 1}, 0, &read));
}

// What else is sealed under the same key does not become a link.
static void another_secret_is_no_code(void **state)
{
    struct bf_vault vault;
    struct provision read;
    struct bf_id row = bf_id_new();
    uint8_t *sealed, bytes[256];
    size_t len;
    struct bf_buf code;

    bf_vault_init(&vault, "a passphrase of some length");
    assert_int_equal(bf_vault_seal(&vault, row, "00112233445566778899aabbccddeeff", &sealed, &len), BF_OK);
    memcpy(bytes, row.bytes, sizeof(row.bytes));
    memcpy(bytes + sizeof(row.bytes), sealed, len);
    bf_buf_init(&code, 1024);
    bf_base64url(&code, bytes, sizeof(row.bytes) + len);
    assert_false(provision_read(&vault, (struct bf_str){code.at, code.len}, 0, &read));
    bf_buf_release(&code);
    free(sealed);
}

static void names_cannot_break_out_of_the_file(void **state)
{
    const uint8_t ha1[BF_MD5_BYTES] = {0xab, 0x01};
    const struct dns_edge edge = {"2001:db8::1", 5060};
    struct bf_buf xml;

    bf_buf_init(&xml, PROVISION_XML_BYTES_MAX);
    provision_xml(&(struct provision_account){"100", "<b>&'", "acme.example", "acme.example", ha1, &edge},
                  &xml);
    assert_true(bf_buf_ok(&xml));
    assert_null(strstr(xml.at, "<b>"));
    assert_non_null(strstr(xml.at, "&#60;b&#62;&#38;&#39;"));
    assert_non_null(strstr(xml.at, "sip:[2001:db8::1]:5060;transport=tcp"));
    assert_non_null(strstr(xml.at, ">ab010000000000000000000000000000<"));
    bf_buf_release(&xml);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_code_says_whose_phone_it_is_until_it_is_over),
        cmocka_unit_test(a_changed_code_is_none),
        cmocka_unit_test(another_secret_is_no_code),
        cmocka_unit_test(names_cannot_break_out_of_the_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
