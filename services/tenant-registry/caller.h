// Who is calling by REST: bf_gate with the keys of our own database. Nothing is remembered here, so a key
// that was revoked is bad at once. On a route with BF_GATE_APPS an app token is good too: it is a reader of
// its tenant with a number. Whether that number is still there is the handler's to ask.
#ifndef CALLER_H
#define CALLER_H

#include "bf_gate.h"
#include "registry.h"

struct bf_gate *caller_gate_new(struct registry *registry);

enum bf_err caller_check(struct bf_http_call *call, void *ctx);     // ctx: the registry; a bf_http_handler
const struct bf_caller *caller_of(const struct bf_http_call *call); // NULL on a route for anybody

#endif
