// What sipload writes, reads and counts.
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "sipload_dialog.h"
#include "sipload_hist.h"
#include "sipload_message.h"

static const struct sip_user USER = {"100", "acme.example"};

static struct sip_challenge challenge(bool qop)
{
    return (struct sip_challenge){.realm = "acme.example", .nonce = "abc123", .qop = qop};
}

static void digest_is_that_of_rfc_7616(void **state)
{
    struct sip_challenge with_qop = challenge(true), without = challenge(false);
    struct sip_protected what = {"Authorization", "REGISTER", "sip:acme.example", &USER, "secret"};
    struct sip_digest digest;
    char line[SIP_BYTES_MAX];

    assert_true(sip_digest_init(&digest));
    assert_true(sip_authorize(&digest, &with_qop, &what, 10, line, sizeof(line)));
    assert_non_null(strstr(line, "response=\"3f4e1ab64980753ad62e6a0f9b965cad\""));
    assert_non_null(strstr(line, "qop=auth, nc=0000000a, cnonce=\"0a4f113b\""));
    assert_true(sip_authorize(&digest, &without, &what, 1, line, sizeof(line)));
    assert_non_null(strstr(line, "response=\"0246000d7880601cd0b17300a552f22b\""));
    assert_null(strstr(line, "qop"));
    assert_false(sip_authorize(&digest, &with_qop, &what, 1, line, 100));
    sip_digest_release(&digest);
}

static bool parse(const char *text, struct sip_answer *answer)
{
    return sip_parse(bf_str(text), answer);
}

static void challenge_and_branch_are_read(void **state)
{
    struct sip_answer answer;

    assert_true(parse(
        "SIP/2.0 401 Unauthorized\r\n"
        "via: SIP/2.0/UDP 127.0.0.1:1;rport=1;branch=z9hG4bK000000010000000200000003\r\n"
        "Via: SIP/2.0/UDP 127.0.0.1:1;branch=z9hG4bKffffffffffffffffffffffff\r\n"
        "WWW-Authenticate: Digest realm=\"acme.example\", nonce=\"n\", qop=\"auth\", stale=true\r\n\r\n",
        &answer));
    assert_int_equal(answer.status, 401);
    assert_int_equal(answer.tag.run, 1);
    assert_int_equal(answer.tag.slot, 2);
    assert_int_equal(answer.tag.generation, 3);
    assert_true(answer.challenged);
    assert_true(answer.challenge.qop);
    assert_true(answer.challenge.stale);
    assert_string_equal(answer.challenge.realm, "acme.example");
    assert_string_equal(answer.challenge.nonce, "n");
    assert_string_equal(answer.challenge.opaque, "");
}

static void what_is_no_answer_of_ours_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "\r\n",
        "SIP/2.0 200",
        "SIP/2.0 200 OK\r\n",
        "SIP/2.0 2x0 OK\r\nVia: x;branch=z9hG4bK000000010000000200000003\r\n\r\n",
        "SIP/2.0 999 OK\r\nVia: x;branch=z9hG4bK000000010000000200000003\r\n\r\n",
        "SIP/2.0 200 OK\r\nVia: x;branch=z9hG4bK00000001\r\n\r\n",
        "SIP/2.0 200 OK\r\nVia: x;branch=z9hG4bK0000000100000002zzzzzzzz\r\n\r\n",
        "SIP/2.0 200 OK\r\n\r\nVia: x;branch=z9hG4bK000000010000000200000003\r\n\r\n",
        "OPTIONS sip:a SIP/2.0\r\nVia: x;branch=z9hG4bK000000010000000200000003\r\n\r\n",
    };
    struct sip_answer answer;

    for (size_t i = 0; i < BF_LEN(texts); i++)
        assert_false(parse(texts[i], &answer));
}

