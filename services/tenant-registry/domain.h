// SIP domains: host names of RFC 1035 and 5890, kept in lower case without a trailing dot. Rules only. Any
// thread.
#ifndef DOMAIN_H
#define DOMAIN_H

#include "bf_base.h"

#define DOMAIN_BYTES_MAX 253
#define DOMAIN_LABEL_MAX 63

// NULL when `text` is a host name in either case; else what would be right. An address is none, nor is a name
// outside ASCII: it is written in its xn-- form.
const char *domain_check(struct bf_str text);

// A checked name in lower case, terminated. `name` has room for DOMAIN_BYTES_MAX + 1.
void domain_normalise(struct bf_str text, char *name);

#endif
