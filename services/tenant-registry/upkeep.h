// What is done in the background: make the operator's key at first start, forget old changes and kept
// answers, make and delete the keys of app tokens.
#ifndef UPKEEP_H
#define UPKEEP_H

#include "bf_ticker.h"
#include "registry.h"

// bf_ticker_stop ends it.
bf_must_check enum bf_err upkeep_start(struct registry *registry, struct bf_ticker **ret_upkeep);

#endif
