// The URI of a SIP Contact: its parameters, and which of them are secrets of the device.
//
// RFC 8599: with its pn-prid whoever has it may be able to push to the device (section 8), so the pn-
// parameters are for the registrar alone, as is the wake token. Pure, any thread.
#ifndef BF_CONTACT_H
#define BF_CONTACT_H

#include "bf_base.h"

// The value of a parameter of the URI, as it stands there; empty: it has none. Names in any case.
struct bf_str bf_contact_param(struct bf_str uri, struct bf_str name);

// The URI as others may know it: without pn-provider, pn-prid, pn-param, pn-purr and belfry-wake. `into` has
// room for uri.len bytes and may be uri.at; it is not terminated.
struct bf_str bf_contact_public(struct bf_str uri, char *into);

#endif
