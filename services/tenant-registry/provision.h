// A link that sets up a phone: Linphone asks its URL and gets its account. Rules only, no I/O. Any thread.
//
// Nothing is stored for it. The code in the URL is sealed under BELFRY_SEAL_KEY and says whose phone it is
// and until when; what the phone gets is the digest's HA1, which is as good as the password in this realm and
// nowhere else.
#ifndef PROVISION_H
#define PROVISION_H

#include "bf_buf.h"
#include "bf_vault.h"
#include "dns.h"
#include "extension.h"

#define PROVISION_LIFE_S        INT64_C(900)
#define PROVISION_CODE_SIZE     320
#define PROVISION_XML_BYTES_MAX 8192

struct provision {
    struct bf_id tenant;
    char number[EXTENSION_NUMBER_BYTES_MAX + 1];
    uint64_t expires_ms; // Unix
};

bf_must_check enum bf_err provision_code(const struct bf_vault *vault, const struct provision *provision,
                                         char code[PROVISION_CODE_SIZE]);
// False: not ours, damaged, or over.
bf_must_check bool provision_read(const struct bf_vault *vault, struct bf_str code, uint64_t now_ms,
                                  struct provision *ret_provision);

struct provision_account {
    const char *number, *name, *domain, *realm; // name "": none
    const uint8_t *ha1_md5;                     // BF_MD5_BYTES
    const struct dns_edge *edge;                // where it registers
};

// Linphone's lpconfig.
void provision_xml(const struct provision_account *account, struct bf_buf *into);

#endif
