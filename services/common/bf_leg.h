// What a media relay knows of a call's legs: rtpengine's answer to `query`, in JSON. A leg is a tag and what
// came from its side.
//
// packets, octets and codec are the relay's own count of what that phone sent. The rest is what the phones
// tell each other by RTCP: lost, jitter_us and the MOS stand in the other phone's receiver reports,
// round_trip_us is from phone to phone through the relay. rtpengine 10.5 tells nothing of that until it could
// make a MOS, which takes reports of both sides and a round trip that their clocks can measure. So these
// four are known together or not at all: see bf_leg_reported(). Pure, any thread.
#ifndef BF_LEG_H
#define BF_LEG_H

#include "bf_base.h"
#include "bf_err.h"

#define BF_LEGS_MAX       8
#define BF_LEG_TAG_SIZE   129
#define BF_LEG_CODEC_SIZE 33

struct bf_leg {
    uint64_t packets, octets;
    uint64_t lost;
    uint32_t jitter_us, mos_x10, round_trip_us;
    char tag[BF_LEG_TAG_SIZE];
    char codec[BF_LEG_CODEC_SIZE];
};

static inline bool bf_leg_reported(const struct bf_leg *leg)
{
    return leg->mos_x10 > 0;
}

// Legs that send RTP, or should; those above BF_LEGS_MAX are left out. Texts come out clean (bf_text_clean).
// BF_NOT_FOUND: the relay does not know the call. BF_PROTOCOL: this is no answer of a relay.
bf_must_check enum bf_err bf_leg_read(struct bf_str json, struct bf_leg legs[BF_LEGS_MAX], size_t *ret_count);

#endif
