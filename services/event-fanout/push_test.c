// The rules of pushes: devices, tokens, payloads, what answers mean, lanes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/pem.h>

#include "bf_clock.h"
#include "push_answer.h"
#include "push_device.h"
#include "push_lane.h"
#include "push_request.h"
#include "bf_vault.h"

static const struct push_bases bases = {"https://expo", "https://fcm", "https://google/token",
                                        "https://apple", "https://sandbox"};

// ---- keys

static char *pem_of(EVP_PKEY *pkey)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *at;

    assert_int_equal(PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL), 1);
    long len = BIO_get_mem_data(bio, &at);
    char *pem = bf_xstrndup(at, (size_t)len);
    BIO_free(bio);
    return pem;
}

static size_t base64url_read(const char *text, size_t len, uint8_t *bytes)
{
    uint8_t padded[2048];
    size_t room = (len + 3) / 4 * 4;

    assert_true(room < sizeof(padded));
    for (size_t i = 0; i < room; i++)
        padded[i] = (uint8_t)(i >= len ? '=' : text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i]);
    int count = EVP_DecodeBlock(bytes, padded, (int)room);
    assert_true(count > 0);
    return (size_t)count - (room - len);
}

// Is the signature of a JWT by this key? ES256's comes as two numbers and goes to OpenSSL in DER.
static bool jwt_good(const char *jwt, EVP_PKEY *pkey, bool ec)
{
    const char *dot = strrchr(jwt, '.');
    uint8_t raw[1024], *signature = raw;
    size_t len = base64url_read(dot + 1, strlen(dot + 1), raw);
    uint8_t *der = NULL;

    if (ec) {
        assert_int_equal(len, 64);
        ECDSA_SIG *sig = ECDSA_SIG_new();
        ECDSA_SIG_set0(sig, BN_bin2bn(raw, 32, NULL), BN_bin2bn(raw + 32, 32, NULL));
        len = (size_t)i2d_ECDSA_SIG(sig, &der);
        ECDSA_SIG_free(sig);
        signature = der;
    }
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, pkey) == 1 &&
                EVP_DigestVerify(ctx, signature, len, (const uint8_t *)jwt, (size_t)(dot - jwt)) == 1;
    EVP_MD_CTX_free(ctx);
    OPENSSL_free(der);
    return good;
}

static void a_jwt_is_signed_as_others_verify_it(void **state)
{
    EVP_PKEY *ec = EVP_EC_gen("P-256"), *other = EVP_EC_gen("P-256"), *rsa = EVP_RSA_gen(2048);
    bf_autofree char *ec_pem = pem_of(ec), *rsa_pem = pem_of(rsa);
    struct push_jwt_key *ec_key = push_jwt_key_new(PUSH_JWT_ES256, ec_pem),
                        *rsa_key = push_jwt_key_new(PUSH_JWT_RS256, rsa_pem);

    for (int i = 0; i < 50; i++) { // numbers that begin with zeros are rare
        bf_autofree char *claims = bf_xasprintf("{\"n\":%d}", i);
        bf_autofree char *jwt = push_jwt_sign(ec_key, "{\"alg\":\"ES256\"}", claims);
        assert_true(jwt_good(jwt, ec, true));
        assert_false(jwt_good(jwt, other, true));
    }
    bf_autofree char *jwt = push_jwt_sign(rsa_key, "{\"alg\":\"RS256\"}", "{}");
    assert_true(jwt_good(jwt, rsa, false));
    assert_memory_equal(jwt, "eyJhbGciOiJSUzI1NiJ9.e30.", 25);
    push_jwt_key_free(ec_key);
    push_jwt_key_free(rsa_key);
    EVP_PKEY_free(ec);
    EVP_PKEY_free(other);
    EVP_PKEY_free(rsa);
}

