#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "belfry/call/v1/call.pb-c.h"
#include "tenant_binding.h"
#include "tenant_fixture.h"

#define UUID "01890000-0000-7000-8000-000000000001"

static struct tenant_binding binding_make(void)
{
    return (struct tenant_binding){
        .tenant = fixture_id(3),
        .number = BF_STR("101"),
        .ruid = BF_STR("uloc-1"),
        .contact = BF_STR("sip:101@192.0.2.1:5060"),
        .received = BF_STR("sip:198.51.100.1:5062"),
        .path = BF_STR(""),
        .transport = BF_STR("udp"),
        .user_agent = BF_STR("phone"),
        .call_id = BF_STR("c1"),
        .instance = BF_STR("<urn:uuid:1>"),
        .socket = BF_STR("udp:127.0.0.1:5060"),
        .expires_ms = 1789000000123,
        .cseq = 7,
        .flags = 4,
        .q = 500,
    };
}

static Belfry__Call__V1__Entry *unpack(const struct tenant_entry *entry)
{
    return belfry__call__v1__entry__unpack(NULL, entry->len, entry->bytes);
}

static void test_an_aor_is_a_number_at_a_tenant(void **state)
{
    struct bf_id tenant;
    struct bf_str number;
    char text[BF_ID_TEXT_SIZE], aor[TENANT_AOR_SIZE];

    assert_true(tenant_aor_read(BF_STR("101@" UUID), &tenant, &number));
    assert_string_equal(bf_id_text(tenant, text), UUID);
    assert_true(bf_str_eq(number, BF_STR("101")));
    assert_int_equal(tenant_aor_write(tenant, number, aor), strlen("101@" UUID));
    assert_string_equal(aor, "101@" UUID);
    assert_true(tenant_aor_read(BF_STR("a@b@" UUID), &tenant, &number));
    assert_true(bf_str_eq(number, BF_STR("a@b")));
    assert_false(tenant_aor_read(BF_STR("101@example.org"), &tenant, &number));
    assert_false(tenant_aor_read(BF_STR("@" UUID), &tenant, &number));
    assert_false(tenant_aor_read(BF_STR("101" UUID), &tenant, &number));
    assert_false(tenant_aor_read(BF_STR("101@x1890000-0000-7000-8000-000000000001"), &tenant, &number));
    assert_false(tenant_aor_read(BF_STR(""), &tenant, &number));
}

static void test_the_transport_is_how_the_register_came(void **state)
{
    static const struct {
        struct bf_str received, socket;
        const char *transport;
    } CASES[] = {
        {BF_STR(""), BF_STR("udp:127.0.0.1:5060"), "udp"},
        {BF_STR(""), BF_STR("tcp:127.0.0.1:5060"), "tcp"},
        {BF_STR("sip:1.2.3.4:5;transport=ws"), BF_STR("tcp:127.0.0.1:5060"), "ws"},
        {BF_STR("sip:1.2.3.4:5;transport=WSS;x=1"), BF_STR("tls:127.0.0.1:5061"), "wss"},
        {BF_STR("sip:1.2.3.4:5;transport=quic"), BF_STR("tls:127.0.0.1:5061"), "tls"},
        {BF_STR("sip:1.2.3.4:5;transport="), BF_STR("tcp:127.0.0.1:5060"), "tcp"},
        {BF_STR("sip:1.2.3.4:5"), BF_STR(""), "udp"},
    };

    for (size_t i = 0; i < BF_LEN(CASES); i++) {
        struct bf_str got = tenant_binding_transport(CASES[i].received, CASES[i].socket);
        assert_true(bf_str_eq(got, bf_str(CASES[i].transport)));
    }
}

