// Secrets of webhooks as they stand in the database, opened. What was opened is remembered, sealed and in the
// clear: the same sealed text is the same secret. Any thread.
#ifndef SECRET_H
#define SECRET_H

#include "bf_vault.h"

#define SECRET_BYTES_MAX 512 // sealed

// `sealed`: bytea in text form, "\x6f70..."; "" for none. NULL: there is none, or it cannot be opened. The
// caller forgets it (bf_vault_forget).
char *secret_open(const struct bf_vault *seal, struct bf_id webhook, const char *sealed);

#endif
