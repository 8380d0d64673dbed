// Who is calling: what a good API key stands for. Plain data.
#ifndef BF_CALLER_H
#define BF_CALLER_H

#include "bf_id.h"

#define BF_SLUG_SIZE   64
#define BF_NUMBER_SIZE 33

enum bf_role {
    BF_ROLE_NONE,
    BF_ROLE_OPERATOR, // every tenant
    BF_ROLE_ADMIN,    // one tenant, reads and writes
    BF_ROLE_READER,   // one tenant, reads
};

struct bf_caller {
    struct bf_id key_id;
    enum bf_role role;
    // Of the key; nil and empty for an operator.
    struct bf_id tenant_id;
    char slug[BF_SLUG_SIZE];
    bool suspended;
    char number[BF_NUMBER_SIZE]; // of an app token: it speaks for this extension alone; "" for a key
    int64_t requests_per_minute; // 0: none of its own
};

#endif
