// Rules about tenants.
#include "tenant.h"

#include <string.h>

#include "text.h"

static const char *const status_names[] = {
    [TENANT_UNKNOWN] = "",
    [TENANT_ACTIVE] = "active",
    [TENANT_SUSPENDED] = "suspended",
};

void tenant_release(struct tenant *tenant)
{
    free(tenant->domains);
    tenant->domains = NULL;
}

const char *tenant_status_name(enum tenant_status status)
{
    return status_names[status];
}

enum tenant_status tenant_status_parse(struct bf_str text)
{
    for (size_t i = TENANT_ACTIVE; i < BF_LEN(status_names); i++)
        if (bf_str_eq(text, bf_str(status_names[i])))
            return (enum tenant_status)i;
    return TENANT_UNKNOWN;
}

const char *tenant_slug_check(struct bf_str text)
{
    static const char bad[] = "must be 1 to 63 of a-z, 0-9 and -, without - at either end";
    struct bf_id id;

    if (text.len < 1 || text.len > TENANT_SLUG_BYTES_MAX || !text_only(text, TEXT_LOWER "-"))
        return bad;
    if (text.at[0] == '-' || text.at[text.len - 1] == '-')
        return bad;
    // Paths take a slug or an id: one text must not mean two tenants.
    if (bf_id_parse(text, &id))
        return "must not look like a UUID";
    return NULL;
}

const char *tenant_name_check(struct bf_str text)
{
    if (text.len < 1 || text.len > TENANT_NAME_BYTES_MAX || text_has_control(text))
        return "must be 1 to 128 bytes of text without control characters";
    return NULL;
}

const char *tenant_status_check(struct bf_str text)
{
    return tenant_status_parse(text) == TENANT_UNKNOWN ? "must be active or suspended" : NULL;
}