static void test_push_parameters_travel_without_their_escapes(void **state)
{
    struct tenant_binding binding = binding_make();
    struct tenant_entry entry;
    Belfry__Call__V1__Entry *got;

    binding.secrets.pn_provider = BF_STR("apns");
    binding.secrets.pn_prid = BF_STR("a%3Ab%0d%4");
    binding.secrets.pn_param = BF_STR("T.app.voip");
    binding.secrets.wake = BF_STR("token");
    tenant_entry_binding(&binding, 42, &entry);
    got = unpack(&entry);
    assert_string_equal(got->binding->contact, "sip:101@192.0.2.1:5060");
    assert_string_equal(got->binding->pn_provider, "apns");
    assert_string_equal(got->binding->pn_prid, "a:b%0d%4"); // what would end a line stays escaped
    assert_string_equal(got->binding->pn_param, "T.app.voip");
    assert_string_equal(got->binding->wake, "token");
    belfry__call__v1__entry__free_unpacked(got, NULL);
}

static void test_a_binding_travels_whole(void **state)
{
    struct tenant_binding binding = binding_make();
    struct tenant_entry entry;
    Belfry__Call__V1__Entry *got;

    tenant_entry_binding(&binding, 42, &entry);
    got = unpack(&entry);
    assert_non_null(got);
    assert_int_equal(got->at_ms, 42);
    assert_int_equal(got->what_case, BELFRY__CALL__V1__ENTRY__WHAT_BINDING);
    assert_memory_equal(got->binding->tenant_id.data, binding.tenant.bytes, 16);
    assert_string_equal(got->binding->number, "101");
    assert_string_equal(got->binding->ruid, "uloc-1");
    assert_string_equal(got->binding->contact, "sip:101@192.0.2.1:5060");
    assert_string_equal(got->binding->received, "sip:198.51.100.1:5062");
    assert_string_equal(got->binding->transport, "udp");
    assert_string_equal(got->binding->user_agent, "phone");
    assert_string_equal(got->binding->call_id, "c1");
    assert_string_equal(got->binding->instance, "<urn:uuid:1>");
    assert_string_equal(got->binding->socket, "udp:127.0.0.1:5060");
    assert_int_equal(got->binding->expires_ms, 1789000000123);
    assert_int_equal(got->binding->cseq, 7);
    assert_int_equal(got->binding->flags, 4);
    assert_int_equal(got->binding->q, 500);
    assert_int_equal(got->binding->pn_id.len, 0);
    assert_int_equal(got->binding->extension.len, 0);
    belfry__call__v1__entry__free_unpacked(got, NULL);
    binding.note.pn_id[15] = 1;
    binding.note.extension = fixture_id(9);
    tenant_entry_binding(&binding, 42, &entry);
    got = unpack(&entry);
    assert_memory_equal(got->binding->pn_id.data, binding.note.pn_id, 16);
    assert_memory_equal(got->binding->extension.data, binding.note.extension.bytes, 16);
    belfry__call__v1__entry__free_unpacked(got, NULL);
}

static void test_long_texts_are_cut_or_refused(void **state)
{
    static char text[TENANT_OUTBOX_ENTRY_BYTES_MAX];
    struct tenant_binding binding = binding_make();
    struct tenant_entry entry;
    Belfry__Call__V1__Entry *got;

    memset(text, 'x', sizeof(text));
    binding.user_agent = (struct bf_str){text, sizeof(text)};
    tenant_entry_binding(&binding, 1, &entry);
    got = unpack(&entry);
    assert_non_null(got);
    assert_int_equal(strlen(got->binding->user_agent), 255);
    belfry__call__v1__entry__free_unpacked(got, NULL);
    binding.contact = (struct bf_str){text, sizeof(text)};
    tenant_entry_binding(&binding, 1, &entry);
    assert_int_equal(entry.len, 0);
    binding.number = (struct bf_str){text, sizeof(text)};
    tenant_entry_gone(&binding, "lost", 1, &entry);
    assert_int_equal(entry.len, 0);
}

