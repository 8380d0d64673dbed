// REST: a tenant's groups.
#include <string.h>

#include "api.h"
#include "change_store.h"
#include "group_store.h"

#define BODY(member) offsetof(union api_body, group.member)

#define NUMBER_FIELD                                                                      \
    {                                                                                     \
        .name = "number", .kind = BF_JSON_TEXT, .required = true, .offset = BODY(number), \
        .max = EXTENSION_NUMBER_BYTES_MAX, .check = extension_number_check                \
    }
#define STRATEGY_FIELD(need)                                                                               \
    {                                                                                                      \
        .name = "strategy", .kind = BF_JSON_TEXT, .required = (need), .offset = BODY(strategy), .max = 16, \
        .check = group_strategy_check                                                                      \
    }
#define MEMBERS_FIELD(need)                                                                    \
    {                                                                                          \
        .name = "members", .kind = BF_JSON_TEXTS, .required = (need), .offset = BODY(members), \
        .max = GROUP_MEMBERS_MAX, .check = extension_number_check                              \
    }
#define DISPLAY_FIELD                                                               \
    {                                                                               \
        .name = "display_name", .kind = BF_JSON_TEXT, .offset = BODY(display_name), \
        .max = EXTENSION_DISPLAY_BYTES_MAX, .check = extension_display_check        \
    }
#define RING_FIELD                                                                           \
    {                                                                                        \
        .name = "ring_seconds", .kind = BF_JSON_INT, .offset = BODY(ring_seconds), .min = 1, \
        .max = EXTENSION_RING_SECONDS_MAX                                                    \
    }

static const struct bf_json_field create_fields[] = {NUMBER_FIELD, STRATEGY_FIELD(true), MEMBERS_FIELD(true),
                                                     DISPLAY_FIELD, RING_FIELD};
static const struct bf_json_field patch_fields[] = {STRATEGY_FIELD(false), MEMBERS_FIELD(false),
                                                    DISPLAY_FIELD, RING_FIELD};

static json_t *group_json(const struct group *group)
{
    json_t *members = json_array();
    struct bf_str number;

    for (const char *at = group->members; group_members_next(&at, &number);)
        json_array_append_new(members, json_stringn(number.at, number.len));
    return json_pack("{s:s, s:s, s:s, s:o, s:I, s:o, s:o}", "number", group->number, "display_name",
                     group->display_name, "strategy", group_strategy_name(group->strategy), "members",
                     members, "ring_seconds", (json_int_t)group->ring_seconds, "created_at",
                     bf_json_time(group->created_ms), "updated_at", bf_json_time(group->updated_ms));
}

// The group of the path.
static enum bf_err group_of_path(struct api_work *work, struct group *group)
{
    const char *number = bf_http_param(work->call, "number");
    enum bf_err err = BF_NOT_FOUND;

    if (!extension_number_check(bf_str(number)))
        err = group_store_find(work->tx, work->tenant.id, number, group);
    return err == BF_NOT_FOUND ? bf_http_problem(work->call, err, NULL, "this tenant has no such group")
                               : err;
}

// What the body says, over what is there. Members that were not given stay.
static enum bf_err group_merge(struct api_work *work, struct group *group)
{
    const struct api_group_body *body = &work->body.group;
    const struct bf_json_texts *members = &body->members;
    size_t twice = group_members_repeated(members->items, members->count);

    if (twice < members->count)
        return bf_http_problem(work->call, BF_INVALID, "members", "must not name %s twice",
                               members->items[twice]);
    if (members->items)
        group_members_join(members->items, members->count, group->members);
    if (body->strategy)
        group->strategy = group_strategy_parse(bf_str(body->strategy));
    if (body->display_name)
        memcpy(group->display_name, body->display_name, strlen(body->display_name) + 1);
    if (body->ring_seconds != BF_JSON_ABSENT)
        group->ring_seconds = body->ring_seconds;
    return BF_OK;
}

// The tenant's row is locked: no extension goes between the look and the write.
static enum bf_err members_save(struct api_work *work, const struct group *group)
{
    char stranger[EXTENSION_NUMBER_BYTES_MAX + 1];
    enum bf_err err = group_store_stranger(work->tx, work->tenant.id, group->members, stranger);

    if (!err && stranger[0])
        return bf_http_problem(work->call, BF_INVALID, "members",
                               "%s is no extension of this tenant; members are numbers of extensions",
                               stranger);
    return err ? err : group_store_set_members(work->tx, work->tenant.id, group);
}

