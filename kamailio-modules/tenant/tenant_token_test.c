#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "tenant_fixture.h"
#include "tenant_token.h"

#define NOW 1800000000u

static const uint8_t secret[BF_ED25519_BYTES] = "an Ed25519 key of our registry.";
static struct bf_app_key key = {.kid = "now"};
static struct tenant_keys *keys;

static int start(void **state)
{
    bf_ed25519_public(secret, key.ed25519);
    keys = tenant_keys_init(aligned_alloc(64, (tenant_keys_bytes() + 63) & ~(size_t)63));
    return 0;
}

static int stop(void **state)
{
    free(keys);
    return 0;
}

static char *token(const char *kid, uint64_t expires_s)
{
    struct bf_app_token claims = {.tenant = fixture_id(1),
                                  .id = fixture_id(9),
                                  .extension = fixture_id(5),
                                  .number = "100",
                                  .issued_s = NOW - 60,
                                  .expires_s = expires_s};

    return bf_app_token_sign(&claims, kid, secret);
}

static struct tenant_token_user somebody(void)
{
    return (struct tenant_token_user){fixture_id(1), BF_STR("100"), fixture_id(5), true};
}

static enum tenant_token_verdict judge(const char *text, const struct tenant_token_user *user,
                                       struct tenant_token_answer *answer)
{
    return tenant_token_judge(keys, bf_str(text), user, NOW, answer);
}

static void test_nobody_can_say_before_the_keys_are_told(void **state)
{
    bf_autofree char *text = token("now", NOW + 90);
    struct tenant_token_user user = somebody();
    struct tenant_token_answer answer;

    assert_int_equal(judge(text, &user, &answer), TENANT_TOKEN_NO_KEYS);
    tenant_keys_put(keys, &key, 1);
    assert_int_equal(tenant_keys_count(keys), 1);
    assert_int_equal(judge(text, &user, &answer), TENANT_TOKEN_GOOD);
    assert_int_equal(answer.seconds, 90);
    assert_string_equal(answer.why, "");
}

static void refused(const struct tenant_token_user *user, const char *text, const char *why)
{
    struct tenant_token_answer answer;

    assert_int_equal(judge(text, user, &answer), TENANT_TOKEN_REFUSED);
    assert_string_equal(answer.why, why);
    assert_int_equal(answer.seconds, 0);
}

static void test_it_speaks_for_one_extension_of_one_tenant(void **state)
{
    bf_autofree char *text = token("now", NOW + 90);
    struct tenant_token_user user = somebody();
    struct tenant_token_answer answer;

    user.tenant = fixture_id(2);
    refused(&user, text, "this token is of another tenant");
    user = somebody();
    user.number = BF_STR("101");
    refused(&user, text, "this token is of another extension");
    user = somebody();
    user.known = false;
    refused(&user, text, "the extension of this token is gone");
    user = somebody();
    user.extension = fixture_id(6); // made again under the same number
    refused(&user, text, "the extension of this token is gone");
    user.extension = (struct bf_id){{0}}; // a registry that does not say
    assert_int_equal(judge(text, &user, &answer), TENANT_TOKEN_GOOD);
}

static void test_what_is_not_good_is_said(void **state)
{
    bf_autofree char *expired = token("now", NOW), *strange = token("other", NOW + 90);
    struct tenant_token_user user = somebody();
    struct tenant_token_answer answer;

    refused(&user, expired, bf_app_verdicts[BF_APP_EXPIRED]);
    refused(&user, "", bf_app_verdicts[BF_APP_MALFORMED]);
    assert_int_equal(judge(strange, &user, &answer), TENANT_TOKEN_UNKNOWN_KEY);
    assert_string_equal(answer.why, bf_app_verdicts[BF_APP_UNKNOWN_KEY]);
    for (size_t i = 0; i < BF_APP_VERDICTS; i++)
        assert_null(strpbrk(bf_app_verdicts[i], "\"\\")); // it stands in quotes
}

static void test_the_header(void **state)
{
    struct bf_str found;

    assert_true(tenant_token_of_header(BF_STR("Bearer a.b.c"), &found));
    assert_true(bf_str_eq(found, BF_STR("a.b.c")));
    assert_true(tenant_token_of_header(BF_STR("bearer  a"), &found));
    assert_true(bf_str_eq(found, BF_STR("a")));
    assert_false(tenant_token_of_header(BF_STR("Bearer "), &found));
    assert_false(tenant_token_of_header(BF_STR("Bearer"), &found));
    assert_false(tenant_token_of_header(BF_STR("Digest username=\"100\""), &found));
    assert_false(tenant_token_of_header((struct bf_str){NULL, 0}, &found));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody_can_say_before_the_keys_are_told),
        cmocka_unit_test(test_it_speaks_for_one_extension_of_one_tenant),
        cmocka_unit_test(test_what_is_not_good_is_said),
        cmocka_unit_test(test_the_header),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
