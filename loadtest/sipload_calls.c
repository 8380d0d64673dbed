// The engine of sipload's calls: a table of slots, each one call with both its sides, and one loop.
#include "sipload_calls.h"

#include <poll.h>
#include <string.h>
#include "bf_clock.h"
#include "bf_crypto.h"
#include "sipload_dialog.h"
#include "sipload_socket.h"

#define TICK_US       20000ULL
#define SHORT_TICK_US 1000ULL // when an answer has to come at its time

enum phase {
    PHASE_IDLE,
    PHASE_CHALLENGED, // INVITE is out, 407 will come
    PHASE_CALLING,    // INVITE with digest is out
    PHASE_ANSWERED,   // ACK is out, the callee waits for it
    PHASE_TALKING,    // until it is time to hang up
    PHASE_ENDING,     // BYE is out
};

enum callee_phase { CALLEE_IDLE, CALLEE_RINGING, CALLEE_ANSWERED, CALLEE_CONNECTED };

struct sending { // a message that is sent again until something comes of it
    char text[SIP_BYTES_MAX];
    size_t len;
    uint64_t after_ms, due_us;
};

struct call {
    struct sip_dialog dialog;
    enum phase phase;
    enum callee_phase callee;
    bool rang;
    bool proceeding; // something provisional came: an INVITE is not sent again
    uint32_t cseq;   // of the request that is out
    uint64_t begun_us, sent_us, answer_us, hang_up_us;
    struct sending request; // the caller's
    struct sending answer;  // the callee's 200 to INVITE
    char ringing[SIP_BYTES_MAX], ended[SIP_BYTES_MAX], ack[SIP_BYTES_MAX], ack_refusal[SIP_BYTES_MAX];
    size_t ringing_len;
};

struct calls {
    const struct load_plan *plan;
    struct load_result *result;
    struct load_socket caller, callee;
    struct sip_digest digest;
    uint32_t run;
    struct call *slots;
    uint32_t *idle; // a stack of free slots
    size_t idle_count, talking_count;
    uint32_t talks;
    uint64_t began_us, counts_from_us, ends_us, next_start_us, next_tick_us, last_end_us;
};

// ---- sending

static void must_fit(size_t len)
{
    if (len == 0)
        abort(); // every text in it is bounded so that it fits
}

static void again(struct sending *what, uint64_t now_us, uint64_t after_ms)
{
    what->after_ms = after_ms < LOAD_T2_MS ? after_ms : LOAD_T2_MS;
    what->due_us = now_us + what->after_ms * 1000;
}

static void send_request(struct calls *calls, struct call *call, enum sip_method method,
                         const char *authorization)
{
    call->request.len =
        sip_dialog_request(&call->dialog, method, ++call->cseq, authorization, call->request.text);
    must_fit(call->request.len);
    call->proceeding = false;
    call->sent_us = bf_mono_us();
    again(&call->request, call->sent_us, LOAD_T1_MS);
    calls->result->requests_sent++;
    load_socket_put(&calls->caller, call->request.text, call->request.len);
}

// A call that talks is no work for anybody: when enough of the others are out, none is added.
static bool has_room(const struct calls *calls)
{
    size_t under_way = (size_t)calls->plan->outstanding - calls->idle_count;

    return calls->idle_count > 0 &&
           (calls->plan->busy == 0 || under_way - calls->talking_count < (size_t)calls->plan->busy);
}

static bool may_start(const struct calls *calls, uint64_t now_us)
{
    const struct load_plan *plan = calls->plan;

    return has_room(calls) && now_us < calls->ends_us && now_us >= calls->next_start_us &&
           (plan->count == 0 || calls->result->started < (uint64_t)plan->count);
}

// User u of a domain rings the next one, the last one the first.
static void choose_parties(const struct load_plan *plan, uint64_t turn, struct sip_dialog *dialog)
{
    uint64_t user = turn % (uint64_t)plan->users, size = (uint64_t)plan->users_per_domain;

    load_user(plan, (uint32_t)user, &dialog->caller);
    load_user(plan, (uint32_t)(user - user % size + (user + 1) % size), &dialog->callee);
}

static void start_some(struct calls *calls)
{
    uint64_t now_us = bf_mono_us();

    while (may_start(calls, now_us)) {
        struct call *call = &calls->slots[calls->idle[--calls->idle_count]];
        struct sip_dialog *dialog = &call->dialog;

        choose_parties(calls->plan, calls->result->started++, dialog);
        dialog->tag =
            (struct sip_tag){calls->run, (uint32_t)(call - calls->slots), dialog->tag.generation + 1};
        dialog->port = calls->caller.local_port;
        sip_dialog_begin(dialog);
        call->phase = PHASE_CHALLENGED;
        call->callee = CALLEE_IDLE;
        call->rang = false;
        call->cseq = 0;
        call->begun_us = now_us;
        send_request(calls, call, SIP_INVITE, "");
        if (calls->plan->rate_per_second > 0)
            calls->next_start_us += 1000000 / (uint64_t)calls->plan->rate_per_second;
    }
}

