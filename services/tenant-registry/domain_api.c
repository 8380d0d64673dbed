// REST: a tenant's domains, and the DNS records they need.
#include <string.h>

#include "api.h"
#include "change_store.h"
#include "dns.h"
#include "domain_store.h"

static const struct bf_json_field add_fields[] = {
    {.name = "name",
     .kind = BF_JSON_TEXT,
     .required = true,
     .offset = offsetof(union api_body, domain.name),
     .min = 1,
     .max = DOMAIN_BYTES_MAX,
     .check = domain_check},
};

static json_t *domain_json(const struct domain *domain)
{
    return json_pack("{s:s, s:o}", "name", domain->name, "created_at", bf_json_time(domain->created_ms));
}

enum bf_err domain_api_add(struct api_work *work, struct bf_id tenant, const char *field, const char *name)
{
    char lower[DOMAIN_BYTES_MAX + 1];

    domain_normalise(bf_str(name), lower);
    enum bf_err err = domain_store_add(work->tx, tenant, lower);
    return err == BF_CONFLICT ? bf_http_problem(work->call, err, field,
                                                "a domain belongs to one tenant, and %s is taken", lower)
                              : err;
}

static enum bf_err domain_create(struct api_work *work)
{
    struct domain domain = {.created_ms = 0};
    int64_t count;
    enum bf_err err = domain_store_count(work->tx, work->tenant.id, &count);

    if (err)
        return err;
    if (count >= TENANT_DOMAINS_MAX)
        return bf_http_problem(work->call, BF_CONFLICT, "domain",
                               "a tenant has at most %d domains; delete one first", TENANT_DOMAINS_MAX);
    domain_normalise(bf_str(work->body.domain.name), domain.name);
    err = domain_api_add(work, work->tenant.id, "name", domain.name);
    if (!err)
        err = domain_store_find(work->tx, work->tenant.id, domain.name, &domain);
    if (!err)
        err = api_audit(work, "domain.create", "domain", domain.name, NULL, domain_json(&domain));
    if (!err)
        err = change_store_note(work->tx, CHANGE_DOMAIN, work->tenant.id, domain.name);
    if (err)
        return err;
    work->status = 201;
    work->answer = domain_json(&domain);
    return BF_OK;
}

struct listing {
    json_t *items;
    char last[DOMAIN_BYTES_MAX + 1];
};

static void list_add(void *ctx, const struct domain *domain)
{
    struct listing *listing = ctx;

    json_array_append_new(listing->items, domain_json(domain));
    memcpy(listing->last, domain->name, sizeof(listing->last));
}

static enum bf_err domain_list(struct api_work *work)
{
    struct listing listing = {.items = json_array()};
    bool more;
    enum bf_err err = domain_store_list(work->tx, work->tenant.id, &work->page, list_add, &listing, &more);

    if (err) {
        json_decref(listing.items);
        return err;
    }
    return api_list(work, listing.items, listing.last, more);
}

static enum bf_err domain_delete(struct api_work *work)
{
    struct bf_str given = bf_str(bf_http_param(work->call, "d"));
    struct domain domain = {.name = ""};
    char name[DOMAIN_BYTES_MAX + 1] = "";
    int64_t count;

    if (!domain_check(given))
        domain_normalise(given, name);
    enum bf_err err = domain_store_find(work->tx, work->tenant.id, name, &domain);
    if (err == BF_NOT_FOUND)
        return bf_http_problem(work->call, err, NULL, "this tenant has no such domain");
    if (!err)
        err = domain_store_count(work->tx, work->tenant.id, &count);
    if (err)
        return err;
    if (count <= 1)
        return bf_http_problem(work->call, BF_CONFLICT, NULL,
                               "a tenant keeps at least one domain; add another first, or delete the tenant");
    err = domain_store_remove(work->tx, work->tenant.id, name);
    if (!err)
        err = api_audit(work, "domain.delete", "domain", name, domain_json(&domain), NULL);
    if (!err)
        err = change_store_note(work->tx, CHANGE_DOMAIN, work->tenant.id, name);
    work->status = 204;
    return err;
}

static enum bf_err dns_get(struct api_work *work)
{
    struct bf_buf zone;

    bf_buf_init(&zone, DNS_ZONE_BYTES_MAX);
    dns_zone(&work->registry->edges, work->tenant.domains, &zone);
    json_t *items = json_array();
    for (const char *at = zone.at; at && *at;) {
        size_t len = strcspn(at, "\n");
        json_array_append_new(items, json_stringn(at, len));
        at += len + (at[len] == '\n');
    }
    work->status = 200;
    work->answer = json_pack("{s:o, s:s%}", "items", items, "zone", zone.len ? zone.at : "", zone.len);
    bf_buf_release(&zone);
    return work->answer ? BF_OK : BF_INTERNAL;
}

const struct api_route domain_api_routes[] = {
    {"POST", "/v1/tenants/{t}/domains", domain_create, 0, API_FIELDS(add_fields)},
    {"GET", "/v1/tenants/{t}/domains", domain_list, 0, .page = &page_domains},
    {"DELETE", "/v1/tenants/{t}/domains/{d}", domain_delete, 0, .page = NULL},
    {"GET", "/v1/tenants/{t}/dns", dns_get, 0, .page = NULL},
};
const size_t domain_api_route_count = BF_LEN(domain_api_routes);
