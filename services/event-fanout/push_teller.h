// Tells call-control what push providers answered, for calls' timelines, until it has it.
//
// One replica at a time tells, in order, a batch in a transaction: the lines leave the table when
// call-control has them. While it is away they stay, for as long as it takes. A thread of its own. Any thread
// may poke.
#ifndef PUSH_TELLER_H
#define PUSH_TELLER_H

#include "fanout.h"

struct push_teller;

bf_must_check enum bf_err push_teller_start(struct fanout *fanout, struct push_teller **ret_teller);
void push_teller_stop(struct push_teller *teller); // NULL is fine
void push_teller_poke(struct push_teller *teller); // there is a line. NULL is fine

#endif
