// What is known of a Contact beside what usrloc keeps: whose it is, and what of it only its device and we may
// know.
#ifndef TENANT_CONTACT_H
#define TENANT_CONTACT_H

#include "bf_base.h"
#include "bf_id.h"

#define TENANT_PN_ID_BYTES 16

struct tenant_contact_note {           // kept with a contact in usrloc
    struct bf_id extension;            // that authenticated; nil: not known
    uint8_t pn_id[TENANT_PN_ID_BYTES]; // of its pn-prid (call.v1); zeroes: it gave none
};

// As they stand in a REGISTER's Contact; empty: it has none. RFC 8599's, and the wake token.
struct tenant_contact_secrets {
    struct bf_str pn_provider, pn_prid, pn_param, wake;
};

#endif