// ---- the caller

static void free_slot(struct calls *calls, struct call *call)
{
    calls->talking_count -= call->phase == PHASE_TALKING;
    call->phase = PHASE_IDLE;
    calls->idle[calls->idle_count++] = (uint32_t)(call - calls->slots);
}

static void complete(struct calls *calls, struct call *call, bool good, uint64_t now_us)
{
    struct load_result *result = calls->result;

    result->completed++;
    result->succeeded += good;
    result->in_time += good && now_us >= calls->counts_from_us && now_us < calls->ends_us;
    hist_add(&result->whole_us, now_us - call->begun_us);
    if (now_us < calls->ends_us)
        calls->last_end_us = now_us;
    free_slot(calls, call);
}

static void authorize(struct calls *calls, struct call *call, const struct sip_challenge *challenge)
{
    struct sip_protected what = {"Proxy-Authorization", "INVITE", call->dialog.target, &call->dialog.caller,
                                 calls->plan->password};
    char line[SIP_BYTES_MAX];

    if (!sip_authorize(&calls->digest, challenge, &what, 1, line, sizeof(line)))
        abort(); // every text in it is bounded so that it fits
    call->phase = PHASE_CALLING;
    send_request(calls, call, SIP_INVITE, line);
}

static void take_refusal(struct calls *calls, struct call *call, const struct sip_packet *answer,
                         uint64_t now_us)
{
    size_t len = sip_dialog_ack_refusal(&call->dialog, answer, call->ack_refusal);

    must_fit(len);
    load_socket_put(&calls->caller, call->ack_refusal, len);
    if (call->phase == PHASE_CHALLENGED && answer->status == 407 && answer->challenged) {
        hist_add(&calls->result->challenge_us, now_us - call->sent_us);
        authorize(calls, call, &answer->challenge);
    } else {
        complete(calls, call, false, now_us);
    }
}

static void take_answered(struct calls *calls, struct call *call, const struct sip_packet *answer,
                          uint64_t now_us)
{
    if (!sip_dialog_answered(&call->dialog, answer)) {
        complete(calls, call, false, now_us); // an answer without tag or Contact: no call came about
        return;
    }
    calls->result->overtaken += !call->rang;
    hist_add(&calls->result->final_us, now_us - call->sent_us);
    size_t len = sip_dialog_request(&call->dialog, SIP_ACK, call->cseq, "", call->ack);
    must_fit(len);
    call->phase = PHASE_ANSWERED;
    call->sent_us = now_us;
    load_socket_put(&calls->caller, call->ack, len);
}

static void take_answer(struct calls *calls, struct call *call, const struct sip_packet *answer,
                        uint64_t now_us)
{
    bool current = answer->cseq == call->cseq;
    bool acknowledged = call->phase == PHASE_ANSWERED || call->phase == PHASE_TALKING;

    if (current && acknowledged && answer->method == SIP_INVITE && answer->status >= 200) {
        load_socket_put(&calls->caller, call->ack, strlen(call->ack)); // the 200 came again: the ACK was lost
        return;
    }
    if (!current || acknowledged) {
        calls->result->stale_answers++;
        return;
    }
    calls->result->status[answer->status]++;
    if (answer->status < 200) {
        call->proceeding = true;
        if (answer->status == 180 && call->phase == PHASE_CALLING && !call->rang) {
            call->rang = true;
            hist_add(&calls->result->ring_us, now_us - call->sent_us);
        }
    } else if (call->phase == PHASE_ENDING) {
        complete(calls, call, answer->status == calls->plan->expect, now_us);
    } else if (answer->status >= 300) {
        take_refusal(calls, call, answer, now_us);
    } else {
        take_answered(calls, call, answer, now_us);
    }
}

// ---- the callee

static void answer_call(struct calls *calls, struct call *call, uint64_t now_us)
{
    call->callee = CALLEE_ANSWERED;
    again(&call->answer, now_us, LOAD_T1_MS);
    load_socket_put(&calls->callee, call->answer.text, call->answer.len);
}

