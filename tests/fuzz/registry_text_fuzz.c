// Whatever the text is, the registry's rules about texts from outside refuse it or what they accept keeps
// their promises.
#include <assert.h>
#include <string.h>
#include "bf_clock.h"
#include "bf_repeat.h"
#include "domain.h"
#include "extension.h"
#include "key.h"
#include "page.h"
#include "tenant.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_names(struct bf_str text)
{
    char name[DOMAIN_BYTES_MAX + 1];

    if (!domain_check(text)) {
        domain_normalise(text, name);
        assert(strlen(name) == text.len && !domain_check(bf_str(name)));
    }
    assert(tenant_slug_check(text) || (text.len <= TENANT_SLUG_BYTES_MAX && !memchr(text.at, 0, text.len)));
    assert(extension_number_check(text) ||
           (text.len <= EXTENSION_NUMBER_BYTES_MAX && !memchr(text.at, 0, text.len)));
    assert(extension_forward_check(text) || text.len == 0 || !extension_number_check(text));
    assert(extension_password_check(text) || text.len >= EXTENSION_PASSWORD_MIN);
    assert(extension_display_check(text) || text.len <= EXTENSION_DISPLAY_BYTES_MAX);
    assert(key_name_check(text) || text.len <= KEY_NAME_BYTES_MAX);
    assert(tenant_name_check(text) || text.len <= TENANT_NAME_BYTES_MAX);
    assert(bf_repeat_key_check(text) || text.len <= BF_REPEAT_KEY_BYTES_MAX);
}

static void check_cursor(const char *text)
{
    static const struct bf_page_kind *const kinds[] = {&page_tenants, &page_domains, &page_extensions,
                                                       &page_groups, &page_ids};
    char cursor[BF_CURSOR_SIZE];
    const char *field, *wrong;
    struct bf_page page;

    for (size_t i = 0; i < BF_LEN(kinds); i++)
        if (bf_page_read(kinds[i], NULL, text, &page, &field, &wrong) == BF_OK)
            assert(strcasecmp(bf_page_cursor(kinds[i], page.after, cursor), text) == 0);
    if (bf_page_read(&page_tenants, text, NULL, &page, &field, &wrong) == BF_OK)
        assert(page.limit >= 1 && page.limit <= BF_PAGE_LIMIT_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    bf_autofree char *terminated = bf_xstrndup((const char *)bytes, len);
    struct bf_str text = {terminated, len};
    uint64_t unix_ms;

    check_names(text);
    check_cursor(terminated);
    if (bf_rfc3339_parse(text, &unix_ms))
        assert(unix_ms < 253402300800000);
    (void)key_well_formed(text);
    return 0;
}