static void too_long_a_challenge_is_none(void **state)
{
    char text[1024];
    struct sip_answer answer;

    snprintf(text, sizeof(text),
             "SIP/2.0 401 Unauthorized\r\nVia: x;branch=z9hG4bK000000010000000200000003\r\n"
             "WWW-Authenticate: Digest realm=\"acme.example\", nonce=\"%0*d\"\r\n\r\n",
             SIP_TEXT_MAX, 0);
    assert_true(parse(text, &answer));
    assert_false(answer.challenged);
    assert_true(parse("SIP/2.0 401 Unauthorized\r\nVia: x;branch=z9hG4bK000000010000000200000003\r\n"
                      "WWW-Authenticate: Digest realm=\"acme.example\", nonce=\"n\r\n\r\n",
                      &answer));
    assert_false(answer.challenged);
}

static void request_carries_its_tag(void **state)
{
    struct sip_request request = {
        .user = &USER, .tag = {1, 2, 3}, .cseq = 7, .local_port = 5, .authorization = ""};
    char text[SIP_BYTES_MAX];
    size_t len = sip_register(&request, text);

    assert_int_equal(len, strlen(text));
    assert_non_null(strstr(text, "REGISTER sip:acme.example SIP/2.0\r\n"));
    assert_non_null(strstr(text, ";branch=z9hG4bK000000010000000200000003\r\n"));
    assert_non_null(strstr(text, "To: <sip:100@acme.example>\r\n"));
    len = sip_options(&request, text);
    assert_int_equal(len, strlen(text));
    assert_non_null(strstr(text, "OPTIONS sip:acme.example SIP/2.0\r\n"));
}

static void quantiles_are_near_and_never_too_good(void **state)
{
    static struct hist hist;

    assert_int_equal(hist_quantile_us(&hist, 0.99), 0);
    for (uint64_t us = 1; us <= 100000; us++)
        hist_add(&hist, us);
    assert_in_range(hist_quantile_us(&hist, 0.50), 50001, 50001 + 50001 / 60);
    assert_in_range(hist_quantile_us(&hist, 0.99), 99001, 100000);
    assert_int_equal(hist_quantile_us(&hist, 1), 100000);
    hist_add(&hist, UINT64_MAX);
    assert_int_equal(hist.max_us, UINT64_MAX);
    assert_int_equal(hist_quantile_us(&hist, 1), UINT64_MAX);
}

static struct sip_dialog a_dialog(void)
{
    struct sip_dialog dialog = {
        .caller = USER, .callee = {"101", "acme.example"}, .tag = {1, 2, 3}, .port = 5};

    sip_dialog_begin(&dialog);
    return dialog;
}

static void invite_and_its_answer_belong_together(void **state)
{
    struct sip_dialog dialog = a_dialog();
    char invite[SIP_BYTES_MAX], answer[SIP_BYTES_MAX];
    struct sip_packet packet;
    size_t len = sip_dialog_request(&dialog, SIP_INVITE, 2, "Proxy-Authorization: x\r\n", invite);

    assert_int_equal(len, strlen(invite));
    assert_non_null(strstr(invite, "INVITE sip:101@acme.example SIP/2.0\r\n"));
    assert_non_null(strstr(invite, "\r\nProxy-Authorization: x\r\n"));
    assert_true(sip_dialog_parse(bf_str(invite), &packet));
    assert_int_equal(packet.status, 0);
    assert_int_equal(packet.method, SIP_INVITE);
    len = sip_dialog_answer(bf_str(invite), 180, 9, answer);
    assert_int_equal(len, strlen(answer));
    assert_non_null(strstr(answer, "To: <sip:101@acme.example>;tag=callee\r\n"));
    assert_true(sip_dialog_parse(bf_str(answer), &packet));
    assert_int_equal(packet.status, 180);
    assert_int_equal(packet.cseq, 2);
    assert_int_equal(packet.tag.run, 1);
    assert_int_equal(packet.tag.slot, 2);
    assert_int_equal(packet.tag.generation, 3);
}