static void test_gone_and_marks_travel(void **state)
{
    struct tenant_binding binding = binding_make();
    struct tenant_entry entry;
    Belfry__Call__V1__Entry *got;

    tenant_entry_gone(&binding, "lost", 1, &entry);
    got = unpack(&entry);
    assert_int_equal(got->what_case, BELFRY__CALL__V1__ENTRY__WHAT_BINDING_GONE);
    assert_string_equal(got->binding_gone->ruid, "uloc-1");
    assert_string_equal(got->binding_gone->why, "lost");
    belfry__call__v1__entry__free_unpacked(got, NULL);
    for (int end = 0; end < 2; end++) {
        tenant_entry_mark(end, 9, 1, &entry);
        got = unpack(&entry);
        assert_int_equal(got->what_case, end ? BELFRY__CALL__V1__ENTRY__WHAT_SYNC_END
                                             : BELFRY__CALL__V1__ENTRY__WHAT_SYNC_BEGIN);
        assert_int_equal(end ? got->sync_end->id : got->sync_begin->id, 9);
        belfry__call__v1__entry__free_unpacked(got, NULL);
    }
}

// ---- pages

static enum bf_err read_page(Belfry__Call__V1__Binding *binding, struct tenant_bindings *ret_page)
{
    Belfry__Call__V1__RestoreReply reply = BELFRY__CALL__V1__RESTORE_REPLY__INIT;
    uint8_t bytes[1024];

    reply.bindings = &binding;
    reply.n_bindings = 1;
    reply.next = (char *)"n";
    return tenant_bindings_read(
        (struct bf_str){(char *)bytes, belfry__call__v1__restore_reply__pack(&reply, bytes)}, ret_page);
}

static Belfry__Call__V1__Binding pb_make(const struct bf_id *tenant)
{
    Belfry__Call__V1__Binding binding = BELFRY__CALL__V1__BINDING__INIT;

    binding.tenant_id = (ProtobufCBinaryData){sizeof(tenant->bytes), (uint8_t *)tenant->bytes};
    binding.number = (char *)"101";
    binding.ruid = (char *)"r";
    binding.contact = (char *)"sip:a";
    binding.call_id = (char *)"c";
    return binding;
}

static void test_a_page_is_read(void **state)
{
    struct bf_id tenant = fixture_id(5);
    Belfry__Call__V1__Binding binding = pb_make(&tenant);
    struct tenant_bindings page;

    binding.extension = binding.tenant_id;
    assert_int_equal(read_page(&binding, &page), BF_OK);
    assert_true(bf_id_eq(page.at[0].note.extension, tenant));
    assert_int_equal(page.at[0].note.pn_id[0], 0);
    assert_int_equal(page.count, 1);
    assert_true(bf_id_eq(page.at[0].tenant, tenant));
    assert_true(bf_str_eq(page.at[0].contact, BF_STR("sip:a")));
    assert_true(bf_str_eq(page.next, BF_STR("n")));
    tenant_bindings_release(&page);
}

static void test_a_page_with_nonsense_is_refused(void **state)
{
    struct bf_id tenant = fixture_id(5);
    struct tenant_bindings page;
    Belfry__Call__V1__Binding binding = pb_make(&tenant);

    binding.tenant_id.len = 15;
    assert_int_equal(read_page(&binding, &page), BF_PROTOCOL);
    binding = pb_make(&tenant);
    binding.number = (char *)"";
    assert_int_equal(read_page(&binding, &page), BF_PROTOCOL);
    binding = pb_make(&tenant);
    binding.ruid = (char *)"";
    assert_int_equal(read_page(&binding, &page), BF_PROTOCOL);
    binding = pb_make(&tenant);
    binding.pn_id = (ProtobufCBinaryData){15, tenant.bytes};
    assert_int_equal(read_page(&binding, &page), BF_PROTOCOL);
    assert_int_equal(tenant_bindings_read(BF_STR("\xff\xff"), &page), BF_PROTOCOL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_aor_is_a_number_at_a_tenant),
        cmocka_unit_test(test_the_transport_is_how_the_register_came),
        cmocka_unit_test(test_push_parameters_travel_without_their_escapes),
        cmocka_unit_test(test_a_binding_travels_whole),
        cmocka_unit_test(test_long_texts_are_cut_or_refused),
        cmocka_unit_test(test_gone_and_marks_travel),
        cmocka_unit_test(test_a_page_is_read),
        cmocka_unit_test(test_a_page_with_nonsense_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
