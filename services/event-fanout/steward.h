// What becomes of the WebSockets: they join, are sent events and what they missed, are asked about again, are
// closed. The hall's thread only.
#ifndef STEWARD_H
#define STEWARD_H

#include "fanout.h"
#include "mailbox.h"

struct porter;

struct steward {
    const struct fanout_settings *settings;
    struct seats *seats;
    struct porter *porter;
};

// A new one: whether it may stay is asked.
void steward_welcome(struct steward *steward, struct seat *seat);
void steward_read(struct steward *steward, const struct mail *mail);
// Once a second: tokens end, and some are asked about again.
void steward_turn(struct steward *steward);
void steward_close_all(struct steward *steward, enum socket_close close, const char *reason);
void steward_close(struct seat *seat, enum socket_close close, const char *reason);
// The connection takes more. Not 0: it is to be closed.
int steward_write(struct seat *seat);

#endif
