// What goes over the bus, read back with the generated code.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "belfry/registry/v1/registry.pb-c.h"
#include "registry_wire.h"

static const struct bf_id acme = {{1, 2, 3}};

static struct bf_str packed(const ProtobufCMessage *message, char *room, size_t size)
{
    assert_true(protobuf_c_message_get_packed_size(message) <= size);
    return (struct bf_str){room, protobuf_c_message_pack(message, (uint8_t *)room)};
}

static struct tenant tenant_of(const char *slug)
{
    struct tenant tenant = {.id = acme, .status = TENANT_SUSPENDED, .limits = {.max_calls = 7}};

    snprintf(tenant.slug, sizeof(tenant.slug), "%s", slug);
    snprintf(tenant.realm, sizeof(tenant.realm), "%s.example", slug);
    return tenant;
}

static enum bf_err ask_credential(size_t tenant_bytes, const char *user,
                                  struct wire_credential_request *ret_request)
{
    Belfry__Registry__V1__CredentialRequest message = BELFRY__REGISTRY__V1__CREDENTIAL_REQUEST__INIT;
    struct bf_id tenant = acme;
    char room[2048];

    message.tenant_id.data = tenant.bytes;
    message.tenant_id.len = tenant_bytes;
    message.user = (char *)user;
    return wire_read_credential(packed(&message.base, room, sizeof(room)), ret_request);
}

static void a_credential_is_asked_for_by_tenant_and_form(void **state)
{
    struct wire_credential_request request;

    assert_int_equal(ask_credential(sizeof(acme.bytes), "100", &request), BF_OK);
    assert_true(bf_id_eq(request.tenant, acme));
    assert_string_equal(request.user, "100");
    assert_int_equal(ask_credential(sizeof(acme.bytes) - 1, "100", &request), BF_INVALID);
    assert_int_equal(ask_credential(0, "100", &request), BF_INVALID);
    assert_int_equal(ask_credential(sizeof(acme.bytes), "1'--", &request), BF_NOT_FOUND);
    assert_int_equal(ask_credential(sizeof(acme.bytes), "", &request), BF_NOT_FOUND);
}

static enum bf_err ask(const char *domain, const char *user, struct wire_owner_request *ret_request)
{
    Belfry__Registry__V1__OwnerRequest message = BELFRY__REGISTRY__V1__OWNER_REQUEST__INIT;
    char room[2048];

    message.domain = (char *)domain;
    message.user = (char *)user;
    return wire_read_owner(packed(&message.base, room, sizeof(room)), ret_request);
}