static void bye_follows_the_recorded_route_backwards(void **state)
{
    static const char ANSWER[] = "SIP/2.0 200 OK\r\nRecord-Route: <sip:b;lr>\r\nRecord-Route: <sip:a;lr>\r\n"
                                 "To: <sip:101@acme.example>;tag=t\r\n"
                                 "Call-ID: 000000010000000200000003@127.0.0.1\r\nCSeq: 2 INVITE\r\n"
                                 "Contact: <sip:101@127.0.0.1:9;ob>;expires=1\r\n\r\n";
    struct sip_dialog dialog = a_dialog();
    char text[SIP_BYTES_MAX];
    struct sip_packet packet;

    assert_true(sip_dialog_parse(BF_STR(ANSWER), &packet));
    assert_true(sip_dialog_answered(&dialog, &packet));
    assert_true(sip_dialog_request(&dialog, SIP_BYE, 3, "", text) > 0);
    assert_non_null(strstr(text, "BYE sip:101@127.0.0.1:9;ob SIP/2.0\r\n"));
    assert_non_null(strstr(text, "Route: <sip:a;lr>\r\nRoute: <sip:b;lr>\r\n"));
    assert_non_null(strstr(text, "To: <sip:101@acme.example>;tag=t\r\n"));
    packet.contact = (struct bf_str){0};
    assert_false(sip_dialog_answered(&dialog, &packet));
}

static void ack_of_a_refusal_is_of_its_transaction(void **state)
{
    static const char REFUSAL[] =
        "SIP/2.0 407 No\r\nTo: <sip:101@acme.example>;tag=r\r\nCSeq: 1 INVITE\r\n"
        "Call-ID: 000000010000000200000003@127.0.0.1\r\n"
        "Proxy-Authenticate: Digest realm=\"acme.example\", nonce=\"n\", qop=\"auth\"\r\n\r\n";
    struct sip_dialog dialog = a_dialog();
    char text[SIP_BYTES_MAX];
    struct sip_packet packet;

    assert_true(sip_dialog_parse(BF_STR(REFUSAL), &packet));
    assert_true(packet.challenged);
    assert_true(sip_dialog_ack_refusal(&dialog, &packet, text) > 0);
    assert_non_null(strstr(text, ";branch=z9hG4bK0000000100000002000000031\r\n"));
    assert_non_null(strstr(text, "CSeq: 1 ACK\r\n"));
    assert_non_null(strstr(text, "To: <sip:101@acme.example>;tag=r\r\n"));
}

static void what_is_of_no_call_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "SIP/2.0 999 X\r\nCall-ID: 000000010000000200000003@a\r\nCSeq: 1 INVITE\r\n\r\n",
        "SIP/2.0 200 X\r\nCall-ID: 00000001@a\r\nCSeq: 1 INVITE\r\n\r\n",
        "SIP/2.0 200 X\r\nCall-ID: 000000010000000200000003@a\r\nCSeq: INVITE\r\n\r\n",
        "SIP/2.0 200 X\r\nCall-ID: 000000010000000200000003@a\r\nCSeq: 1 OPTIONS\r\n\r\n",
        "SIP/2.0 200 X\r\nCall-ID: 000000010000000200000003@a\r\n\r\nCSeq: 1 INVITE\r\n\r\n",
    };
    struct sip_packet packet;

    for (size_t i = 0; i < BF_LEN(texts); i++)
        assert_false(sip_dialog_parse(bf_str(texts[i]), &packet));
}

static void what_does_not_fit_is_not_sent(void **state)
{
    static char request[3 * SIP_BYTES_MAX];
    char text[SIP_BYTES_MAX];
    int len = snprintf(request, sizeof(request), "INVITE sip:a SIP/2.0\r\nVia: %0*d\r\nTo: x\r\n\r\n",
                       SIP_BYTES_MAX, 0);

    assert_int_equal(sip_dialog_answer((struct bf_str){request, (size_t)len}, 180, 9, text), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digest_is_that_of_rfc_7616),
        cmocka_unit_test(challenge_and_branch_are_read),
        cmocka_unit_test(what_is_no_answer_of_ours_is_refused),
        cmocka_unit_test(too_long_a_challenge_is_none),
        cmocka_unit_test(request_carries_its_tag),
        cmocka_unit_test(invite_and_its_answer_belong_together),
        cmocka_unit_test(bye_follows_the_recorded_route_backwards),
        cmocka_unit_test(ack_of_a_refusal_is_of_its_transaction),
        cmocka_unit_test(what_is_of_no_call_is_refused),
        cmocka_unit_test(what_does_not_fit_is_not_sent),
        cmocka_unit_test(quantiles_are_near_and_never_too_good),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
