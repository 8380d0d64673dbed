// Push devices whose extension is gone: they go too.
//
// What the registry's feed says is gone is asked about again, on a thread of its own: the number may have an
// owner by then, whose devices stay. After a hole in the feed, at the start and each hour all devices are
// asked about: an end may have passed unheard. Until then nobody is woken by them all the same, for calls ask
// for devices of the extension that a number is now.
#ifndef PUSH_SWEEPER_H
#define PUSH_SWEEPER_H

#include "fanout.h"

#define PUSH_SWEEPER_ENDS_MAX 1024 // that wait; of more, all devices are asked about

struct push_sweeper;

bf_must_check enum bf_err push_sweeper_start(struct fanout *fanout, struct push_sweeper **ret_sweeper);
// After authority_deafen(). NULL is fine.
void push_sweeper_stop(struct push_sweeper *sweeper);

#endif
