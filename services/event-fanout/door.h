// Who comes in: limits, and what can be known of a token or key at once. The hall's thread only.
#ifndef DOOR_H
#define DOOR_H

#include "authority.h"
#include "handshake.h"
#include "seats.h"

struct door;

struct door *door_new(const struct fanout_settings *settings, struct authority *authority,
                      const struct seats *seats);
void door_free(struct door *door); // NULL is fine

// A seat for the place that is taken when the connection is a WebSocket; NULL: *problem says why not.
// `leaving`: this replica takes nobody any more.
struct seat *door_admit(struct door *door, const struct handshake *handshake, bool leaving,
                        struct handshake_problem *problem);

#endif