static enum bf_err group_insert(struct api_work *work, const struct group *group)
{
    int64_t count;
    enum bf_err err = group_store_count(work->tx, work->tenant.id, &count);

    if (err)
        return err;
    if (count >= TENANT_GROUPS_MAX)
        return bf_http_problem(work->call, BF_CONFLICT, "number",
                               "a tenant has at most %d groups; delete one first", TENANT_GROUPS_MAX);
    err = group_store_add(work->tx, work->tenant.id, group);
    if (err == BF_CONFLICT)
        return bf_http_problem(work->call, err, "number",
                               "this tenant has an extension or a group %s already", group->number);
    return err ? err : members_save(work, group);
}

static enum bf_err group_create(struct api_work *work)
{
    const struct api_group_body *body = &work->body.group;
    struct group group = {.ring_seconds = EXTENSION_RING_SECONDS_DEFAULT};
    enum bf_err err = group_merge(work, &group);

    if (err)
        return err;
    memcpy(group.number, body->number, strlen(body->number) + 1);
    err = group_insert(work, &group);
    if (!err)
        err = group_store_find(work->tx, work->tenant.id, body->number, &group);
    if (!err)
        err = api_audit(work, "group.create", "group", group.number, NULL, group_json(&group));
    if (!err)
        err = change_store_note(work->tx, CHANGE_GROUP, work->tenant.id, group.number);
    if (err)
        return err;
    work->status = 201;
    work->answer = group_json(&group);
    return BF_OK;
}

struct listing {
    json_t *items;
    char last[EXTENSION_NUMBER_BYTES_MAX + 1];
};

static void list_add(void *ctx, const struct group *group)
{
    struct listing *listing = ctx;

    json_array_append_new(listing->items, group_json(group));
    memcpy(listing->last, group->number, sizeof(listing->last));
}

static enum bf_err group_list(struct api_work *work)
{
    struct listing listing = {.items = json_array()};
    bool more;
    enum bf_err err = group_store_list(work->tx, work->tenant.id, &work->page, list_add, &listing, &more);

    if (err) {
        json_decref(listing.items);
        return err;
    }
    return api_list(work, listing.items, listing.last, more);
}

static enum bf_err group_get(struct api_work *work)
{
    struct group group = {.number = ""};
    enum bf_err err = group_of_path(work, &group);

    if (err)
        return err;
    work->status = 200;
    work->answer = group_json(&group);
    return BF_OK;
}

static enum bf_err group_patch(struct api_work *work)
{
    struct group before = {.number = ""}, group;
    enum bf_err err = group_of_path(work, &before);

    if (err)
        return err;
    group = before;
    err = group_merge(work, &group);
    if (!err)
        err = group_store_update(work->tx, work->tenant.id, &group);
    if (!err && work->body.group.members.items)
        err = members_save(work, &group);
    if (!err)
        err = group_store_find(work->tx, work->tenant.id, before.number, &group);
    if (!err)
        err = api_audit(work, "group.change", "group", group.number, group_json(&before), group_json(&group));
    if (!err)
        err = change_store_note(work->tx, CHANGE_GROUP, work->tenant.id, group.number);
    if (err)
        return err;
    work->status = 200;
    work->answer = group_json(&group);
    return BF_OK;
}

static enum bf_err group_delete(struct api_work *work)
{
    struct group group = {.number = ""};
    enum bf_err err = group_of_path(work, &group);

    if (!err)
        err = group_store_remove(work->tx, work->tenant.id, group.number);
    if (!err)
        err = api_audit(work, "group.delete", "group", group.number, group_json(&group), NULL);
    if (!err)
        err = change_store_note(work->tx, CHANGE_GROUP, work->tenant.id, group.number);
    work->status = 204;
    return err;
}

const struct api_route group_api_routes[] = {
    {"POST", "/v1/tenants/{t}/groups", group_create, 0, API_FIELDS(create_fields)},
    {"GET", "/v1/tenants/{t}/groups", group_list, 0, .page = &page_groups},
    {"GET", "/v1/tenants/{t}/groups/{number}", group_get, 0, .page = NULL},
    {"PATCH", "/v1/tenants/{t}/groups/{number}", group_patch, 0, API_FIELDS(patch_fields)},
    {"DELETE", "/v1/tenants/{t}/groups/{number}", group_delete, 0, .page = NULL},
};
const size_t group_api_route_count = BF_LEN(group_api_routes);