static void an_owner_is_asked_for_by_names_that_can_exist(void **state)
{
    struct wire_owner_request request;
    char longest[300];

    assert_int_equal(ask("ACME.example", "100", &request), BF_OK);
    assert_string_equal(request.domain, "acme.example");
    assert_string_equal(request.user, "100");
    memset(longest, 'a', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    assert_int_equal(ask(longest, "100", &request), BF_NOT_FOUND);
    assert_int_equal(ask("acme.example", longest, &request), BF_NOT_FOUND);
    assert_int_equal(ask("acme.example", "1'--", &request), BF_NOT_FOUND);
    assert_int_equal(ask("", "", &request), BF_NOT_FOUND);
}

static void garbage_is_invalid(void **state)
{
    static const char garbage[] = "\x0a\xff\xff\xff\xff\x0f";
    const struct bf_str body = {garbage, sizeof(garbage) - 1};
    struct wire_credential_request credential;
    struct wire_owner_request owner;
    struct wire_snapshot_request snapshot;
    struct wire_changes_request changes;
    struct wire_directory_request directory;
    char name[TENANT_SLUG_BYTES_MAX + 1];
    uint8_t hash[BF_SHA256_BYTES];

    assert_int_equal(wire_read_directory(body, &directory), BF_INVALID);
    assert_int_equal(wire_read_tenant(body, name), BF_INVALID);
    assert_int_equal(wire_read_authenticate(body, hash), BF_INVALID);
    assert_int_equal(wire_read_credential(body, &credential), BF_INVALID);
    assert_int_equal(wire_read_owner(body, &owner), BF_INVALID);
    assert_int_equal(wire_read_snapshot(body, &snapshot), BF_INVALID);
    assert_int_equal(wire_read_changes(body, &changes), BF_INVALID);
}

static void a_number_is_asked_for_by_tenant_and_form(void **state)
{
    Belfry__Registry__V1__DirectoryRequest message = BELFRY__REGISTRY__V1__DIRECTORY_REQUEST__INIT;
    struct wire_directory_request request;
    char room[256];

    assert_int_equal(wire_read_directory(packed(&message.base, room, sizeof(room)), &request), BF_INVALID);
    message.tenant_id = (ProtobufCBinaryData){sizeof(acme.bytes), (uint8_t *)acme.bytes};
    assert_int_equal(wire_read_directory(packed(&message.base, room, sizeof(room)), &request), BF_NOT_FOUND);
    message.number = "600";
    assert_int_equal(wire_read_directory(packed(&message.base, room, sizeof(room)), &request), BF_OK);
    assert_true(bf_id_eq(request.tenant, acme));
    assert_string_equal(request.number, "600");
    message.number = "6 00";
    assert_int_equal(wire_read_directory(packed(&message.base, room, sizeof(room)), &request), BF_NOT_FOUND);
}

static void a_tenant_is_asked_for_by_id_or_slug(void **state)
{
    Belfry__Registry__V1__TenantRequest message = BELFRY__REGISTRY__V1__TENANT_REQUEST__INIT;
    char name[TENANT_SLUG_BYTES_MAX + 1];
    char room[256];

    assert_int_equal(wire_read_tenant(packed(&message.base, room, sizeof(room)), name), BF_INVALID);
    message.slug = "acme";
    assert_int_equal(wire_read_tenant(packed(&message.base, room, sizeof(room)), name), BF_OK);
    assert_string_equal(name, "acme");
    message.id = (ProtobufCBinaryData){sizeof(acme.bytes), (uint8_t *)acme.bytes};
    assert_int_equal(wire_read_tenant(packed(&message.base, room, sizeof(room)), name), BF_INVALID);
    message.slug = "";
    assert_int_equal(wire_read_tenant(packed(&message.base, room, sizeof(room)), name), BF_OK);
    assert_string_equal(name, "01020300-0000-0000-0000-000000000000");
    message.id.len = 3;
    assert_int_equal(wire_read_tenant(packed(&message.base, room, sizeof(room)), name), BF_INVALID);
    message.id.len = 0;
    message.slug = "Not A Slug";
    assert_int_equal(wire_read_tenant(packed(&message.base, room, sizeof(room)), name), BF_NOT_FOUND);
}

static void the_directory_answers_with_what_the_number_is(void **state)
{
    struct directory_entry entry = {
        .tenant = tenant_of("acme"),
        .extension = {.id = acme, .number = "100", .calls = {.forward_busy = "101", .ring_seconds = 9}},
        .group = {.number = "600", .strategy = GROUP_SEQUENCE, .members = "101 102", .ring_seconds = 5},
    };
    struct bf_buf buf;

    bf_buf_init(&buf, 1 << 20);
    wire_write_directory(&buf, &entry);
    Belfry__Registry__V1__DirectoryReply *reply =
        belfry__registry__v1__directory_reply__unpack(NULL, buf.len, (uint8_t *)buf.at);
    assert_non_null(reply);
    assert_string_equal(reply->tenant->slug, "acme");
    assert_int_equal(reply->is_case, BELFRY__REGISTRY__V1__DIRECTORY_REPLY__IS_EXTENSION);
    assert_string_equal(reply->extension->forward_busy, "101");
    assert_string_equal(reply->extension->forward_always, "");
    assert_int_equal(reply->extension->ring_seconds, 9);
    assert_memory_equal(reply->extension->id.data, acme.bytes, sizeof(acme.bytes));
    belfry__registry__v1__directory_reply__free_unpacked(reply, NULL);
    bf_buf_clear(&buf);
    entry.is_group = true;
    wire_write_directory(&buf, &entry);
    reply = belfry__registry__v1__directory_reply__unpack(NULL, buf.len, (uint8_t *)buf.at);
    assert_non_null(reply);
    assert_int_equal(reply->is_case, BELFRY__REGISTRY__V1__DIRECTORY_REPLY__IS_GROUP);
    assert_int_equal(reply->group->strategy, BELFRY__REGISTRY__V1__DIRECTORY_GROUP__STRATEGY__SEQUENCE);
    assert_int_equal(reply->group->n_members, 2);
    assert_string_equal(reply->group->members[1], "102");
    belfry__registry__v1__directory_reply__free_unpacked(reply, NULL);
    bf_buf_release(&buf);
}

static void unknown_numbers_are_asked_for_with_their_extension_or_without(void **state)
{
    Belfry__Registry__V1__UnknownRequest message = BELFRY__REGISTRY__V1__UNKNOWN_REQUEST__INIT;
    Belfry__Registry__V1__Number number = BELFRY__REGISTRY__V1__NUMBER__INIT, named = number;
    Belfry__Registry__V1__Number *numbers[] = {&number, &named};
    struct wire_unknown_request request;
    char room[256];

    number.tenant_id = named.tenant_id = (ProtobufCBinaryData){sizeof(acme.bytes), (uint8_t *)acme.bytes};
    number.number = "1 or 2";
    named.number = "100";
    named.extension = named.tenant_id;
    message.numbers = numbers;
    message.n_numbers = 2;
    assert_int_equal(wire_read_unknown(packed(&message.base, room, sizeof(room)), &request), BF_OK);
    assert_string_equal(request.numbers.at, "- 100");
    assert_string_equal(request.ids.at, "- 01020300-0000-0000-0000-000000000000");
    wire_release_unknown(&request);
    named.extension.len = 15;
    assert_int_equal(wire_read_unknown(packed(&message.base, room, sizeof(room)), &request), BF_INVALID);
}

static void a_tenant_comes_with_its_domains(void **state)
{
    struct tenant tenant = tenant_of("acme");
    struct bf_buf buf;

    tenant.domains = "a.example b.example";
    bf_buf_init(&buf, 1 << 20);
    wire_write_tenant(&buf, &tenant);
    Belfry__Registry__V1__TenantReply *reply =
        belfry__registry__v1__tenant_reply__unpack(NULL, buf.len, (uint8_t *)buf.at);
    assert_non_null(reply);
    assert_string_equal(reply->tenant->slug, "acme");
    assert_int_equal(reply->n_domains, 2);
    assert_string_equal(reply->domains[1], "b.example");
    belfry__registry__v1__tenant_reply__free_unpacked(reply, NULL);
    bf_buf_release(&buf);
}

static void limits_have_defaults_and_bounds(void **state)
{
    Belfry__Registry__V1__SnapshotRequest snapshot = BELFRY__REGISTRY__V1__SNAPSHOT_REQUEST__INIT;
    Belfry__Registry__V1__ChangesRequest changes = BELFRY__REGISTRY__V1__CHANGES_REQUEST__INIT;
    struct wire_snapshot_request page;
    struct wire_changes_request wanted;
    char room[64];

    assert_int_equal(wire_read_snapshot(packed(&snapshot.base, room, sizeof(room)), &page), BF_OK);
    assert_int_equal(page.limit, 10000);
    snapshot.limit = 20001;
    assert_int_equal(wire_read_snapshot(packed(&snapshot.base, room, sizeof(room)), &page), BF_INVALID);
    assert_int_equal(wire_read_changes(packed(&changes.base, room, sizeof(room)), &wanted), BF_OK);
    assert_int_equal(wanted.limit, 1000);
    changes.limit = 5001;
    assert_int_equal(wire_read_changes(packed(&changes.base, room, sizeof(room)), &wanted), BF_INVALID);
    changes.limit = 1;
    changes.after_seq = UINT64_MAX;
    assert_int_equal(wire_read_changes(packed(&changes.base, room, sizeof(room)), &wanted), BF_INVALID);
}

static void the_parts_of_a_snapshot_are_one_message(void **state)
{
    struct tenant tenant = tenant_of("acme");
    struct bf_buf buf;

    bf_buf_init(&buf, 1 << 20);
    wire_write_snapshot(&buf, (struct change_head){.epoch = 0xfedcba9876543210, .seq = 42});
    wire_write_snapshot_tenant(&buf, &tenant);
    wire_write_snapshot_domain(&buf, "acme.example", acme);
    wire_write_snapshot_domain(&buf, "b.acme.example", acme);
    wire_write_snapshot_next(&buf, "b.acme.example");
    Belfry__Registry__V1__SnapshotReply *reply =
        belfry__registry__v1__snapshot_reply__unpack(NULL, buf.len, (uint8_t *)buf.at);
    assert_non_null(reply);
    assert_true(reply->epoch == 0xfedcba9876543210);
    assert_int_equal(reply->seq, 42);
    assert_int_equal(reply->n_tenants, 1);
    assert_string_equal(reply->tenants[0]->realm, "acme.example");
    assert_int_equal(reply->tenants[0]->status, BELFRY__REGISTRY__V1__TENANT_STATUS__TENANT_STATUS_SUSPENDED);
    assert_int_equal(reply->tenants[0]->limits->max_calls, 7);
    assert_int_equal(reply->n_domains, 2);
    assert_string_equal(reply->domains[1]->name, "b.acme.example");
    assert_memory_equal(reply->domains[1]->tenant_id.data, acme.bytes, sizeof(acme.bytes));
    assert_string_equal(reply->next, "b.acme.example");
    belfry__registry__v1__snapshot_reply__free_unpacked(reply, NULL);
    bf_buf_release(&buf);
}

static void every_kind_of_change_arrives_as_what_it_is(void **state)
{
    const struct {
        struct change change;
        Belfry__Registry__V1__Change__WhatCase what;
    } cases[] = {
        {{.kind = CHANGE_TENANT}, BELFRY__REGISTRY__V1__CHANGE__WHAT_TENANT},
        {{.kind = CHANGE_TENANT, .gone = true}, BELFRY__REGISTRY__V1__CHANGE__WHAT_TENANT_GONE},
        {{.kind = CHANGE_DOMAIN, .domain = "a.example"}, BELFRY__REGISTRY__V1__CHANGE__WHAT_DOMAIN},
        {{.kind = CHANGE_DOMAIN, .domain = "a.example", .gone = true},
         BELFRY__REGISTRY__V1__CHANGE__WHAT_DOMAIN_GONE},
        {{.kind = CHANGE_EXTENSION, .number = "100", .gone = true},
         BELFRY__REGISTRY__V1__CHANGE__WHAT_EXTENSION},
        {{.kind = CHANGE_EXTENSION, .number = "101", .extension = acme},
         BELFRY__REGISTRY__V1__CHANGE__WHAT_EXTENSION},
        {{.kind = CHANGE_GROUP, .number = "600"}, BELFRY__REGISTRY__V1__CHANGE__WHAT_GROUP},
        {{.kind = CHANGE_APP_KEYS}, BELFRY__REGISTRY__V1__CHANGE__WHAT_APP_KEYS},
    };
    struct bf_buf buf;

    bf_buf_init(&buf, 1 << 20);
    wire_write_feed(&buf, (struct change_head){.epoch = 1, .seq = BF_LEN(cases)});
    for (size_t i = 0; i < BF_LEN(cases); i++) {
        struct change change = cases[i].change;
        change.seq = i + 1;
        change.tenant_id = acme;
        change.tenant = tenant_of("acme");
        wire_write_feed_change(&buf, &change);
    }
    Belfry__Registry__V1__Feed *feed = belfry__registry__v1__feed__unpack(NULL, buf.len, (uint8_t *)buf.at);
    assert_non_null(feed);
    assert_int_equal(feed->n_changes, BF_LEN(cases));
    for (size_t i = 0; i < BF_LEN(cases); i++) {
        assert_int_equal(feed->changes[i]->seq, i + 1);
        assert_int_equal(feed->changes[i]->what_case, cases[i].what);
    }
    assert_string_equal(feed->changes[2]->domain->tenant->slug, "acme");
    assert_string_equal(feed->changes[3]->domain_gone, "a.example");
    assert_true(feed->changes[4]->extension->gone);
    assert_int_equal(feed->changes[4]->extension->id.len, 0);
    assert_memory_equal(feed->changes[5]->extension->id.data, acme.bytes, sizeof(acme.bytes));
    assert_string_equal(feed->changes[6]->group->number, "600");
    belfry__registry__v1__feed__free_unpacked(feed, NULL);
    bf_buf_release(&buf);
}

static void changes_carry_a_feed_of_any_size(void **state)
{
    static const int counts[] = {0, 1, 10, 5000};

    for (size_t i = 0; i < BF_LEN(counts); i++) {
        struct change change = {.kind = CHANGE_EXTENSION, .tenant_id = acme, .number = "100"};
        struct bf_buf feed, reply;

        bf_buf_init(&feed, 1 << 20);
        bf_buf_init(&reply, 1 << 20);
        wire_write_feed(&feed, (struct change_head){0, 0});
        for (int n = 0; n < counts[i]; n++)
            wire_write_feed_change(&feed, &change);
        wire_write_changes(&reply, (struct bf_str){feed.at, feed.len});
        Belfry__Registry__V1__ChangesReply *back =
            belfry__registry__v1__changes_reply__unpack(NULL, reply.len, (uint8_t *)reply.at);
        assert_non_null(back);
        assert_non_null(back->feed);
        assert_int_equal(back->feed->n_changes, counts[i]);
        belfry__registry__v1__changes_reply__free_unpacked(back, NULL);
        bf_buf_release(&feed);
        bf_buf_release(&reply);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_credential_is_asked_for_by_tenant_and_form),
        cmocka_unit_test(an_owner_is_asked_for_by_names_that_can_exist),
        cmocka_unit_test(garbage_is_invalid),
        cmocka_unit_test(a_number_is_asked_for_by_tenant_and_form),
        cmocka_unit_test(a_tenant_is_asked_for_by_id_or_slug),
        cmocka_unit_test(the_directory_answers_with_what_the_number_is),
        cmocka_unit_test(unknown_numbers_are_asked_for_with_their_extension_or_without),
        cmocka_unit_test(a_tenant_comes_with_its_domains),
        cmocka_unit_test(limits_have_defaults_and_bounds),
        cmocka_unit_test(the_parts_of_a_snapshot_are_one_message),
        cmocka_unit_test(every_kind_of_change_arrives_as_what_it_is),
        cmocka_unit_test(changes_carry_a_feed_of_any_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
