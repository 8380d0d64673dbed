#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "tenant_fixture.h"
#include "tenant_wire.h"

static enum bf_err read_one(struct tenant_change change)
{
    struct bf_buf bytes = fixture_feed(1, change.seq, &change, 1);
    struct tenant_feed feed;
    enum bf_err err = tenant_wire_feed(fixture_str(&bytes), &feed);

    if (err == BF_OK)
        tenant_feed_release(&feed);
    bf_buf_release(&bytes);
    return err;
}

static struct tenant_change domain_change(uint64_t seq, const char *name, const char *slug, const char *realm)
{
    return (struct tenant_change){.seq = seq,
                                  .kind = TENANT_CHANGE_DOMAIN,
                                  .name = bf_str(name),
                                  .record = fixture_record(1, slug, realm)};
}

static void test_every_kind_of_change_is_read_as_it_was_written(void **state)
{
    const struct tenant_change written[] = {
        {.seq = 7, .kind = TENANT_CHANGE_TENANT, .record = fixture_record(1, "acme", "acme.example")},
        {.seq = 8, .kind = TENANT_CHANGE_TENANT_GONE, .id = fixture_id(2)},
        domain_change(9, "New.Example.", "acme", "acme.example"),
        {.seq = 10, .kind = TENANT_CHANGE_DOMAIN_GONE, .name = BF_STR("old.example")},
        {.seq = 11,
         .kind = TENANT_CHANGE_EXTENSION,
         .id = fixture_id(3),
         .name = BF_STR("100"),
         .gone = true},
        {.seq = 12, .kind = TENANT_CHANGE_NOTHING},
        {.seq = 13,
         .kind = TENANT_CHANGE_EXTENSION,
         .id = fixture_id(3),
         .name = BF_STR("100"),
         .extension = fixture_id(8)},
        {.seq = 14, .kind = TENANT_CHANGE_APP_KEYS},
    };
    struct bf_buf bytes = fixture_feed(5, 20, written, BF_LEN(written));
    struct tenant_feed feed;

    assert_int_equal(tenant_wire_feed(fixture_str(&bytes), &feed), BF_OK);
    assert_true(feed.epoch == 5 && feed.head_seq == 20 && feed.count == BF_LEN(written));
    for (size_t i = 0; i < feed.count; i++) {
        assert_true(feed.changes[i].seq == written[i].seq);
        assert_int_equal(feed.changes[i].kind, written[i].kind);
    }
    assert_true(bf_str_eq(feed.changes[0].record.slug, bf_str("acme")));
    assert_int_equal(feed.changes[0].record.limits.max_registrations, 2);
    assert_true(bf_id_eq(feed.changes[1].id, fixture_id(2)));
    assert_true(bf_str_eq(feed.changes[2].name, bf_str("new.example")));
    assert_true(bf_id_eq(feed.changes[4].id, fixture_id(3)) && feed.changes[4].gone);
    assert_true(bf_id_is_nil(feed.changes[4].extension));
    assert_true(bf_id_eq(feed.changes[6].extension, fixture_id(8)) && !feed.changes[6].gone);
    tenant_feed_release(&feed);
    bf_buf_release(&bytes);
}

static void test_what_breaks_a_rule_is_refused(void **state)
{
    char longest[300];
    struct tenant_change change = domain_change(1, "a.example", "acme", "acme.example");

    memset(longest, 'a', sizeof(longest));
    longest[TENANT_DOMAIN_MAX + 1] = '\0';
    assert_int_equal(read_one(change), BF_OK);
    assert_int_equal(read_one(domain_change(0, "a.example", "acme", "acme.example")), BF_PROTOCOL);
    assert_int_equal(read_one(domain_change(1, "", "acme", "acme.example")), BF_PROTOCOL);
    assert_int_equal(read_one(domain_change(1, longest, "acme", "acme.example")), BF_PROTOCOL);
    assert_int_equal(read_one(domain_change(1, "a.example", longest, "acme.example")), BF_PROTOCOL);
    assert_int_equal(read_one(domain_change(1, "a.example", "", "acme.example")), BF_PROTOCOL);
    assert_int_equal(read_one(domain_change(1, "a.example", "acme", longest)), BF_PROTOCOL);
    change.record.status = 0;
    assert_int_equal(read_one(change), BF_PROTOCOL);
    change.record.status = TENANT_SUSPENDED;
    assert_int_equal(read_one(change), BF_OK);
    change.record.id = (struct bf_id){{0}};
    assert_int_equal(read_one(change), BF_PROTOCOL);
}

static void test_changes_must_be_consecutive(void **state)
{
    const struct tenant_change hole[] = {{.seq = 3, .kind = TENANT_CHANGE_NOTHING}, {.seq = 5}};
    struct bf_buf bytes = fixture_feed(1, 5, hole, 2);
    struct tenant_feed feed;

    assert_int_equal(tenant_wire_feed(fixture_str(&bytes), &feed), BF_PROTOCOL);
    bf_buf_release(&bytes);
}

