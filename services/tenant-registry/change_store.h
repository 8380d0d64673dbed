// The change feed's table: what changed, in a gapless sequence in commit order.
//
// Writers call change_store_note last in their transaction: from there on they hold the lock that orders the
// feed.
#ifndef CHANGE_STORE_H
#define CHANGE_STORE_H

#include "bf_db.h"
#include "domain.h"
#include "extension.h"
#include "tenant.h"

enum change_kind {
    CHANGE_TENANT,
    CHANGE_DOMAIN,
    CHANGE_EXTENSION,
    CHANGE_GROUP,
    CHANGE_APP_KEYS, // of no tenant: its id is nil
};

// A change as it is sent: what the thing is now. `gone`: there is none any more. tenant.domains is never
// filled.
struct change {
    uint64_t seq;
    enum change_kind kind;
    bool gone;
    struct bf_id tenant_id;
    struct tenant tenant;                        // of a tenant or a domain that is not gone: its owner
    char domain[DOMAIN_BYTES_MAX + 1];           // CHANGE_DOMAIN
    char number[EXTENSION_NUMBER_BYTES_MAX + 1]; // CHANGE_EXTENSION, CHANGE_GROUP
    struct bf_id extension;                      // of an extension that is not gone: its id
};

struct change_head {
    uint64_t epoch;
    uint64_t seq; // the newest there is; 0: none yet
};

// `name` is the domain or the number; NULL for a tenant and for app keys.
bf_must_check enum bf_err change_store_note(struct bf_tx *tx, enum change_kind kind, struct bf_id tenant,
                                            const char *name);

bf_must_check enum bf_err change_store_head(struct bf_tx *tx, struct change_head *ret_head);

// Changes with after < seq <= upto, oldest first, at most `limit`. `upto` is a head's: rows that were
// committed since then would contradict it. BF_NOT_FOUND: the next one is no longer kept.
typedef void change_store_each(void *ctx, const struct change *change);
bf_must_check enum bf_err change_store_after(struct bf_tx *tx, uint64_t after, uint64_t upto, int64_t limit,
                                             change_store_each *each, void *ctx);

// Domains with name > after by name, each with its tenant. `each` says false to end early.
typedef bool change_store_domain(void *ctx, const char *domain, const struct tenant *tenant);
bf_must_check enum bf_err change_store_snapshot(struct bf_tx *tx, const char *after, int64_t limit,
                                                change_store_domain *each, void *ctx, bool *ret_more);

// Forgets at most `batch` changes that are older than keep_hours and not among the newest keep_rows.
bf_must_check enum bf_err change_store_prune(struct bf_tx *tx, int64_t keep_rows, int64_t keep_hours,
                                             int64_t batch, int64_t *ret_pruned);

#endif
