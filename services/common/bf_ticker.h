// Background work: one thread that takes a turn, sleeps as long as the turn said, and takes the next, until
// it is stopped. Stopping wakes it at once; a turn under way is waited for.
#ifndef BF_TICKER_H
#define BF_TICKER_H

#include "bf_base.h"
#include "bf_err.h"

struct bf_ticker;

// One turn, on the ticker's own thread. Returns in how many ms the next one is due; 0: at once. The first
// comes right at the start.
typedef int64_t bf_ticker_turn(void *ctx, struct bf_ticker *ticker);

bf_must_check enum bf_err bf_ticker_start(bf_ticker_turn *turn, void *ctx, struct bf_ticker **ret_ticker);
// No turn is under way when it returns, and none comes. Never from within a turn. NULL is fine.
void bf_ticker_stop(struct bf_ticker *ticker);
// There is something to do: the next turn comes at once, and when one is under way, right behind it. Any
// thread.
void bf_ticker_poke(struct bf_ticker *ticker);
// For long turns: whether to end early, because somebody waits in bf_ticker_stop.
bool bf_ticker_stopping(struct bf_ticker *ticker);

#endif
