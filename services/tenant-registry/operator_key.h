// The operator's key: the file BELFRY_OPERATOR_KEY_FILE is what counts.
//
// There is a file: its key becomes an operator's key in the database if it is none yet. There is none: a key
// is made and written there, mode 0600, whole or not at all; of several replicas that do so at once one wins
// and all take its key. A lost file is cured by a restart (a new key is made); a leaked key by deleting the
// file and the key's row, then a restart.
#ifndef OPERATOR_KEY_H
#define OPERATOR_KEY_H

#include "bf_base.h"
#include "bf_err.h"
#include "key.h"
#include "registry.h"

// Reads the key from the file, or makes the file. On an error `wrong` says what and the cure (256 bytes).
bf_must_check enum bf_err operator_key_file(const char *path, char key[KEY_TEXT_BYTES + 1], bool *ret_made,
                                            char wrong[256]);

// The file and the row. Logs what it did and what is wrong. To be called again until it is BF_OK.
bf_must_check enum bf_err operator_key_ensure(struct registry *registry);

#endif
