// The engine of sipload: a table of slots, each one transaction, and one loop of start, send, wait, receive,
// repeat.
#include "sipload_run.h"

#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include "bf_clock.h"
#include "bf_crypto.h"
#include "sipload_socket.h"

#define RESEND_CHECK_MS    20ULL
#define GATHER_US          100L // a server works on GATHER_OUTSTANDING for longer
#define GATHER_OUTSTANDING 64
#define PERMUTATION_PRIME  7368787ULL

struct transaction {
    uint32_t generation; // counts the slot's requests, so that a late answer is not taken for the next one's
    uint32_t user;
    bool waiting;
    bool authorized; // the request that is out carries a digest
    bool thinking;   // of the challenge that it was given
    struct sip_challenge challenge;
    uint64_t resend_after_ms;
    uint64_t begun_us, sent_us, resend_us; // resend_us: also when the challenge is answered
    struct sip_user who;
    size_t length;
    char message[SIP_BYTES_MAX];
};

struct reuse { // what LOAD_REGISTER_REUSE remembers of a user
    char nonce[SIP_TEXT_MAX];
    uint32_t count;
    bool qop;
};

struct load {
    const struct load_plan *plan;
    struct load_result *result;
    struct load_socket socket;
    uint32_t run;
    uint32_t cseq;
    struct sip_digest digest;
    struct transaction *slots;
    uint32_t *idle; // a stack of free slots
    size_t idle_count;
    uint32_t *thinkers; // a ring of slots, in the order of their challenges
    size_t first_thinker, thinker_count;
    struct reuse *reuse; // users of them; NULL in other modes
    uint64_t began_us, ends_us, next_start_us, next_resend_us, last_answer_us;
};

// ---- sending
// -------------------------------------------------------------------------------------------------------

void load_user(const struct load_plan *plan, uint32_t user, struct sip_user *ret_who)
{
    uint64_t index = (uint64_t)plan->first_user + user;
    uint64_t per_domain = (uint64_t)plan->users_per_domain;

    snprintf(ret_who->number, sizeof(ret_who->number), "%lu",
             (uint64_t)plan->first_number + index % per_domain);
    snprintf(ret_who->domain, sizeof(ret_who->domain), "t%06lu%s", index / per_domain, plan->domain_suffix);
}

// The header line for this user: from the challenge, or from the nonce that the user still holds. "" without
// either.
static bool authorization(struct load *load, struct transaction *slot, const struct sip_challenge *challenge,
                          char *line, size_t size)
{
    struct reuse *reuse = load->reuse ? &load->reuse[slot->user] : NULL;
    struct sip_challenge held = {.qop = true};
    char uri[SIP_TEXT_MAX + 8];

    if (challenge && reuse) {
        memcpy(reuse->nonce, challenge->nonce, sizeof(reuse->nonce));
        reuse->qop = challenge->qop;
        reuse->count = 0;
    }
    if (!challenge && reuse && reuse->nonce[0]) {
        memcpy(held.nonce, reuse->nonce, sizeof(held.nonce));
        memcpy(held.realm, slot->who.domain, sizeof(held.realm));
        held.qop = reuse->qop;
        challenge = &held;
    }
    slot->authorized = challenge != NULL;
    line[0] = '\0';
    if (!challenge)
        return true;
    uint32_t count = reuse ? ++reuse->count : 1;
    snprintf(uri, sizeof(uri), "sip:%s", slot->who.domain);
    struct sip_protected what = {"Authorization", "REGISTER", uri, &slot->who, load->plan->password};
    return sip_authorize(&load->digest, challenge, &what, count, line, size);
}

static void send_request(struct load *load, struct transaction *slot, const struct sip_challenge *challenge)
{
    char line[SIP_BYTES_MAX];
    struct sip_request request = {
        .user = &slot->who,
        .tag = {load->run, (uint32_t)(slot - load->slots), ++slot->generation},
        .cseq = ++load->cseq,
        .local_port = load->socket.local_port,
        .expires_s = (int)load->plan->expires_s,
        .authorization = line,
    };

    if (load->plan->mode == LOAD_OPTIONS)
        slot->length = sip_options(&request, slot->message);
    else if (authorization(load, slot, challenge, line, sizeof(line)))
        slot->length = sip_register(&request, slot->message);
    else
        slot->length = 0;
    if (slot->length == 0)
        abort(); // every text in it is bounded so that it fits
    slot->sent_us = bf_mono_us();
    slot->resend_after_ms = LOAD_T1_MS;
    slot->resend_us = slot->sent_us + LOAD_T1_MS * 1000;
    load->result->requests_sent++;
    load_socket_put(&load->socket, slot->message, slot->length);
}

static bool may_start(const struct load *load, uint64_t now_us)
{
    const struct load_plan *plan = load->plan;

    return load->idle_count > 0 && now_us < load->ends_us && now_us >= load->next_start_us &&
           (plan->count == 0 || load->result->started < (uint64_t)plan->count);
}

