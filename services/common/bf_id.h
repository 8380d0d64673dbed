// Identifiers: UUIDv7 (RFC 9562), so that newer ids sort later. Any thread.
#ifndef BF_ID_H
#define BF_ID_H

#include "bf_base.h"

#define BF_ID_TEXT_SIZE 37

struct bf_id {
    uint8_t bytes[16];
};

struct bf_id bf_id_new(void);
bool bf_id_eq(struct bf_id a, struct bf_id b);
bool bf_id_is_nil(struct bf_id id);
uint64_t bf_id_ms(struct bf_id id);                                       // the Unix time in it, in ms
struct bf_id bf_id_at(uint64_t unix_ms);                                  // the smallest of that time
const char *bf_id_text(struct bf_id id, char text[BF_ID_TEXT_SIZE]);      // lower case, returns text
bf_must_check bool bf_id_parse(struct bf_str text, struct bf_id *ret_id); // the 36-character form only

#endif
