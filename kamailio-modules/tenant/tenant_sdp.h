// What media relays are to read of an SDP. Pure. Any process.
#ifndef TENANT_SDP_H
#define TENANT_SDP_H

#include "bf_base.h"

// Without its lines that name an SSRC (`a=ssrc:`, `a=ssrc-group:`): a browser that is told one plays no
// other, and a relay sends with one of its own when it transcodes. `into` has room for sdp.len bytes.
struct bf_str tenant_sdp_without_ssrc(struct bf_str sdp, char *into);

#endif
