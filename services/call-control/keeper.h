// Background work, one thread: the reaper's turns, and the partitions of the coming months, at the start and
// daily.
#ifndef KEEPER_H
#define KEEPER_H

#include "control.h"

struct keeper;

bf_must_check enum bf_err keeper_start(struct control *control, struct keeper **ret_keeper);
void keeper_stop(struct keeper *keeper); // waits for what is under way; NULL is fine

#endif