static void ring(struct calls *calls, struct call *call, struct bf_str packet, uint64_t now_us)
{
    uint16_t port = calls->callee.local_port;

    call->ringing_len = sip_dialog_answer(packet, 180, port, call->ringing);
    call->answer.len = sip_dialog_answer(packet, 200, port, call->answer.text);
    if (call->ringing_len == 0 || call->answer.len == 0)
        return; // more Via lines than a datagram holds: the caller hears nothing, which is counted
    call->callee = CALLEE_RINGING;
    call->answer_us = now_us + (uint64_t)calls->plan->answer_ms * 1000;
    load_socket_put(&calls->callee, call->ringing, call->ringing_len);
    if (calls->plan->answer_ms == 0)
        answer_call(calls, call, now_us);
}

static void hang_up(struct calls *calls, struct call *call)
{
    calls->talking_count -= call->phase == PHASE_TALKING;
    call->phase = PHASE_ENDING;
    send_request(calls, call, SIP_BYE, "");
}

// Once to twice as long, evenly: calls of one length would end in the waves in which they began, while few
// can be set up, and what is counted would depend on where in a wave it begins.
static uint64_t talk_us(struct calls *calls)
{
    uint64_t least_us = (uint64_t)calls->plan->talk_ms * 1000;
    uint32_t part = ++calls->talks * 2654435769u; // the golden section of 2^32

    return least_us + (least_us * part >> 32);
}

static void connected(struct calls *calls, struct call *call, uint64_t now_us)
{
    call->callee = CALLEE_CONNECTED;
    if (call->phase != PHASE_ANSWERED)
        return; // the ACK came again
    if (calls->plan->talk_ms == 0) {
        hang_up(calls, call);
        return;
    }
    call->phase = PHASE_TALKING;
    call->hang_up_us = now_us + talk_us(calls);
    calls->talking_count++;
}

static void take_request(struct calls *calls, struct call *call, const struct sip_packet *request,
                         struct bf_str packet, uint64_t now_us)
{
    switch (request->method) {
    case SIP_INVITE:
        if (call->callee == CALLEE_IDLE && call->phase == PHASE_CALLING)
            ring(calls, call, packet, now_us);
        else
            calls->result->stale_answers++;
        break;
    case SIP_ACK:
        connected(calls, call, now_us);
        break;
    case SIP_BYE: {
        size_t len = sip_dialog_answer(packet, 200, calls->callee.local_port, call->ended);
        if (len > 0)
            load_socket_put(&calls->callee, call->ended, len);
        break;
    }
    case SIP_OTHER:
        break;
    }
}

// ---- receiving

static void take(struct calls *calls, struct bf_str text, uint64_t now_us)
{
    struct load_result *result = calls->result;
    struct sip_packet packet;

    if (!sip_dialog_parse(text, &packet) || packet.tag.run != calls->run ||
        packet.tag.slot >= (uint64_t)calls->plan->outstanding) {
        result->not_ours++;
        return;
    }
    struct call *call = &calls->slots[packet.tag.slot];
    if (call->phase == PHASE_IDLE || call->dialog.tag.generation != packet.tag.generation)
        result->stale_answers++;
    else if (packet.status > 0)
        take_answer(calls, call, &packet, now_us);
    else
        take_request(calls, call, &packet, text, now_us);
}

static void flush(struct calls *calls)
{
    load_socket_flush(&calls->caller);
    load_socket_flush(&calls->callee);
}

static void receive(struct calls *calls, struct load_socket *socket)
{
    int got;

    do {
        got = load_socket_receive(socket);
        for (int i = 0; i < got; i++)
            take(calls, load_socket_packet(socket, i), load_socket_came_us(socket, i));
        start_some(calls);
        flush(calls);
    } while (got == LOAD_BATCH);
}

// ---- time

static void resend(struct calls *calls, struct load_socket *socket, struct sending *what, uint64_t now_us)
{
    again(what, now_us, what->after_ms * 2);
    calls->result->retransmissions++;
    load_socket_put(socket, what->text, what->len);
}

static void look_after(struct calls *calls, struct call *call, uint64_t now_us)
{
    bool waits = call->phase != PHASE_ANSWERED && call->phase != PHASE_TALKING;

    if (now_us - call->begun_us >= (uint64_t)(calls->plan->timeout_ms + 2 * calls->plan->talk_ms) * 1000) {
        calls->result->timeouts++;
        free_slot(calls, call);
        return;
    }
    if (call->callee == CALLEE_RINGING && now_us >= call->answer_us)
        answer_call(calls, call, now_us);
    else if (call->callee == CALLEE_ANSWERED && now_us >= call->answer.due_us)
        resend(calls, &calls->callee, &call->answer, now_us);
    if (call->phase == PHASE_TALKING && now_us >= call->hang_up_us)
        hang_up(calls, call);
    else if (waits && !call->proceeding && now_us >= call->request.due_us)
        resend(calls, &calls->caller, &call->request, now_us);
}

