// The keys of app tokens in PostgreSQL. Each function runs in the caller's transaction.
#ifndef APP_KEY_STORE_H
#define APP_KEY_STORE_H

#include "app_key.h"
#include "bf_db.h"
#include "bf_vault.h"

// All that there are, newest first. Any scope. What cannot be opened is there without its private key.
bf_must_check enum bf_err app_key_store_list(struct bf_tx *tx, const struct bf_vault *vault,
                                             struct app_key keys[BF_APP_KEYS_MAX], size_t *ret_count);
// What is due: deletes what has ended, makes the next one, says on the feed that there is another one.
// Replicas that come at once make one. System scope.
bf_must_check enum bf_err app_key_store_turn(struct bf_tx *tx, const struct bf_vault *vault, uint64_t now_ms,
                                             bool *ret_made);

#endif