static void test_bytes_that_are_no_message_are_refused(void **state)
{
    struct bf_buf good = fixture_feed(1, 2, &(struct tenant_change){.seq = 2}, 1);
    struct tenant_feed feed;
    struct tenant_page page;
    struct tenant_answer answer;

    assert_int_equal(tenant_wire_feed((struct bf_str){good.at, good.len - 1}, &feed), BF_PROTOCOL);
    assert_int_equal(tenant_wire_feed(BF_STR("\xff\xff\xff"), &feed), BF_PROTOCOL);
    assert_int_equal(tenant_wire_changes(BF_STR(""), &feed), BF_PROTOCOL);
    assert_int_equal(tenant_wire_page(BF_STR("\x08"), &page), BF_PROTOCOL);
    assert_int_equal(tenant_wire_answer(BF_STR(""), &answer), BF_PROTOCOL);
    bf_buf_release(&good);
}

static void test_a_page_gives_each_domain_its_tenant(void **state)
{
    const struct fixture_domain domains[] = {
        {"a.example", fixture_record(2, "two", "two.example")},
        {"b.example", fixture_record(1, "one", "one.example")},
    };
    struct bf_buf bytes = fixture_page(3, 4, domains, 2, "b.example");
    struct tenant_page page;

    assert_int_equal(tenant_wire_page(fixture_str(&bytes), &page), BF_OK);
    assert_true(page.epoch == 3 && page.seq == 4 && page.count == 2);
    assert_true(bf_str_eq(page.next, bf_str("b.example")));
    assert_true(bf_id_eq(page.domains[0].tenant->id, fixture_id(2)));
    assert_true(bf_str_eq(page.domains[1].tenant->slug, bf_str("one")));
    tenant_page_release(&page);
    bf_buf_release(&bytes);
}

static void test_a_page_with_a_domain_of_nobody_is_refused(void **state)
{
    Belfry__Registry__V1__SnapshotReply reply = BELFRY__REGISTRY__V1__SNAPSHOT_REPLY__INIT;
    Belfry__Registry__V1__Domain domain = BELFRY__REGISTRY__V1__DOMAIN__INIT, *domains[] = {&domain};
    struct bf_id id = fixture_id(1);
    struct tenant_page page;
    struct bf_buf bytes;

    domain.name = "a.example";
    domain.tenant_id = (ProtobufCBinaryData){sizeof(id.bytes), id.bytes};
    reply.domains = domains;
    reply.n_domains = 1;
    bytes = fixture_pack(&reply.base);
    assert_int_equal(tenant_wire_page(fixture_str(&bytes), &page), BF_PROTOCOL);
    bf_buf_release(&bytes);
}

static void test_an_answer_needs_whole_hashes(void **state)
{
    struct bf_buf good = fixture_answer(fixture_id(1), 0x5a, TENANT_HA1_MD5_BYTES);
    struct bf_buf cut = fixture_answer(fixture_id(1), 0x5a, TENANT_HA1_MD5_BYTES - 1);
    struct tenant_answer answer;

    assert_int_equal(tenant_wire_answer(fixture_str(&good), &answer), BF_OK);
    assert_true(answer.credential.known && answer.credential.max_contacts == 5);
    assert_int_equal(answer.credential.ha1_sha256[31], 0x5a);
    assert_true(bf_id_eq(answer.credential.extension, fixture_id(1)));
    assert_int_equal(tenant_wire_answer(fixture_str(&cut), &answer), BF_PROTOCOL);
    bf_buf_release(&good);
    bf_buf_release(&cut);
}

static void test_questions_say_what_was_asked(void **state)
{
    Belfry__Registry__V1__CredentialRequest *credential;
    Belfry__Registry__V1__ChangesRequest *changes;
    struct bf_buf buf;

    bf_buf_init(&buf, 1024);
    tenant_wire_ask_credential(fixture_id(7), BF_STR("100"), &buf);
    credential = belfry__registry__v1__credential_request__unpack(NULL, buf.len, (uint8_t *)buf.at);
    assert_int_equal(credential->tenant_id.len, sizeof(struct bf_id));
    assert_memory_equal(credential->tenant_id.data, fixture_id(7).bytes, sizeof(struct bf_id));
    assert_string_equal(credential->user, "100");
    belfry__registry__v1__credential_request__free_unpacked(credential, NULL);
    bf_buf_clear(&buf);
    tenant_wire_ask_changes(9, 8, 7, &buf);
    changes = belfry__registry__v1__changes_request__unpack(NULL, buf.len, (uint8_t *)buf.at);
    assert_true(changes->epoch == 9 && changes->after_seq == 8 && changes->limit == 7);
    belfry__registry__v1__changes_request__free_unpacked(changes, NULL);
    bf_buf_release(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind_of_change_is_read_as_it_was_written),
        cmocka_unit_test(test_what_breaks_a_rule_is_refused),
        cmocka_unit_test(test_changes_must_be_consecutive),
        cmocka_unit_test(test_bytes_that_are_no_message_are_refused),
        cmocka_unit_test(test_a_page_gives_each_domain_its_tenant),
        cmocka_unit_test(test_a_page_with_a_domain_of_nobody_is_refused),
        cmocka_unit_test(test_an_answer_needs_whole_hashes),
        cmocka_unit_test(test_questions_say_what_was_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
