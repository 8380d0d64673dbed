// Extensions: a number of a tenant that phones register as. Rules only, no I/O. Any thread.
//
// A password is never kept: what is, is its two HA1s over the tenant's realm.
#ifndef EXTENSION_H
#define EXTENSION_H

#include "bf_base.h"
#include "bf_crypto.h"
#include "bf_id.h"

#define EXTENSION_NUMBER_BYTES_MAX     32
#define EXTENSION_DISPLAY_BYTES_MAX    128
#define EXTENSION_CONTACTS_MAX         20
#define EXTENSION_CONTACTS_DEFAULT     5
#define EXTENSION_RING_SECONDS_MAX     300
#define EXTENSION_RING_SECONDS_DEFAULT 30
#define EXTENSION_PASSWORD_MIN         12
#define EXTENSION_PASSWORD_MAX         128
#define EXTENSION_PASSWORD_MADE        24 // characters of one that we make: about 139 bits

enum extension_kind {
    EXTENSION_UNKNOWN,
    EXTENSION_SOFTPHONE,
    EXTENSION_BROWSER,
    EXTENSION_APP,
    EXTENSION_DOOR,
};

// What becomes of a call to it. A forward is a number, "" when not set; whether it exists is found out when a
// call is planned.
struct extension_calls {
    bool do_not_disturb;
    char forward_always[EXTENSION_NUMBER_BYTES_MAX + 1];
    char forward_busy[EXTENSION_NUMBER_BYTES_MAX + 1];
    char forward_no_answer[EXTENSION_NUMBER_BYTES_MAX + 1];
    int64_t ring_seconds; // before forward_no_answer, or before giving up
};

struct extension_ha1 {
    uint8_t md5[BF_MD5_BYTES];
    uint8_t sha256[BF_SHA256_BYTES];
};

struct extension {
    struct bf_id id; // given by the database; a number made again gets a larger one
    char number[EXTENSION_NUMBER_BYTES_MAX + 1];
    enum extension_kind kind;
    char display_name[EXTENSION_DISPLAY_BYTES_MAX + 1];
    int64_t max_contacts;
    struct extension_calls calls;
    uint64_t created_ms, updated_ms; // Unix
};

const char *extension_kind_name(enum extension_kind kind);
enum extension_kind extension_kind_parse(struct bf_str text);

// Checks for bodies and paths: NULL when good, else what would be.
const char *
extension_number_check(struct bf_str text); // 1..32 of [0-9A-Za-z._+-], first a digit, a letter or +
const char *extension_kind_check(struct bf_str text);
const char *extension_display_check(struct bf_str text);
const char *extension_forward_check(struct bf_str text);  // a number, or nothing
const char *extension_password_check(struct bf_str text); // 12..128 printable ASCII characters

// A password for a phone's settings page: no characters that look alike. `password` has room for MADE + 1.
void extension_password_make(char *password);

struct extension_ha1 extension_ha1(const char *number, const char *realm, const char *password);

#endif