static void start_some(struct load *load)
{
    const struct load_plan *plan = load->plan;
    uint64_t now_us = bf_mono_us();

    while (may_start(load, now_us)) {
        struct transaction *slot = &load->slots[load->idle[--load->idle_count]];
        uint64_t turn = load->result->started++ % (uint64_t)plan->users;

        slot->user = (uint32_t)(plan->shuffle ? turn * PERMUTATION_PRIME % (uint64_t)plan->users : turn);
        load_user(plan, slot->user, &slot->who);
        slot->waiting = true;
        slot->begun_us = now_us;
        send_request(load, slot, NULL);
        if (plan->rate_per_second > 0)
            load->next_start_us += 1000000 / (uint64_t)plan->rate_per_second;
    }
}

// ---- receiving
// -----------------------------------------------------------------------------------------------------

static void end_transaction(struct load *load, struct transaction *slot)
{
    slot->waiting = false;
    load->idle[load->idle_count++] = (uint32_t)(slot - load->slots);
}

static void complete(struct load *load, struct transaction *slot, int status, uint64_t now_us)
{
    struct load_result *result = load->result;
    bool good = status == load->plan->expect;

    result->completed++;
    result->succeeded += good;
    result->in_time += good && now_us < load->ends_us;
    hist_add(&result->final_us, now_us - slot->sent_us);
    hist_add(&result->whole_us, now_us - slot->begun_us);
    if (now_us < load->ends_us)
        load->last_answer_us = now_us;
    end_transaction(load, slot);
}

// A challenge is answered when the request had no digest, or when only its nonce was too old.
static bool answers_challenge(const struct load *load, const struct transaction *slot,
                              const struct sip_answer *answer)
{
    return load->plan->mode != LOAD_OPTIONS && answer->status == 401 && answer->challenged &&
           (!slot->authorized || (load->reuse && answer->challenge.stale));
}

static void think(struct load *load, struct transaction *slot, const struct sip_challenge *challenge,
                  uint64_t now_us)
{
    size_t last = (load->first_thinker + load->thinker_count) % (size_t)load->plan->outstanding;

    if (load->plan->think_ms == 0) {
        send_request(load, slot, challenge);
        return;
    }
    slot->thinking = true;
    slot->challenge = *challenge;
    slot->resend_us = now_us + (uint64_t)load->plan->think_ms * 1000;
    load->thinkers[last] = (uint32_t)(slot - load->slots);
    load->thinker_count++;
}

// NULL: nobody thinks.
static struct transaction *first_thinker(const struct load *load)
{
    return load->thinker_count ? &load->slots[load->thinkers[load->first_thinker]] : NULL;
}

static void answer_challenges(struct load *load, uint64_t now_us)
{
    struct transaction *slot;

    while ((slot = first_thinker(load)) && slot->resend_us <= now_us) {
        load->first_thinker = (load->first_thinker + 1) % (size_t)load->plan->outstanding;
        load->thinker_count--;
        slot->thinking = false;
        send_request(load, slot, &slot->challenge);
    }
}

static void take(struct load *load, struct bf_str packet, uint64_t now_us)
{
    struct load_result *result = load->result;
    struct sip_answer answer;

    if (!sip_parse(packet, &answer) || answer.tag.run != load->run ||
        answer.tag.slot >= (uint64_t)load->plan->outstanding) {
        result->not_ours++;
        return;
    }
    struct transaction *slot = &load->slots[answer.tag.slot];
    if (!slot->waiting || slot->generation != answer.tag.generation) {
        result->stale_answers++;
        return;
    }
    result->status[answer.status]++;
    if (answer.status < 200) {
        slot->resend_after_ms = LOAD_T2_MS;
        return;
    }
    if (slot->thinking) // its request was sent twice
        return;
    if (answers_challenge(load, slot, &answer)) {
        hist_add(&result->challenge_us, now_us - slot->sent_us);
        think(load, slot, &answer.challenge, now_us);
        return;
    }
    complete(load, slot, answer.status, now_us);
}

static void receive(struct load *load)
{
    int got;

    do {
        got = load_socket_receive(&load->socket);
        for (int i = 0; i < got; i++)
            take(load, load_socket_packet(&load->socket, i), load_socket_came_us(&load->socket, i));
        start_some(load);
        load_socket_flush(&load->socket);
    } while (got == LOAD_BATCH);
}

// ---- time
// ----------------------------------------------------------------------------------------------------------