static void tick(struct calls *calls, uint64_t now_us)
{
    if (now_us < calls->next_tick_us)
        return;
    calls->next_tick_us = now_us + (calls->plan->answer_ms > 0 ? SHORT_TICK_US : TICK_US);
    for (int64_t i = 0; i < calls->plan->outstanding; i++) {
        if (calls->slots[i].phase != PHASE_IDLE)
            look_after(calls, &calls->slots[i], now_us);
    }
    flush(calls);
}

static void wait_for_packets(const struct calls *calls)
{
    struct pollfd readable[] = {{calls->caller.fd, POLLIN, 0}, {calls->callee.fd, POLLIN, 0}};
    uint64_t now_us = bf_mono_us();
    uint64_t until_us = calls->next_tick_us;

    if (calls->plan->rate_per_second > 0 && has_room(calls) && calls->next_start_us < until_us)
        until_us = calls->next_start_us;
    uint64_t left_us = until_us > now_us ? until_us - now_us : 0;
    struct timespec timeout = {(time_t)(left_us / 1000000), (long)(left_us % 1000000) * 1000};
    (void)ppoll(readable, BF_LEN(readable), &timeout, NULL);
}

static bool over(const struct calls *calls, uint64_t now_us)
{
    const struct load_plan *plan = calls->plan;
    bool no_more =
        now_us >= calls->ends_us || (plan->count > 0 && calls->result->started >= (uint64_t)plan->count);

    return no_more && calls->idle_count == (size_t)plan->outstanding;
}

// ---- a run

static void prepare(struct calls *calls)
{
    size_t count = (size_t)calls->plan->outstanding;

    bf_random(&calls->run, sizeof(calls->run));
    calls->slots = bf_xcalloc(count, sizeof(*calls->slots));
    calls->idle = bf_xcalloc(count, sizeof(*calls->idle));
    for (size_t i = 0; i < count; i++)
        calls->idle[i] = (uint32_t)i;
    calls->idle_count = count;
}

static void run_loop(struct calls *calls)
{
    double cpu_before = load_cpu_seconds();

    calls->began_us = calls->last_end_us = calls->next_start_us = bf_mono_us();
    calls->ends_us = calls->began_us + (uint64_t)calls->plan->seconds * 1000000;
    calls->counts_from_us = calls->began_us + 3 * (uint64_t)calls->plan->talk_ms * 1000;
    for (uint64_t now_us = calls->began_us; !over(calls, now_us); now_us = bf_mono_us()) {
        start_some(calls);
        flush(calls);
        load_gather(calls->plan);
        wait_for_packets(calls);
        receive(calls, &calls->caller);
        receive(calls, &calls->callee);
        tick(calls, bf_mono_us());
    }
    if (calls->last_end_us > calls->counts_from_us)
        calls->result->seconds = (double)(calls->last_end_us - calls->counts_from_us) / 1e6;
    calls->result->client_cpu_seconds = load_cpu_seconds() - cpu_before;
    calls->result->send_errors = calls->caller.send_errors + calls->callee.send_errors;
}

static const char *open_both(struct calls *calls)
{
    const struct load_plan *plan = calls->plan;
    const char *problem;

    if (plan->callee_port == 0)
        return "--callee-port is needed: where the users are registered";
    if (plan->users_per_domain < 2 || plan->users % plan->users_per_domain != 0 ||
        plan->first_user % plan->users_per_domain != 0)
        return "--users and --first-user must be whole domains of --users-per-domain, 2 or more: nobody "
               "calls himself";
    problem = load_socket_open(&calls->callee, &plan->target, plan->callee_port);
    return problem ? problem : load_socket_open(&calls->caller, &plan->target, plan->local_port);
}

bool load_calls(const struct load_plan *plan, struct load_result *ret_result, const char **ret_problem)
{
    struct calls *calls = bf_xcalloc(1, sizeof(*calls)); // half a MiB of packets: too much for the stack

    calls->plan = plan;
    calls->result = ret_result;
    calls->caller.fd = calls->callee.fd = -1;
    prepare(calls);
    *ret_problem = sip_digest_init(&calls->digest) ? open_both(calls) : "OpenSSL has no MD5";
    if (!*ret_problem)
        run_loop(calls);
    load_socket_close(&calls->caller);
    load_socket_close(&calls->callee);
    sip_digest_release(&calls->digest);
    free(calls->slots);
    free(calls->idle);
    free(calls);
    return !*ret_problem;
}
