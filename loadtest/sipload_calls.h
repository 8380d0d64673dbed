// Calls through the server, sipload playing both sides: N kept under way, each INVITE, 407, INVITE with
// digest, 180, 200, ACK, BYE, 200. The callers are the plan's users, each rings the next number of its
// domain; the callees' bindings must point to the plan's callee_port already (a run of LOAD_REGISTER with it
// as local_port). Both sides send again like a phone does. The caller hangs up when the callee has its ACK,
// so that no BYE overtakes it.
#ifndef SIPLOAD_CALLS_H
#define SIPLOAD_CALLS_H

#include "sipload_run.h"

// As load_run(); of the result, final_us is from the INVITE with digest to its 200.
bf_must_check bool load_calls(const struct load_plan *plan, struct load_result *ret_result,
                              const char **ret_problem);

#endif
