// REST: a tenant's audit trail.
#include "api.h"

#include "tenant_store.h"

struct listing {
    json_t *items;
    char last[BF_ID_TEXT_SIZE];
};

static json_t *json_or_null(json_t *json)
{
    return json ? json_incref(json) : json_null();
}

static void list_add(void *ctx, const struct audit *audit)
{
    struct listing *listing = ctx;

    bf_id_text(audit->id, listing->last);
    json_array_append_new(listing->items,
                          json_pack("{s:o, s:o, s:s, s:s, s:{s:o, s:s}, s:s, s:s, s:o, s:o}", "id",
                                    bf_json_id(audit->id), "time", bf_json_time(audit->at_ms), "action",
                                    audit->action, "target", audit->target, "actor", "key_id",
                                    bf_json_id(audit->key_id), "role", key_role_name(audit->role),
                                    "request_id", audit->request_id, "remote", audit->remote, "before",
                                    json_or_null(audit->before), "after", json_or_null(audit->after)));
}

// An operator may still read by id what was done to a tenant that is gone.
static enum bf_err audit_tenant(struct api_work *work, struct bf_id *ret_id)
{
    const char *name = bf_http_param(work->call, "t");
    bool knows = false;
    enum bf_err err = tenant_store_find(work->tx, name, TENANT_READ, &work->tenant);

    if (!err)
        *ret_id = work->tenant.id;
    if (err != BF_NOT_FOUND)
        return err;
    if (bf_id_parse(bf_str(name), ret_id)) {
        err = audit_store_knows(work->tx, *ret_id, &knows);
        if (err)
            return err;
    }
    return knows ? BF_OK : bf_http_problem(work->call, BF_NOT_FOUND, NULL, "there is no such tenant");
}

static enum bf_err audit_list(struct api_work *work)
{
    struct listing listing = {.items = json_array()};
    struct bf_id tenant;
    bool more;
    enum bf_err err = audit_tenant(work, &tenant);

    if (!err)
        err = audit_store_list(work->tx, tenant, &work->page, list_add, &listing, &more);
    if (err) {
        json_decref(listing.items);
        return err;
    }
    return api_list(work, listing.items, listing.last, more);
}

const struct api_route audit_api_routes[] = {
    {"GET", "/v1/tenants/{t}/audit", audit_list, API_NO_TENANT_LOOKUP, .page = &page_ids},
};
const size_t audit_api_route_count = BF_LEN(audit_api_routes);
