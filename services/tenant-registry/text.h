// Small questions about texts that several rules ask. Any thread.
#ifndef TEXT_H
#define TEXT_H

#include "bf_base.h"

#define TEXT_DIGITS "0123456789"
#define TEXT_LOWER  TEXT_DIGITS "abcdefghijklmnopqrstuvwxyz"
#define TEXT_ALNUM  TEXT_LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

bool text_only(struct bf_str text, const char *allowed); // every byte is one of `allowed`
bool text_has_control(struct bf_str text);               // C0, DEL, or C1 as UTF-8

// `len` characters of `alphabet`, each equally likely, and the zero.
void text_random(char *text, size_t len, const char *alphabet);

#endif