static void resend_due(struct load *load, uint64_t now_us)
{
    if (now_us < load->next_resend_us)
        return;
    load->next_resend_us = now_us + RESEND_CHECK_MS * 1000;
    for (int64_t i = 0; i < load->plan->outstanding; i++) {
        struct transaction *slot = &load->slots[i];
        if (!slot->waiting || slot->thinking || now_us < slot->resend_us)
            continue;
        if (now_us - slot->sent_us >= (uint64_t)load->plan->timeout_ms * 1000) {
            load->result->timeouts++;
            end_transaction(load, slot);
            continue;
        }
        slot->resend_after_ms =
            slot->resend_after_ms * 2 < LOAD_T2_MS ? slot->resend_after_ms * 2 : LOAD_T2_MS;
        slot->resend_us = now_us + slot->resend_after_ms * 1000;
        load->result->retransmissions++;
        load_socket_put(&load->socket, slot->message, slot->length);
    }
    load_socket_flush(&load->socket);
}

// As fast as the answers come, they are taken together: woken for each, this program would take a third of
// the machine from the server, and each answer would cost the server its waking. Calls have many packets
// each, at any rate.
void load_gather(const struct load_plan *plan)
{
    static const struct timespec time = {.tv_nsec = GATHER_US * 1000};
    int64_t outstanding = plan->busy ? plan->busy : plan->outstanding;

    if ((plan->rate_per_second == 0 || plan->mode == LOAD_CALLS) && outstanding >= GATHER_OUTSTANDING)
        (void)nanosleep(&time, NULL);
}

static void wait_for_answers(struct load *load)
{
    uint64_t now_us = bf_mono_us();
    uint64_t until_us = load->next_resend_us;
    struct pollfd readable = {load->socket.fd, POLLIN, 0};

    if (load->plan->rate_per_second > 0 && load->idle_count > 0 && load->next_start_us < until_us)
        until_us = load->next_start_us;
    if (load->thinker_count && first_thinker(load)->resend_us < until_us)
        until_us = first_thinker(load)->resend_us;
    uint64_t left_us = until_us > now_us ? until_us - now_us : 0;
    struct timespec timeout = {(time_t)(left_us / 1000000), (long)(left_us % 1000000) * 1000};
    (void)ppoll(&readable, 1, &timeout, NULL);
}

static bool over(const struct load *load, uint64_t now_us)
{
    const struct load_plan *plan = load->plan;
    bool no_more =
        now_us >= load->ends_us || (plan->count > 0 && load->result->started >= (uint64_t)plan->count);

    return no_more && load->idle_count == (size_t)plan->outstanding;
}

double load_cpu_seconds(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

// ---- a run
// ---------------------------------------------------------------------------------------------------------

static void prepare(struct load *load)
{
    const struct load_plan *plan = load->plan;

    bf_random(&load->run, sizeof(load->run));
    load->slots = bf_xcalloc((size_t)plan->outstanding, sizeof(*load->slots));
    load->idle = bf_xcalloc((size_t)plan->outstanding, sizeof(*load->idle));
    load->thinkers = bf_xcalloc((size_t)plan->outstanding, sizeof(*load->thinkers));
    while (load->idle_count < (size_t)plan->outstanding) {
        load->idle[load->idle_count] = (uint32_t)load->idle_count;
        load->idle_count++;
    }
    if (plan->mode == LOAD_REGISTER_REUSE)
        load->reuse = bf_xcalloc((size_t)plan->users, sizeof(*load->reuse));
}

static void run_loop(struct load *load)
{
    double cpu_before = load_cpu_seconds();

    load->began_us = load->last_answer_us = load->next_start_us = bf_mono_us();
    load->ends_us = load->began_us + (uint64_t)load->plan->seconds * 1000000;
    for (uint64_t now_us = load->began_us; !over(load, now_us); now_us = bf_mono_us()) {
        start_some(load);
        answer_challenges(load, now_us);
        load_socket_flush(&load->socket);
        load_gather(load->plan);
        wait_for_answers(load);
        receive(load);
        resend_due(load, bf_mono_us());
    }
    load->result->seconds = (double)(load->last_answer_us - load->began_us) / 1e6;
    load->result->client_cpu_seconds = load_cpu_seconds() - cpu_before;
}

bool load_run(const struct load_plan *plan, struct load_result *ret_result, const char **ret_problem)
{
    struct load *load = bf_xcalloc(1, sizeof(*load)); // 256 KiB of packets: too much for the stack

    *load = (struct load){.plan = plan, .result = ret_result, .socket.fd = -1};
    prepare(load);
    *ret_problem = sip_digest_init(&load->digest)
                       ? load_socket_open(&load->socket, &plan->target, plan->local_port)
                       : "OpenSSL has no MD5";
    if (!*ret_problem)
        run_loop(load);
    ret_result->send_errors = load->socket.send_errors;
    load_socket_close(&load->socket);
    sip_digest_release(&load->digest);
    free(load->slots);
    free(load->idle);
    free(load->thinkers);
    free(load->reuse);
    free(load);
    return !*ret_problem;
}
