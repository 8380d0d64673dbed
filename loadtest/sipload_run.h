// One measured run: N transactions kept outstanding over one UDP socket, each sent again like RFC 3261's
// timer E until it is answered or given up. One thread, everything bounded: transactions, time, users,
// memory. Loopback only.
#ifndef SIPLOAD_RUN_H
#define SIPLOAD_RUN_H

#include <netinet/in.h>
#include "sipload_hist.h"
#include "sipload_message.h"

enum load_mode {
    LOAD_OPTIONS,        // OPTIONS to the users' domains; one request each
    LOAD_REGISTER,       // REGISTER, 401, REGISTER with digest, 200: each time
    LOAD_REGISTER_REUSE, // as long as a nonce lives, only the REGISTER with digest and a rising nonce count
    LOAD_CALLS, // INVITE, 407, INVITE with digest, 180, 200, ACK, BYE, 200: load_calls() of sipload_calls.h
};

struct load_plan {
    enum load_mode mode;
    struct sockaddr_in target;
    int64_t local_port; // 0: any
    int64_t outstanding;
    int64_t rate_per_second; // 0: as fast as the answers come
    int64_t seconds;
    int64_t count; // 0: until the time is over
    int64_t users, first_user, users_per_domain, first_number;
    const char *domain_suffix; // user u is number first_number + u % users_per_domain at t<6 digits><suffix>
    const char *password;
    bool shuffle;     // a fixed permutation of the users: no one twice, no neighbours in a row
    int64_t think_ms; // from a challenge to its answer; 0: at once
    int64_t expires_s;
    int64_t expect; // the final status that counts as success
    int64_t timeout_ms;
    int64_t callee_port; // of calls: the port that the users' bindings point to
    int64_t answer_ms;   // of calls: from 180 to 200; 0: back to back
    int64_t talk_ms;     // of calls: from ACK to BYE at least, at most twice that; the rate is that of what
                         // comes after three times as long
    int64_t busy;        // of calls: so many may be out that do not talk; 0: all of them
};

#define LOAD_STATUS_MAX 700
#define LOAD_T1_MS      500ULL // RFC 3261's T1 and T2
#define LOAD_T2_MS      4000ULL

struct load_result {
    double seconds; // from the first request (of calls that talk: later) to the last answer before the end
    uint64_t started;
    uint64_t completed; // transactions with a final answer, the expected one or not
    uint64_t succeeded;
    uint64_t in_time; // of those succeeded: before `seconds` were over; the rate is made of these
    uint64_t timeouts;
    uint64_t requests_sent; // without retransmissions
    uint64_t retransmissions;
    uint64_t stale_answers; // to a request that was done already: of a retransmission
    uint64_t not_ours;      // packets that were no answer to this run
    uint64_t send_errors;
    uint64_t status[LOAD_STATUS_MAX];
    struct hist challenge_us; // request to 401
    struct hist final_us;     // the last request to its final answer
    struct hist whole_us;     // first request to final answer; of a call: to its end
    struct hist ring_us;      // of a call: INVITE with digest to 180
    uint64_t overtaken;       // calls whose 200 came before their 180
    double client_cpu_seconds;
};

// False with the reason in `*ret_problem`; nothing stays open either way. The result is large: keep it off
// the stack.
bf_must_check bool load_run(const struct load_plan *plan, struct load_result *ret_result,
                            const char **ret_problem);

void load_user(const struct load_plan *plan, uint32_t user, struct sip_user *ret_who);
double load_cpu_seconds(void); // of this process
// Before waiting for answers: lets some come that are then taken together, where many are awaited and no rate
// is kept.
void load_gather(const struct load_plan *plan);

#endif
