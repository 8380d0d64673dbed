// What tests of this program stand on: a Redis of their own, and a registry that answers what it is told to.
#ifndef CONTROL_FIXTURE_H
#define CONTROL_FIXTURE_H

#include "belfry/call/v1/call.pb-c.h"
#include "belfry/registry/v1/registry.pb-c.h"
#include "bf_redis_fixture.h"
#include "admit_store.h"
#include "call_store.h"
#include "control.h"
#include "directory.h"
#include "edge_store.h"
#include "edges.h"
#include "limit_store.h"
#include "location_store.h"

#define FIXTURE_REGISTRY "inproc://registry"
#define FIXTURE_FEED     "inproc://feed"
#define FIXTURE_TENANT   ((struct bf_id){{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}})
#define FIXTURE_NUMBERS  16
#define FIXTURE_WAIT_MS  10000

struct fixture_number {
    const char *number;
    bool group;
    const char *members[4];
    const char *busy;
    struct bf_id id; // of the extension; nil: the registry does not say
};

struct fixture {
    struct bf_redis_fixture server;
    struct control control;
    struct bf_bus_server *registry;
    struct bf_bus_publisher *feed;
    // What the registry says; change it between questions only.
    struct fixture_number numbers[FIXTURE_NUMBERS];
    Belfry__Registry__V1__Limits limits;
    _Atomic int failing; // an enum bf_err for every question
    _Atomic unsigned asked;
};

// ---- the registry

static inline void fixture_add(struct bf_buf *into, const ProtobufCMessage *message)
{
    bf_autofree uint8_t *bytes = bf_xcalloc(1, protobuf_c_message_get_packed_size(message) + 1);
    size_t size = protobuf_c_message_pack(message, bytes);

    bf_buf_add(into, bytes, size);
}

static inline const struct fixture_number *fixture_number(const struct fixture *fixture, const char *number)
{
    for (size_t i = 0; i < FIXTURE_NUMBERS && fixture->numbers[i].number; i++)
        if (strcmp(fixture->numbers[i].number, number) == 0)
            return &fixture->numbers[i];
    return NULL;
}

static inline void fixture_answer(const struct fixture *fixture, const struct fixture_number *number,
                                  struct bf_buf *ret_body)
{
    Belfry__Registry__V1__DirectoryReply reply = BELFRY__REGISTRY__V1__DIRECTORY_REPLY__INIT;
    Belfry__Registry__V1__Tenant tenant = BELFRY__REGISTRY__V1__TENANT__INIT;
    Belfry__Registry__V1__DirectoryExtension extension = BELFRY__REGISTRY__V1__DIRECTORY_EXTENSION__INIT;
    Belfry__Registry__V1__DirectoryGroup group = BELFRY__REGISTRY__V1__DIRECTORY_GROUP__INIT;
    struct bf_id id = FIXTURE_TENANT;

    tenant.id = (ProtobufCBinaryData){sizeof(id.bytes), id.bytes};
    tenant.status = BELFRY__REGISTRY__V1__TENANT_STATUS__TENANT_STATUS_ACTIVE;
    tenant.limits = (Belfry__Registry__V1__Limits *)&fixture->limits;
    reply.tenant = &tenant;
    if (number->group) {
        reply.is_case = BELFRY__REGISTRY__V1__DIRECTORY_REPLY__IS_GROUP;
        reply.group = &group;
        group.members = (char **)number->members;
        while (group.n_members < BF_LEN(number->members) && number->members[group.n_members])
            group.n_members++;
    } else {
        reply.is_case = BELFRY__REGISTRY__V1__DIRECTORY_REPLY__IS_EXTENSION;
        reply.extension = &extension;
        extension.ring_seconds = 20;
        if (!bf_id_is_nil(number->id))
            extension.id = (ProtobufCBinaryData){sizeof(number->id.bytes), (uint8_t *)number->id.bytes};
        extension.display_name = (char *)number->number;
        extension.forward_busy = (char *)(number->busy ? number->busy : "");
    }
    fixture_add(ret_body, &reply.base);
}

static inline enum bf_err fixture_directory(const struct bf_bus_request *request, struct bf_buf *ret_body,
                                            struct bf_buf *error, void *ctx)
{
    struct fixture *fixture = ctx;
    const struct fixture_number *number = NULL;
    enum bf_err failing = (enum bf_err)fixture->failing;

    fixture->asked++;
    Belfry__Registry__V1__DirectoryRequest *asked = belfry__registry__v1__directory_request__unpack(
        NULL, request->body.len, (const uint8_t *)request->body.at);
    if (asked && !failing)
        number = fixture_number(fixture, asked->number);
    if (asked)
        belfry__registry__v1__directory_request__free_unpacked(asked, NULL);
    if (failing || !number)
        return failing ? failing : BF_NOT_FOUND;
    fixture_answer(fixture, number, ret_body);
    return BF_OK;
}

static inline enum bf_err fixture_unknown(const struct bf_bus_request *request, struct bf_buf *ret_body,
                                          struct bf_buf *error, void *ctx)
{
    struct fixture *fixture = ctx;
    Belfry__Registry__V1__UnknownReply reply = BELFRY__REGISTRY__V1__UNKNOWN_REPLY__INIT;
    Belfry__Registry__V1__UnknownRequest *asked = belfry__registry__v1__unknown_request__unpack(
        NULL, request->body.len, (const uint8_t *)request->body.at);
    uint32_t at[64];

