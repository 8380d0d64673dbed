// What a tenant is: its names, its limits, its state. Rules only, no I/O. Any thread.
#ifndef TENANT_H
#define TENANT_H

#include "bf_base.h"
#include "bf_id.h"
#include "domain.h"

#define TENANT_SLUG_BYTES_MAX 63
#define TENANT_NAME_BYTES_MAX 128
#define TENANT_DOMAINS_MAX    50
#define TENANT_EXTENSIONS_MAX 50000
#define TENANT_GROUPS_MAX     1000
#define TENANT_KEYS_MAX       100
#define TENANT_LIMIT_MAX      1000000

enum tenant_status {
    TENANT_UNKNOWN,
    TENANT_ACTIVE,
    TENANT_SUSPENDED,
};

// 0: no limit of its own (for requests_per_minute: the platform's default).
struct tenant_limits {
    int64_t max_calls;
    int64_t max_registrations;
    int64_t calls_per_second;
    int64_t requests_per_minute;
};

struct tenant {
    struct bf_id id;
    char slug[TENANT_SLUG_BYTES_MAX + 1];
    char name[TENANT_NAME_BYTES_MAX + 1];
    char realm[DOMAIN_BYTES_MAX + 1]; // its first domain; never changes
    enum tenant_status status;
    struct tenant_limits limits;
    uint64_t created_ms, updated_ms; // Unix
    char *domains; // names separated by spaces, sorted; owned; NULL when they were not asked for
};

void tenant_release(struct tenant *tenant);

const char *tenant_status_name(enum tenant_status status);  // "active", "suspended"
enum tenant_status tenant_status_parse(struct bf_str text); // TENANT_UNKNOWN when it is neither

// Checks for bodies and paths: NULL when good, else what would be.
const char *
tenant_slug_check(struct bf_str text); // 1..63 of [a-z0-9-], no '-' at either end, not shaped like an id
const char *tenant_name_check(struct bf_str text); // 1..128 bytes of text without control characters
const char *tenant_status_check(struct bf_str text);

#endif
