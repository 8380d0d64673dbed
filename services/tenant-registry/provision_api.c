// REST: links that set up a phone.
#include <string.h>

#include "api.h"
#include "bf_clock.h"
#include "extension_store.h"
#include "provision.h"
#include "provision_api.h"
#include "tenant_store.h"

static enum bf_err link_create(struct api_work *work)
{
    const char *number = bf_http_param(work->call, "number");
    struct provision provision = {.tenant = work->tenant.id,
                                  .expires_ms = bf_unix_ms() + PROVISION_LIFE_S * 1000};
    struct extension extension;
    char code[PROVISION_CODE_SIZE];
    enum bf_err err = extension_number_check(bf_str(number))
                          ? BF_NOT_FOUND
                          : extension_store_find(work->tx, work->tenant.id, number, &extension);

    if (err == BF_NOT_FOUND)
        return bf_http_problem(work->call, err, NULL, "this tenant has no such extension");
    if (err)
        return err;
    memcpy(provision.number, extension.number, sizeof(provision.number));
    err = provision_code(&work->registry->vault, &provision, code);
    if (!err)
        err = api_audit(work, "extension.provision", "extension", provision.number, NULL, NULL);
    if (err)
        return err;
    bf_autofree char *path = bf_xasprintf("/provision/%s", code);
    work->status = 201;
    work->answer = json_pack("{s:s, s:s, s:o}", "number", provision.number, "path", path, "expires_at",
                             bf_json_time(provision.expires_ms));
    return BF_OK;
}

const struct api_route provision_api_routes[] = {
    {"POST", "/v1/tenants/{t}/extensions/{number}/provisioning", link_create, 0, .page = NULL},
};
const size_t provision_api_route_count = BF_LEN(provision_api_routes);

// ---- for phones, which have no key

static enum bf_err account_answer(struct bf_http_call *call, const struct registry *registry,
                                  const struct extension *extension, const char *domain, const char *realm,
                                  const struct extension_credential *credential)
{
    bf_cleanup(bf_buf_release) struct bf_buf xml;

    bf_buf_init(&xml, PROVISION_XML_BYTES_MAX);
    provision_xml(&(struct provision_account){.number = extension->number,
                                              .name = extension->display_name,
                                              .domain = domain,
                                              .realm = realm,
                                              .ha1_md5 = credential->ha1.md5,
                                              .edge = &registry->edges.list[0]},
                  &xml);
    return bf_buf_ok(&xml) ? bf_http_text(call, 200, "application/xml", (struct bf_str){xml.at, xml.len})
                           : BF_INTERNAL;
}

// What it is now: of an extension that is gone and of a suspended tenant there is nothing.
static enum bf_err account_find(struct bf_http_call *call, struct registry *registry,
                                const struct provision *provision)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    struct tenant tenant = {.id = provision->tenant};
    struct extension extension;
    struct extension_credential credential;
    char id[BF_ID_TEXT_SIZE], domain[DOMAIN_BYTES_MAX + 1] = "";
    enum bf_err err = bf_tx_begin(registry->db, BF_SCOPE_SYSTEM, (struct bf_id){{0}}, &tx);

    if (!err)
        err = tenant_store_find(tx, bf_id_text(provision->tenant, id), TENANT_READ, &tenant);
    if (!err && tenant.status != TENANT_ACTIVE)
        err = BF_NOT_FOUND;
    if (!err)
        memcpy(domain, tenant.domains, strcspn(tenant.domains, " "));
    if (!err)
        err = extension_store_find(tx, tenant.id, provision->number, &extension);
    if (!err)
        err = extension_store_credential(tx, tenant.id, provision->number, &credential);
    if (!err)
        err = bf_tx_commit(tx);
    tenant_release(&tenant);
    return err ? err : account_answer(call, registry, &extension, domain, tenant.realm, &credential);
}

enum bf_err provision_api_serve(struct bf_http_call *call, void *ctx)
{
    struct registry *registry = ctx;
    struct provision provision;
    enum bf_err err = BF_NOT_FOUND;

    if (provision_read(&registry->vault, bf_str(bf_http_param(call, "code")), bf_unix_ms(), &provision))
        err = account_find(call, registry, &provision);
    return err == BF_NOT_FOUND
               ? bf_http_problem(call, err, NULL, "this link is over, or never was one; ask for another")
               : err;
}