static void a_key_that_does_not_fit_is_none(void **state)
{
    EVP_PKEY *p256 = EVP_EC_gen("P-256"), *p384 = EVP_EC_gen("P-384"), *small = EVP_RSA_gen(1024);
    bf_autofree char *p256_pem = pem_of(p256), *p384_pem = pem_of(p384), *small_pem = pem_of(small);

    assert_null(push_jwt_key_new(PUSH_JWT_ES256, p384_pem));
    assert_null(push_jwt_key_new(PUSH_JWT_RS256, p256_pem));
    assert_null(push_jwt_key_new(PUSH_JWT_RS256, small_pem));
    assert_null(push_jwt_key_new(PUSH_JWT_ES256, ""));
    assert_null(
        push_jwt_key_new(PUSH_JWT_ES256, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"));
    EVP_PKEY_free(p256);
    EVP_PKEY_free(p384);
    EVP_PKEY_free(small);
}

// ---- devices

static void tokens_have_the_form_of_their_provider(void **state)
{
    static const struct {
        const char *token;
        enum push_provider provider;
        bool good;
    } rows[] = {
        {"ExponentPushToken[abc-DEF_1]", PUSH_EXPO, true},
        {"ExpoPushToken[x]", PUSH_EXPO, true},
        {"f1d2c3b4-aaaa-4bbb-8ccc-123456789abc", PUSH_EXPO, true},
        {"ExponentPushToken[]", PUSH_EXPO, false},
        {"ExponentPushToken[a]b", PUSH_EXPO, false},
        {"ExponentPushToken[a b]", PUSH_EXPO, false},
        {"abc", PUSH_EXPO, false},
        {"d4Zx:APA91bH-_x", PUSH_FCM, true},
        {"a/b", PUSH_FCM, false},
        {"a\r\nb", PUSH_FCM, false},
        {"00aaFF11223344550011223344556677", PUSH_APNS, true},
        {"00aaFF112233445", PUSH_APNS, false},
        {"../../3/device/aa", PUSH_APNS, false},
        {"", PUSH_APNS, false},
    };

    for (size_t i = 0; i < BF_LEN(rows); i++)
        assert_int_equal(push_token_check(rows[i].provider, rows[i].token) == NULL, rows[i].good);
}

static void a_register_says_which_device_it_is(void **state)
{
    struct bf_id tenant = bf_id_new(), extension = bf_id_new();
    struct push_device_fault fault;
    struct push_device_sip sip;

    assert_true(push_device_sip(tenant, extension, "101", "apns",
                                "00112233445566778899aabbccddeeff:voip&ff00:remote",
                                "TEAM123456.com.example.app.voip&remote", "", &sip, &fault));
    assert_string_equal(sip.token, "00112233445566778899aabbccddeeff");
    assert_string_equal(sip.topic, "com.example.app.voip");
    assert_memory_equal(sip.device_id, "pn-", 3);
    assert_true(bf_id_eq(sip.device.tenant, tenant) && bf_id_eq(sip.device.extension, extension));
    assert_string_equal(sip.device.platform, "ios");
    push_device_sip_release(&sip);
    assert_true(push_device_sip(tenant, extension, "101", "fcm", "abc:def", "project-1", "<urn:uuid:1>", &sip,
                                &fault));
    assert_string_equal(sip.token, "abc:def");
    assert_string_equal(sip.topic, "project-1");
    assert_string_equal(sip.device_id, "<urn:uuid:1>");
    push_device_sip_release(&sip);
    assert_false(push_device_sip(tenant, extension, "101", "webpush", "x", "", "", &sip, &fault));
    assert_string_equal(fault.field, "provider");
    assert_false(push_device_sip(tenant, extension, "101", "apns", "zz", "", "", &sip, &fault));
    assert_string_equal(fault.field, "token");
    assert_false(push_device_sip(tenant, extension, "1 1", "fcm", "x", "", "", &sip, &fault));
    assert_string_equal(fault.field, "number");
}

static void a_strange_wake_is_named(void **state)
{
    struct push_wake wake = {bf_id_new(), bf_id_new(), bf_id_new(), "101", "100", "",
                             "101",       "x",         "t",         1000,  60000};
    struct push_wake_end end = {.tenant = bf_id_new(), .call = bf_id_new(), .why = PUSH_END_ANSWERED};
    char longer[1200];

    memset(longer, 'a', sizeof(longer));
    longer[1100] = '\0';
    assert_null(push_wake_check(&wake, 1000));
    wake.until_ms = 1000 + PUSH_UNTIL_MS_MAX + 1;
    assert_non_null(push_wake_check(&wake, 1000));
    wake.until_ms = 2000;
    wake.token = longer;
    assert_non_null(push_wake_check(&wake, 1000));
    wake.token = "t";
    wake.caller = "\xff";
    assert_non_null(push_wake_check(&wake, 1000));
    wake.caller = "100";
    wake.device = (struct bf_id){{0}};
    assert_non_null(push_wake_check(&wake, 1000));
    assert_null(push_wake_end_check(&end));
    end.why = PUSH_ENDS;
    assert_non_null(push_wake_end_check(&end));
}

// ---- what is sent

static struct push a_push(enum push_provider provider, enum push_kind kind)
{
    return (struct push){.call = bf_id_new(),
                         .device = bf_id_new(),
                         .tenant = bf_id_new(),
                         .kind = kind,
                         .until_ms = 1700000030000,
                         .number = "101",
                         .caller = "0301234567",
                         .caller_name = "Ada \"A\"",
                         .callee = "101",
                         .sip_call_id = "x@y",
                         .wake_token = "secret",
                         .provider = provider,
                         .platform = "ios",
                         .token = provider == PUSH_APNS ? "aabb" : "ExponentPushToken[a]",
                         .topic = "",
                         .device_id = "d"};
}

static const char *header_of(const struct push_request *request, const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < request->header_count; i++)
        if (strncmp(request->headers[i], name, len) == 0 && request->headers[i][len] == ':')
            return request->headers[i] + len + 2;
    return NULL;
}

static void apple_gets_voip_pushes_and_alerts(void **state)
{
    struct push_credential credential = {.provider = PUSH_APNS, .topic = "com.example.app"};
    struct push push = a_push(PUSH_APNS, PUSH_WAKE);
    struct push_request request;
    char call[BF_ID_TEXT_SIZE], id_text[BF_ID_TEXT_SIZE];
    struct bf_id id = bf_id_new();

    push_request_apns(&bases, &credential, "jwt", &push, id, 1700000000000, &request);
    assert_string_equal(request.url, "https://apple/3/device/aabb");
    assert_string_equal(header_of(&request, "authorization"), "Bearer jwt");
    assert_string_equal(header_of(&request, "apns-topic"), "com.example.app.voip");
    assert_string_equal(header_of(&request, "apns-push-type"), "voip");
    assert_string_equal(header_of(&request, "apns-expiration"), "1700000030");
    assert_string_equal(header_of(&request, "apns-collapse-id"), bf_id_text(push.call, call));
    assert_string_equal(header_of(&request, "apns-id"), bf_id_text(id, id_text));
    assert_non_null(strstr(request.body, "\"caller_name\":\"Ada \\\"A\\\"\""));
    assert_non_null(strstr(request.body, "\"aps\":{}"));
    push_request_release(&request);
    push.topic = "com.example.app";
    credential.sandbox = true;
    push_request_apns(&bases, &credential, "jwt", &push, id, push.until_ms + 1, &request);
    assert_string_equal(request.url, "https://sandbox/3/device/aabb");
    assert_string_equal(header_of(&request, "apns-push-type"), "alert");
    assert_string_equal(header_of(&request, "apns-expiration"), "0");
    assert_non_null(strstr(request.body, "\"alert\":{\"title\":\"Incoming call\""));
    push_request_release(&request);
}

static void a_cancel_says_no_more_than_it_must(void **state)
{
    struct push_credential credential = {.provider = PUSH_FCM, .project_id = "p"};
    struct push push = a_push(PUSH_FCM, PUSH_CANCEL);
    struct push_request request;

    push_request_fcm(&bases, &credential, "t", &push, 1700000000000, &request);
    assert_string_equal(request.url, "https://fcm/v1/projects/p/messages:send");
    assert_non_null(strstr(request.body, "\"type\":\"call_cancelled\""));
    assert_non_null(strstr(request.body, "\"ttl\":\"30s\""));
    assert_null(strstr(request.body, "secret"));
    push_request_release(&request);
    push = a_push(PUSH_EXPO, PUSH_CANCEL);
    push_request_expo(&bases, "", &push, 1700000000000, &request);
    assert_null(header_of(&request, "authorization"));
    assert_null(strstr(request.body, "\"title\""));
    assert_non_null(strstr(request.body, "\"_contentAvailable\":true"));
    push_request_release(&request);
}

// ---- what answers mean

struct answer_row {
    int code;
    enum push_verdict verdict;
    const char *body, *detail;
};

static struct push_answer answer_of(const struct answer_row *row)
{
    return (struct push_answer){
        .code = row->code, .error = row->code ? "" : "Timeout was reached", .body = bf_str(row->body)};
}

static void apple_is_understood(void **state)
{
    static const struct answer_row rows[] = {
        {200, PUSH_SENT, "", ""},
        {400, PUSH_DEAD, "{\"reason\":\"BadDeviceToken\"}", "BadDeviceToken"},
        {400, PUSH_DROPPED, "{\"reason\":\"DeviceTokenNotForTopic\"}", "DeviceTokenNotForTopic"},
        {400, PUSH_DROPPED, "{\"reason\":\"BadTopic\"}", "BadTopic"},
        {403, PUSH_REAUTH, "{\"reason\":\"ExpiredProviderToken\"}", "ExpiredProviderToken"},
        {403, PUSH_DROPPED, "{\"reason\":\"InvalidProviderToken\"}", "InvalidProviderToken"},
        {410, PUSH_DEAD, "{\"reason\":\"Unregistered\",\"timestamp\":5}", "Unregistered"},
        {410, PUSH_DEAD, "nonsense", "HTTP status 410"},
        {413, PUSH_DROPPED, "{\"reason\":\"PayloadTooLarge\"}", "PayloadTooLarge"},
        {429, PUSH_AGAIN, "{\"reason\":\"TooManyRequests\"}", "TooManyRequests"},
        {429, PUSH_AGAIN, "{\"reason\":\"TooManyProviderTokenUpdates\"}", "TooManyProviderTokenUpdates"},
        {500, PUSH_AGAIN, "[]", "HTTP status 500"},
        {503, PUSH_AGAIN, "{\"reason\":7}", "HTTP status 503"},
        {0, PUSH_AGAIN, "", "Timeout was reached"},
        {302, PUSH_DROPPED, "", "HTTP status 302"},
    };

    for (size_t i = 0; i < BF_LEN(rows); i++) {
        struct push_answer answer = answer_of(&rows[i]);
        struct push_outcome outcome = {.code = 0};
        push_answer_apns(&answer, &outcome);
        assert_int_equal(outcome.verdict, rows[i].verdict);
        assert_string_equal(outcome.detail, rows[i].detail);
        assert_int_equal(outcome.code, rows[i].code);
    }
}

static void google_is_understood(void **state)
{
#define FCM_ERROR(status, code) \
    "{\"error\":{\"message\":\"m\",\"status\":\"" status "\",\"details\":[{\"errorCode\":\"" code "\"}]}}"
    static const struct answer_row rows[] = {
        {200, PUSH_SENT, "{\"name\":\"projects/p/messages/1\"}", ""},
        {404, PUSH_DEAD, FCM_ERROR("NOT_FOUND", "UNREGISTERED"), "UNREGISTERED: m"},
        {404, PUSH_DROPPED, "{\"error\":{\"status\":\"NOT_FOUND\",\"message\":\"m\"}}", "NOT_FOUND: m"},
        {400, PUSH_DROPPED, FCM_ERROR("INVALID_ARGUMENT", "INVALID_ARGUMENT"), "INVALID_ARGUMENT: m"},
        {400, PUSH_DEAD,
         "{\"error\":{\"status\":\"INVALID_ARGUMENT\",\"message\":\"m\",\"details\":[{\"fieldViolations\":[{"
         "\"field\":\"message.token\"}]}]}}",
         "INVALID_ARGUMENT: m"},
        {403, PUSH_DROPPED, FCM_ERROR("PERMISSION_DENIED", "SENDER_ID_MISMATCH"), "SENDER_ID_MISMATCH: m"},
        {401, PUSH_REAUTH, FCM_ERROR("UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR"),
         "THIRD_PARTY_AUTH_ERROR: m"},
        {429, PUSH_AGAIN, FCM_ERROR("RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"), "QUOTA_EXCEEDED: m"},
        {503, PUSH_AGAIN, "", "HTTP status 503"},
        {0, PUSH_AGAIN, "", "Timeout was reached"},
    };

    for (size_t i = 0; i < BF_LEN(rows); i++) {
        struct push_answer answer = answer_of(&rows[i]);
        struct push_outcome outcome = {.code = 0};
        push_answer_fcm(&answer, &outcome);
        assert_int_equal(outcome.verdict, rows[i].verdict);
        assert_string_equal(outcome.detail, rows[i].detail);
    }
}

static void google_gives_tokens_or_says_why_not(void **state)
{
    static const struct answer_row rows[] = {
        {200, PUSH_SENT, "{\"access_token\":\"a\",\"expires_in\":99999}", ""},
        {200, PUSH_AGAIN, "{\"access_token\":\"a\\r\\nb: c\",\"expires_in\":60}", "no access token"},
        {200, PUSH_AGAIN, "{\"access_token\":\"\",\"expires_in\":60}", "no access token"},
        {200, PUSH_AGAIN, "{\"access_token\":\"a\",\"expires_in\":-1}", "no access token"},
        {400, PUSH_DROPPED, "{\"error\":\"invalid_grant\",\"error_description\":\"no\"}",
         "invalid_grant: no"},
        {503, PUSH_AGAIN, "", "no access token"},
    };

    for (size_t i = 0; i < BF_LEN(rows); i++) {
        struct push_answer answer = answer_of(&rows[i]);
        struct push_outcome outcome = {.verdict = PUSH_SENT};
        char *token = NULL;
        int64_t life_s = 0;
        bool good = push_answer_oauth(&answer, &token, &life_s, &outcome);
        assert_int_equal(good, rows[i].verdict == PUSH_SENT);
        assert_int_equal(life_s, good ? 3600 : 0);
        assert_int_equal(outcome.verdict, rows[i].verdict);
        assert_string_equal(outcome.detail, rows[i].detail);
        bf_vault_forget(token);
    }
}

static void expo_answers_for_each_message(void **state)
{
    struct push_outcome outcomes[4] = {{.code = 0}};
    struct push_answer answer = {
        .code = 200,
        .error = "",
        .body =
            BF_STR("{\"data\":[{\"status\":\"ok\",\"id\":\"t1\"},{\"status\":\"error\",\"message\":\"m\","
                   "\"details\":{\"error\":\"DeviceNotRegistered\"}},{\"status\":\"error\",\"message\":\"m\","
                   "\"details\":{\"error\":\"MessageTooBig\"}}]}")};

    push_answer_expo(&answer, outcomes, 4);
    assert_int_equal(outcomes[0].verdict, PUSH_SENT);
    assert_string_equal(outcomes[0].ref, "t1");
    assert_int_equal(outcomes[1].verdict, PUSH_DEAD);
    assert_int_equal(outcomes[2].verdict, PUSH_DROPPED);
    assert_int_equal(outcomes[3].verdict, PUSH_AGAIN); // it has no ticket for this one
    memset(outcomes, 0, sizeof(outcomes));
    answer =
        (struct push_answer){.code = 400,
                             .error = "",
                             .body = BF_STR("{\"errors\":[{\"code\":\"PUSH_TOO_MANY_EXPERIENCE_IDS\"}]}")};
    push_answer_expo(&answer, outcomes, 2);
    assert_int_equal(outcomes[0].verdict, PUSH_SPLIT);
    assert_int_equal(outcomes[1].verdict, PUSH_SPLIT);
    push_answer_expo(&answer, outcomes, 1);
    assert_int_equal(outcomes[0].verdict, PUSH_DROPPED);
    answer = (struct push_answer){.code = 502, .error = "", .body = BF_STR("<html>")};
    push_answer_expo(&answer, outcomes, 2);
    assert_int_equal(outcomes[1].verdict, PUSH_AGAIN);
}

// Whoever may see what a provider said of a device may not push to it.
static void a_token_is_in_no_words_that_are_kept(void **state)
{
    static const struct {
        const char *words, *token, *kept;
    } rows[] = {
        {"abc is none", "abc", " is none"},
        {"aabcabc", "abc", "a"},
        {"it is none: 0123456789abcd", "0123456789abcdef", "it is none: "}, // cut off
        {"it is none: 0123456", "0123456789abcdef", "it is none: 0123456"},
        {"nothing of it", "0123456789abcdef", "nothing of it"},
        {"nothing of it", "", "nothing of it"},
        {"", "abc", ""},
    };
    struct push_outcome outcome = {.code = 0};
    struct push_answer answer = {
        .code = 200,
        .error = "",
        .body = BF_STR("{\"data\":[{\"status\":\"error\",\"message\":\"\\\"ExponentPushToken[SECRET]\\\" is "
                       "not a registered push notification recipient, nor ExpoPushToken[SEC\","
                       "\"details\":{\"error\":\"DeviceNotRegistered\"}}]}")};

    for (size_t i = 0; i < BF_LEN(rows); i++) {
        bf_autofree char *words = bf_xstrdup(rows[i].words);
        push_hide_token(words, rows[i].token);
        assert_string_equal(words, rows[i].kept);
    }
    push_answer_expo(&answer, &outcome, 1);
    assert_int_equal(outcome.verdict, PUSH_DEAD);
    assert_string_equal(outcome.detail,
                        "DeviceNotRegistered: \"ExponentPushToken[]\" is not a registered push "
                        "notification recipient, nor ExpoPushToken[");
}

static void receipts_are_found_by_their_tickets(void **state)
{
    static const char *const tickets[] = {"a", "b", "c", "d"};
    enum push_receipt receipts[4] = {PUSH_RECEIPT_NONE};
    char details[4][PUSH_DETAIL_SIZE] = {""};
    struct push_answer answer = {
        .code = 200,
        .error = "",
        .body =
            BF_STR("{\"data\":{\"d\":{\"status\":\"ok\"},\"b\":{\"status\":\"error\",\"message\":\"m\","
                   "\"details\":{\"error\":\"DeviceNotRegistered\"}},\"c\":{\"status\":\"error\",\"message\":"
                   "\"m\"}}}")};

    assert_true(push_answer_receipts(&answer, tickets, 4, receipts, details));
    assert_int_equal(receipts[0], PUSH_RECEIPT_NONE);
    assert_int_equal(receipts[1], PUSH_RECEIPT_DEAD);
    assert_string_equal(details[1], "DeviceNotRegistered: m");
    assert_int_equal(receipts[2], PUSH_RECEIPT_FAILED);
    assert_int_equal(receipts[3], PUSH_RECEIPT_DELIVERED);
    answer.body = BF_STR("[]");
    assert_false(push_answer_receipts(&answer, tickets, 4, receipts, details));
    answer.code = 503;
    assert_false(push_answer_receipts(&answer, tickets, 4, receipts, details));
}

// ---- again, or not

static void a_push_is_tried_while_its_call_waits(void **state)
{
    struct push push = {.until_ms = 10000};
    struct push_outcome outcome = {.verdict = PUSH_AGAIN, .detail = "busy", .begun = true};
    uint64_t wait_ms;

    push_settle(&push, &outcome, 0, 0, &wait_ms);
    assert_int_equal(wait_ms, PUSH_BACKOFF_MS * 3 / 4);
    outcome.wait_ms = 3000;
    push_settle(&push, &outcome, 0, 0, &wait_ms);
    assert_int_equal(wait_ms, 3000);
    assert_int_equal(outcome.verdict, PUSH_AGAIN);
    assert_true(push_may_have_got(&outcome));
    push_settle(&push, &outcome, 7000, 0, &wait_ms);
    assert_int_equal(outcome.verdict, PUSH_DROPPED);
    assert_string_equal(outcome.detail, "no time left: busy");
    assert_true(push_may_have_got(&outcome)); // nobody knows
    outcome.code = 500;
    assert_false(push_may_have_got(&outcome));
    push.attempts = 50;
    outcome = (struct push_outcome){.verdict = PUSH_AGAIN};
    push.until_ms = 100000;
    push_settle(&push, &outcome, 0, UINT32_MAX, &wait_ms);
    assert_int_equal(wait_ms, PUSH_BACKOFF_MAX_MS * 5 / 4);
}

// ---- lanes

static struct push_lane *lane_new(enum push_provider provider)
{
    struct push push = {.provider = provider, .tenant = bf_id_new()};

    return push_lane_new(&push, 0);
}

static void a_circuit_opens_and_one_request_tries(void **state)
{
    struct push_lane *lane = lane_new(PUSH_APNS);

    assert_true(push_lane_may_send(lane, 2, 0));
    lane->under_way = 2;
    assert_false(push_lane_may_send(lane, 2, 0));
    for (int i = 0; i < PUSH_LANE_FAILURES_MAX; i++) {
        lane->under_way = 1;
        push_lane_ended(lane, true, 0, 1000);
        assert_int_equal(push_lane_is_open(lane, 1000), i == PUSH_LANE_FAILURES_MAX - 1);
    }
    assert_false(push_lane_may_send(lane, 2, 1000 + PUSH_LANE_OPEN_MS - 1));
    assert_true(push_lane_may_send(lane, 2, 1000 + PUSH_LANE_OPEN_MS));
    lane->under_way = 1;
    assert_false(push_lane_may_send(lane, 2, 1000 + PUSH_LANE_OPEN_MS));
    push_lane_ended(lane, true, 0, 3000);
    assert_true(push_lane_is_open(lane, 3000 + 2 * PUSH_LANE_OPEN_MS - 1));
    lane->under_way = 1;
    push_lane_ended(lane, false, 0, 10000);
    assert_true(push_lane_may_send(lane, 2, 10000));
    lane->under_way = 1;
    push_lane_ended(lane, false, 500, 10000); // it asked to be left alone
    assert_false(push_lane_may_send(lane, 2, 10499));
    push_lane_free(lane);
}

static void a_token_of_ours_is_renewed_within_the_bounds(void **state)
{
    struct push_lane *google = lane_new(PUSH_FCM), *apple = lane_new(PUSH_APNS);

    assert_false(push_lane_has_bearer(google, 0));
    push_lane_bearer(google, bf_xstrdup("a"), 3600000, 1000);
    assert_true(push_lane_has_bearer(google, 1000 + 3539999));
    assert_false(push_lane_has_bearer(google, 1000 + 3540000));
    push_lane_refused(google, 999, 2000); // a request that began with the one before
    assert_true(push_lane_has_bearer(google, 2000));
    push_lane_refused(google, 1500, 2000);
    assert_false(push_lane_has_bearer(google, 2000));
    push_lane_bearer(apple, bf_xstrdup("a"), PUSH_APNS_FRESH_MS, 0);
    push_lane_refused(apple, 1, PUSH_APNS_RENEW_MS - 1);
    assert_true(push_lane_has_bearer(apple, PUSH_APNS_RENEW_MS));
    push_lane_refused(apple, 1, PUSH_APNS_RENEW_MS);
    assert_false(push_lane_has_bearer(apple, PUSH_APNS_RENEW_MS));
    push_lane_free(google);
    push_lane_free(apple);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_jwt_is_signed_as_others_verify_it),
        cmocka_unit_test(a_key_that_does_not_fit_is_none),
        cmocka_unit_test(tokens_have_the_form_of_their_provider),
        cmocka_unit_test(a_register_says_which_device_it_is),
        cmocka_unit_test(a_strange_wake_is_named),
        cmocka_unit_test(apple_gets_voip_pushes_and_alerts),
        cmocka_unit_test(a_cancel_says_no_more_than_it_must),
        cmocka_unit_test(apple_is_understood),
        cmocka_unit_test(google_is_understood),
        cmocka_unit_test(google_gives_tokens_or_says_why_not),
        cmocka_unit_test(expo_answers_for_each_message),
        cmocka_unit_test(a_token_is_in_no_words_that_are_kept),
        cmocka_unit_test(receipts_are_found_by_their_tickets),
        cmocka_unit_test(a_push_is_tried_while_its_call_waits),
        cmocka_unit_test(a_circuit_opens_and_one_request_tries),
        cmocka_unit_test(a_token_of_ours_is_renewed_within_the_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
