// Pages and cursors.
#include "page.h"

#include <string.h>

#include "bf_crypto.h"
#include "bf_id.h"
#include "domain.h"
#include "extension.h"
#include "tenant.h"

static const char *id_check(struct bf_str text)
{
    struct bf_id id;

    return bf_id_parse(text, &id) ? NULL : "must be a UUID";
}

static const struct {
    char letter;
    const char *(*check)(struct bf_str key);
} kinds[] = {
    [PAGE_TENANTS] = {'t', tenant_slug_check},
    [PAGE_DOMAINS] = {'d', domain_check},
    [PAGE_EXTENSIONS] = {'e', extension_number_check},
    [PAGE_GROUPS] = {'g', extension_number_check},
    [PAGE_IDS] = {'i', id_check},
};

static bool cursor_read(enum page_kind kind, struct bf_str cursor, char *ret_key)
{
    char bytes[PAGE_KEY_BYTES_MAX + 2] = {0};
    size_t len = cursor.len / 2;

    if (len < 2 || len > PAGE_KEY_BYTES_MAX + 1 || cursor.len % 2 || !bf_unhex(cursor, bytes, len))
        return false;
    if (bytes[0] != kinds[kind].letter || kinds[kind].check((struct bf_str){bytes + 1, len - 1}))
        return false;
    memcpy(ret_key, bytes + 1, len);
    return true;
}

enum bf_err page_read(enum page_kind kind, const char *limit, const char *after, struct page *ret_page,
                      const char **ret_field, const char **ret_wrong)
{
    struct page page = {.kind = kind, .limit = PAGE_LIMIT_DEFAULT};

    if (limit && !bf_parse_int(bf_str(limit), 1, PAGE_LIMIT_MAX, &page.limit)) {
        *ret_field = "limit";
        *ret_wrong = "must be a number from 1 to 200";
        return BF_INVALID;
    }
    if (after && !cursor_read(kind, bf_str(after), page.after)) {
        *ret_field = "after";
        *ret_wrong = "must be the \"next\" of this list's previous page";
        return BF_INVALID;
    }
    *ret_page = page;
    return BF_OK;
}

const char *page_cursor(enum page_kind kind, const char *key, char cursor[PAGE_CURSOR_SIZE])
{
    char bytes[PAGE_KEY_BYTES_MAX + 1];
    size_t len = strnlen(key, PAGE_KEY_BYTES_MAX);

    bytes[0] = kinds[kind].letter;
    memcpy(bytes + 1, key, len);
    return bf_hex(bytes, len + 1, cursor);
}
