// What is done in the background: make the operator's key at first start, forget old changes and kept
// answers.
#ifndef UPKEEP_H
#define UPKEEP_H

#include "registry.h"

struct upkeep;

bf_must_check enum bf_err upkeep_start(struct registry *registry, struct upkeep **ret_upkeep);
void upkeep_stop(struct upkeep *upkeep); // NULL is fine

#endif
