// The thread that owns libwebsockets and every WebSocket of this replica. Others put things into its mailbox,
// which has a limit; when it is full the sockets are closed as too slow and come back with after=. Everything
// below is for any thread.
#ifndef HALL_H
#define HALL_H

#include "fanout.h"
#include "mailbox.h"

struct hall;

// Serves BELFRY_SOCKET_HOST and _PORT.
bf_must_check enum bf_err hall_start(struct fanout *fanout, struct hall **ret_hall);
// Closes all sockets with 1001 and waits for them at most so long. The authority says nothing any more. NULL
// is fine.
void hall_stop(struct hall *hall, int64_t drain_ms);

void hall_take(struct hall *hall, const struct live_event *event); // copied

// The porter's answers; they may find nobody any more.
void hall_judged(struct hall *hall, const struct mail_verdict *verdict);
void hall_missed(struct hall *hall, const struct mail_missed *missed); // lives are taken

#endif
