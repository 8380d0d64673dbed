// REST: where a number's browser or app finds STUN and TURN.
#include <string.h>

#include "api.h"
#include "bf_clock.h"
#include "extension_store.h"

// The number that is asked for: an app token's own, if it names none.
static enum bf_err number_of(struct api_work *work, const char **ret_number)
{
    const char *own = work->caller->number, *number = bf_http_query(work->call, "number");

    if (!number && !*own)
        return bf_http_problem(work->call, BF_INVALID, "number", "must say for which extension: ?number=100");
    if (number && *own && strcmp(number, own) != 0)
        return bf_http_problem(work->call, BF_FORBIDDEN, "number",
                               "an app token gets credentials of its own number only");
    *ret_number = number ? number : own;
    return BF_OK;
}

static enum bf_err may_relay(struct api_work *work, const char *number)
{
    struct extension extension;

    if (work->tenant.status == TENANT_SUSPENDED)
        return bf_http_problem(work->call, BF_FORBIDDEN, NULL,
                               "this tenant is suspended: its phones get no relay until it is active again");
    if (extension_number_check(bf_str(number)))
        return bf_http_problem(work->call, BF_INVALID, "number", "must be an extension of this tenant");
    enum bf_err err = extension_store_find(work->tx, work->tenant.id, number, &extension);
    return err == BF_NOT_FOUND
               ? bf_http_problem(work->call, BF_INVALID, "number", "must be an extension of this tenant")
               : err;
}

// The servers that want a credential, or those that want none; NULL when there are none of the kind.
static json_t *server_json(const struct turn_urls *urls, bool credential)
{
    json_t *list = json_array();

    for (size_t i = 0; i < urls->count; i++)
        if (turn_url_wants_credential(urls->list[i]) == credential)
            json_array_append_new(list, json_string(urls->list[i]));
    if (json_array_size(list))
        return json_pack("{s:o}", "urls", list);
    json_decref(list);
    return NULL;
}

static json_t *servers_json(const struct registry *registry, const char *username)
{
    json_t *servers = json_array(), *stun = server_json(&registry->turn, false),
           *turn = server_json(&registry->turn, true);

    if (stun)
        json_array_append_new(servers, stun);
    if (turn) {
        char credential[TURN_CREDENTIAL_SIZE];
        turn_credential(registry->settings.turn_secret, username, credential);
        json_object_set_new(turn, "username", json_string(username));
        json_object_set_new(turn, "credential", json_string(credential));
        json_array_append_new(servers, turn);
    }
    return servers;
}

static enum bf_err ice_servers_get(struct api_work *work)
{
    const struct registry *registry = work->registry;
    uint64_t ends_s = bf_unix_ms() / 1000 + (uint64_t)registry->settings.turn_ttl_s;
    char username[TURN_USERNAME_SIZE];
    const char *number = "";
    enum bf_err err = number_of(work, &number);

    if (!err)
        err = may_relay(work, number);
    if (err)
        return err;
    turn_username(ends_s, work->tenant.slug, number, username);
    work->status = 200;
    work->answer =
        json_pack("{s:o, s:o, s:I}", "ice_servers", servers_json(registry, username), "expires_at",
                  bf_json_time(ends_s * 1000), "ttl_seconds", (json_int_t)registry->settings.turn_ttl_s);
    return BF_OK;
}

static const char *const queries[] = {"number", NULL};

const struct api_route ice_api_routes[] = {
    {"GET", "/v1/tenants/{t}/ice-servers", ice_servers_get, BF_GATE_APPS, .queries = queries},
};
const size_t ice_api_route_count = BF_LEN(ice_api_routes);
