// One request to a provider.
#include "push_flight.h"

#include <stdio.h>
#include <string.h>

#include "bf_clock.h"

#define ANSWER_BYTES_MAX COURIER_BODY_BYTES_READ

// ---- on its way

static void done(void *ctx, const struct courier_answer *answer)
{
    struct push_flight *flight = ctx;

    bf_buf_init(&flight->body, answer->body.len);
    bf_buf_add(&flight->body, answer->body.at, answer->body.len);
    flight->error = bf_xstrdup(answer->error);
    flight->latency_ms = answer->latency_ms;
    flight->answer = (struct push_answer){.code = answer->code,
                                          .error = flight->error,
                                          .retry_after_s = answer->retry_after_s,
                                          .body = {flight->body.at, flight->body.len}};
    // Of an answer that was cut off nothing is believed.
    if (*answer->error)
        flight->answer.code = 0;
    curl_slist_free_all(flight->headers);
    flight->headers = NULL;
    push_request_release(&flight->request);
    flight->landed(flight->ctx, flight);
}

static struct push_flight *flight_new(const struct push_flight_options *options, enum push_flight_kind kind,
                                      struct push_lane *lane)
{
    struct push_flight *flight = bf_xcalloc(1, sizeof(*flight));

    flight->kind = kind;
    flight->lane = lane;
    flight->version = lane ? lane->version : 0;
    flight->id = bf_id_new();
    flight->began_ms = bf_mono_ms();
    flight->at_ms = bf_unix_ms();
    flight->landed = options->landed;
    flight->ctx = options->ctx;
    push_list_init(&flight->pushes);
    return flight;
}

static void flight_start(const struct push_flight_options *options, struct push_flight *flight)
{
    const struct push_request *request = &flight->request;

    for (size_t i = 0; i < request->header_count; i++)
        flight->headers = curl_slist_append(flight->headers, request->headers[i]);
    courier_send(options->courier, &(struct courier_job){.url = request->url,
                                                         .headers = flight->headers,
                                                         .body = bf_str(request->body),
                                                         .timeout_ms = options->timeout_ms,
                                                         .free_targets = true,
                                                         .shared = true,
                                                         .ca_file = options->ca_file,
                                                         .answer_bytes_max = ANSWER_BYTES_MAX,
                                                         .done = done,
                                                         .ctx = flight});
}

// ---- what it is made of

// Expo takes many at once, but those that spoiled a request before go alone.
static void load(struct push_flight *flight, struct push_lane *lane)
{
    size_t max = lane->provider == PUSH_EXPO ? PUSH_BATCH_MAX : 1;

    do
        push_list_add(&flight->pushes, push_list_take(&lane->queue));
    while (flight->pushes.count < max && !flight->pushes.first->alone && lane->queue.first &&
           !lane->queue.first->alone);
}

void push_flight_pushes(const struct push_flight_options *options, struct push_lane *lane)
{
    struct push_flight *flight = flight_new(options, PUSH_FLIGHT_PUSHES, lane);
    const struct push_bases *bases = options->bases;

    load(flight, lane);
    switch (lane->provider) {
    case PUSH_APNS:
        push_request_apns(bases, lane->credential, lane->bearer, flight->pushes.first, flight->id,
                          flight->at_ms, &flight->request);
        break;
    case PUSH_FCM:
        push_request_fcm(bases, lane->credential, lane->bearer, flight->pushes.first, flight->at_ms,
                         &flight->request);
        break;
    default:
        push_request_expo(bases, lane->credential ? lane->credential->access_token : "", flight->pushes.first,
                          flight->at_ms, &flight->request);
    }
    lane->under_way++;
    flight_start(options, flight);
}

bool push_flight_bearer(const struct push_flight_options *options, struct push_lane *lane)
{
    struct push_flight *flight = flight_new(options, PUSH_FLIGHT_BEARER, lane);

    if (!push_request_oauth(options->bases, lane->credential, flight->at_ms, &flight->request)) {
        push_flight_free(flight);
        return false;
    }
    lane->under_way++;
    lane->asking = true;
    flight_start(options, flight);
    return true;
}

void push_flight_receipts(const struct push_flight_options *options, const char *access_token,
                          struct push_tickets *tickets)
{
    struct push_flight *flight = flight_new(options, PUSH_FLIGHT_RECEIPTS, NULL);
    bf_autofree const char **ids = bf_xcalloc(tickets->count + 1, sizeof(ids[0]));

    flight->tickets = *tickets;
    *tickets = (struct push_tickets){.count = 0};
    for (size_t i = 0; i < flight->tickets.count; i++)
        ids[i] = flight->tickets.list[i].ticket;
    push_request_receipts(options->bases, access_token, ids, flight->tickets.count, &flight->request);
    flight_start(options, flight);
}

// ---- what its answer means

void push_flight_judge(const struct push_flight *flight, struct push_outcome *outcomes)
{
    char id[BF_ID_TEXT_SIZE];

    memset(outcomes, 0, flight->pushes.count * sizeof(outcomes[0]));
    switch (flight->lane->provider) {
    case PUSH_APNS:
        push_answer_apns(&flight->answer, outcomes);
        snprintf(outcomes->ref, sizeof(outcomes->ref), "%s", bf_id_text(flight->id, id));
        break;
    case PUSH_FCM:
        push_answer_fcm(&flight->answer, outcomes);
        break;
    default:
        push_answer_expo(&flight->answer, outcomes, flight->pushes.count);
    }
    for (size_t i = 0; i < flight->pushes.count; i++) {
        outcomes[i].begun = true;
        outcomes[i].at_ms = flight->at_ms;
        outcomes[i].latency_ms = flight->latency_ms;
    }
    size_t at = 0;
    for (const struct push *push = flight->pushes.first; push; push = push->next)
        push_hide_token(outcomes[at++].detail, push->token ? push->token : "");
}

void push_flight_free(struct push_flight *flight)
{
    if (!flight)
        return;
    push_list_free(&flight->pushes);
    push_tickets_release(&flight->tickets);
    bf_buf_release(&flight->body);
    push_request_release(&flight->request);
    free(flight->error);
    free(flight);
}
