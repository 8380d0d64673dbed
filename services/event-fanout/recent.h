// The ids that were seen last: whether one comes a second time. A table of fixed size that forgets the
// oldest. One thread at a time.
#ifndef RECENT_H
#define RECENT_H

#include "bf_id.h"

struct recent;

struct recent *recent_new(size_t ids_max);
void recent_free(struct recent *recent);                 // NULL is fine
bool recent_add(struct recent *recent, struct bf_id id); // false: it is there already
bool recent_has(const struct recent *recent, struct bf_id id);

#endif
