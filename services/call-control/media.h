// Live figures of a running call, asked from its relay by rtpengine's ng protocol (`query`, JSON over UDP).
//
// Each question has a cookie of its own, because a relay repeats its answer to one it has seen. The address
// comes from the call's events, so it must be one that an edge uses; what answers is believed no further than
// its numbers. A socket for each question: any thread.
#ifndef MEDIA_H
#define MEDIA_H

#include "bf_err.h"
#include "bf_leg.h"

#define MEDIA_DEADLINE_MS 300
#define MEDIA_BYTES_MAX   65536

// "udp:IP:PORT" (IPv6 in brackets or plain). BF_INVALID: relay is no such address. BF_TIMEOUT,
// BF_UNAVAILABLE: it did not answer. BF_NOT_FOUND: it knows nothing of the call.
bf_must_check enum bf_err media_ask(const char *relay, const char *sip_call_id,
                                    struct bf_leg legs[BF_LEGS_MAX], size_t *ret_count);

#endif