    reply.at = at;
    for (size_t i = 0; asked && i < asked->n_numbers && reply.n_at < BF_LEN(at); i++)
        if (!fixture_number(fixture, asked->numbers[i]->number))
            at[reply.n_at++] = (uint32_t)i;
    if (asked)
        belfry__registry__v1__unknown_request__free_unpacked(asked, NULL);
    fixture_add(ret_body, &reply.base);
    return (enum bf_err)fixture->failing;
}

// Publishes a head and, with a number, one change of it at `seq`.
static inline void fixture_publish(struct fixture *fixture, uint64_t epoch, uint64_t head, uint64_t seq,
                                   const char *number)
{
    Belfry__Registry__V1__Feed feed = BELFRY__REGISTRY__V1__FEED__INIT;
    Belfry__Registry__V1__Change change = BELFRY__REGISTRY__V1__CHANGE__INIT;
    Belfry__Registry__V1__Extension extension = BELFRY__REGISTRY__V1__EXTENSION__INIT;
    Belfry__Registry__V1__Change *list[] = {&change};
    struct bf_id id = FIXTURE_TENANT;
    struct bf_buf message;

    feed.epoch = epoch;
    feed.head_seq = head;
    feed.changes = list;
    feed.n_changes = number != NULL;
    change.seq = seq;
    change.what_case = BELFRY__REGISTRY__V1__CHANGE__WHAT_EXTENSION;
    change.extension = &extension;
    extension.tenant_id = (ProtobufCBinaryData){sizeof(id.bytes), id.bytes};
    extension.number = (char *)(number ? number : "");
    bf_buf_init(&message, 4096);
    fixture_add(&message, &feed.base);
    (void)!bf_bus_publish(fixture->feed, (struct bf_str){message.at, message.len});
    bf_buf_release(&message);
}

// ---- all of it

static inline enum bf_err fixture_registry_start(struct fixture *fixture)
{
    static const struct bf_bus_method methods[] = {{"Directory", fixture_directory},
                                                   {"Unknown", fixture_unknown}};
    enum bf_err err =
        bf_bus_serve(FIXTURE_REGISTRY, 2, methods, BF_LEN(methods), fixture, &fixture->registry);

    if (!err)
        err = bf_bus_publisher_open(FIXTURE_FEED, &fixture->feed);
    if (!err)
        err = bf_bus_dial(FIXTURE_REGISTRY, &fixture->control.registry);
    if (!err)
        err = directory_start(&fixture->control, &fixture->control.directory);
    for (int i = 0; !err && !bf_bus_connected(fixture->control.registry) && i < FIXTURE_WAIT_MS; i++)
        usleep(1000);
    return err;
}

static inline enum bf_err fixture_redis_start(struct fixture *fixture)
{
    static struct bf_redis_script *const scripts[] = {
        &limit_take_script, &location_put_script, &location_gone_script, &admit_script,
        &edge_begin_script, &edge_commit_script,  &call_keep_script};

    if (!bf_redis_fixture_start(&fixture->server))
        return BF_INTERNAL;
    struct bf_redis_options options = bf_redis_fixture_options(&fixture->server);
    options.scripts = scripts;
    options.script_count = BF_LEN(scripts);
    enum bf_err err = bf_redis_open(&options, &fixture->control.redis);
    if (!err && !bf_redis_fixture_serves(fixture->control.redis))
        err = BF_UNAVAILABLE;
    return err ? err : edges_start(&fixture->control, &fixture->control.edges);
}

static inline enum bf_err fixture_start(struct fixture *fixture)
{
    belfry__registry__v1__limits__init(&fixture->limits);
    fixture->control.settings.registry_feed = (char *)FIXTURE_FEED;
    fixture->control.settings.directory_entries_max = 100;
    enum bf_err err = fixture_redis_start(fixture);
    return err ? err : fixture_registry_start(fixture);
}

static inline void fixture_stop(struct fixture *fixture)
{
    edges_stop(fixture->control.edges);
    directory_stop(fixture->control.directory);
    bf_bus_hang_up(fixture->control.registry);
    bf_bus_server_stop(fixture->registry, 0);
    bf_bus_publisher_close(fixture->feed);
    bf_redis_close(fixture->control.redis);
    bf_redis_fixture_stop(&fixture->server);
}

static inline enum bf_err fixture_flush(struct fixture *fixture)
{
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch =
        bf_redis_batch_new(fixture->control.redis);

    bf_redis_add(batch, (struct bf_redis_arg[]){BF_R_TEXT("FLUSHALL")}, 1);
    return bf_redis_run(batch);
}

// The number that one command answers.
#define fixture_redis_int(fixture, name, ...)                                           \
    ({                                                                                  \
        struct bf_redis_batch *int_ = bf_redis_batch_new((fixture)->control.redis);     \
        bf_redis_cmd(int_, name, __VA_ARGS__);                                          \
        int64_t got_ = bf_redis_run(int_) ? -1 : bf_redis_int(bf_redis_reply(int_, 0)); \
        bf_redis_batch_free(int_);                                                      \
        got_;                                                                           \
    })

#endif
