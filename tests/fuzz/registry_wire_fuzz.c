// Whatever the bytes are, the registry's bus readers refuse them or give requests within their bounds.
#include <assert.h>
#include <string.h>
#include "registry_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct bf_str body = {(const char *)bytes, len};
    struct wire_credential_request credential;
    struct wire_owner_request owner;
    struct wire_snapshot_request snapshot;
    struct wire_changes_request changes;
    struct wire_directory_request directory;
    struct wire_unknown_request unknown;
    char name[TENANT_SLUG_BYTES_MAX + 1];
    uint8_t hash[BF_SHA256_BYTES];

    if (wire_read_authenticate(body, hash) == BF_OK)
        assert(len > KEY_TEXT_BYTES);
    if (wire_read_credential(body, &credential) == BF_OK)
        assert(!extension_number_check(bf_str(credential.user)));
    if (wire_read_owner(body, &owner) == BF_OK) {
        assert(!domain_check(bf_str(owner.domain)));
        assert(!strpbrk(owner.domain, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"));
        assert(!extension_number_check(bf_str(owner.user)));
    }
    if (wire_read_snapshot(body, &snapshot) == BF_OK) {
        assert(snapshot.limit >= 1 && snapshot.limit <= 20000);
        assert(strnlen(snapshot.after, sizeof(snapshot.after)) < sizeof(snapshot.after));
    }
    if (wire_read_changes(body, &changes) == BF_OK)
        assert(changes.limit >= 1 && changes.limit <= 5000 && changes.after_seq <= INT64_MAX);
    if (wire_read_directory(body, &directory) == BF_OK)
        assert(!extension_number_check(bf_str(directory.number)));
    if (wire_read_unknown(body, &unknown) == BF_OK) {
        assert(bf_buf_ok(&unknown.tenants) && bf_buf_ok(&unknown.numbers));
        wire_release_unknown(&unknown);
    }
    if (wire_read_tenant(body, name) == BF_OK)
        assert(strnlen(name, sizeof(name)) < sizeof(name));
    return 0;
}
