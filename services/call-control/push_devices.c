// Which push devices numbers have.
#include "push_devices.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "bf_clock.h"
#include "bf_memo.h"
#include "control_metrics.h"
#include "push_wire.h"

#define ANSWERS         4096 // numbers that are remembered
#define REPLY_BYTES_MAX (256u << 10)

struct answer {
    size_t count;
    struct plan_sleeper at[PUSH_OF_NUMBER];
};

struct push_devices {
    struct control *control;
    struct bf_memo *memo;           // of struct answer
    _Atomic uint64_t not_before_ms; // monotonic
};

struct push_devices *push_devices_new(struct control *control)
{
    struct push_devices *push = bf_xcalloc(1, sizeof(*push));

    push->control = control;
    push->memo = bf_memo_new(ANSWERS, sizeof(struct answer));
    return push;
}

void push_devices_free(struct push_devices *push)
{
    if (!push)
        return;
    bf_memo_free(push->memo);
    free(push);
}

void push_devices_mark(struct bf_redis_batch *batch, struct bf_id tenant)
{
    char key[BF_ID_TEXT_SIZE + 8], text[BF_ID_TEXT_SIZE];

    snprintf(key, sizeof(key), "pd:{%s}", bf_id_text(tenant, text));
    bf_redis_cmd(batch, "GET", BF_R_TEXT(key));
}

bool push_devices_none(const struct bf_redis_reply *reply)
{
    return bf_str_eq(bf_redis_str(reply), BF_STR("0"));
}

struct key {
    struct bf_id tenant, extension;
    char number[DIRECTORY_NUMBER_SIZE];
};

static struct key key_of(struct bf_id tenant, const struct push_number *number)
{
    struct key key = {.tenant = tenant, .extension = number->extension, .number = {0}};

    snprintf(key.number, sizeof(key.number), "%s", number->number);
    return key;
}

void push_devices_void(struct push_devices *push, struct bf_id tenant, const struct push_number *number)
{
    struct key key = key_of(tenant, number);

    bf_memo_drop(push->memo, &key, sizeof(key));
}

static enum bf_err ask(struct push_devices *push, struct bf_id tenant, const struct push_number *numbers,
                       size_t count, struct plan_sleeper *sleepers, size_t *ret_count)
{
    bf_cleanup(bf_buf_release) struct bf_buf request, reply;
    char id[BF_ID_TEXT_SIZE];

    bf_buf_init(&request, 8192);
    bf_buf_init(&reply, REPLY_BYTES_MAX);
    push_wire_ask(&request, tenant, numbers, count);
    enum bf_err err = bf_bus_call(push->control->events, "PushDevices", bf_id_text(tenant, id), "",
                                  PUSH_ASK_MS, (struct bf_str){request.at, request.len}, &reply, NULL);
    return err ? err
               : push_wire_read((struct bf_str){reply.at, reply.len}, sleepers, count * PUSH_OF_NUMBER,
                                ret_count);
}

static struct answer answer_of(const struct push_number *number, const struct plan_sleeper *sleepers,
                               size_t count)
{
    struct answer answer = {.count = 0};

    for (size_t i = 0; i < count; i++) {
        if (strcmp(sleepers[i].number, number->number) != 0)
            continue;
        if (answer.count == PUSH_OF_NUMBER) {
            control_count(CONTROL_PLAN_CUT, 1);
            continue;
        }
        answer.at[answer.count] = sleepers[i];
        answer.at[answer.count++].extension = number->extension;
    }
    return answer;
}

static void add(struct plan_sleepers *sleepers, const struct answer *answer)
{
    struct plan_sleeper *at = (struct plan_sleeper *)sleepers->at;

    memcpy(at + sleepers->count, answer->at, answer->count * sizeof(*at));
    sleepers->count += answer->count;
}

static void add_asked(struct push_devices *push, struct bf_id tenant, const struct push_number *numbers,
                      size_t count, struct plan_sleepers *sleepers)
{
    bf_autofree struct plan_sleeper *got = bf_xcalloc(count * PUSH_OF_NUMBER + 1, sizeof(*got));
    size_t got_count = 0;
    bool away = bf_mono_ms() < push->not_before_ms || ask(push, tenant, numbers, count, got, &got_count);

    if (away && bf_mono_ms() >= push->not_before_ms)
        push->not_before_ms = bf_mono_ms() + PUSH_RETRY_MS;
    control_count(away ? CONTROL_PUSH_UNKNOWN : CONTROL_PUSH_ASKED, 1);
    sleepers->unknown = away;
    for (size_t i = 0; !away && i < count; i++) {
        struct answer answer = answer_of(&numbers[i], got, got_count);
        struct key key = key_of(tenant, &numbers[i]);
        bf_memo_put(push->memo, &key, sizeof(key), bf_mono_ms(), &answer);
        add(sleepers, &answer);
    }
}

static bool remembered(struct push_devices *push, struct bf_id tenant, const struct push_number *number,
                       struct answer *ret_answer)
{
    struct key key = key_of(tenant, number);
    uint64_t age_ms;

    return bf_memo_get(push->memo, &key, sizeof(key), bf_mono_ms(), ret_answer, &age_ms) &&
           age_ms < PUSH_KEPT_MS;
}

static bool can_have_any(const struct push_number *number)
{
    return strlen(number->number) < DIRECTORY_NUMBER_SIZE && !bf_id_is_nil(number->extension);
}

bool push_devices_known(struct push_devices *push, struct bf_id tenant, const struct push_number *numbers,
                        size_t count)
{
    struct answer answer;

    if (!push || !push->control->events)
        return true;
    for (size_t i = 0; i < count; i++)
        if (can_have_any(&numbers[i]) && !remembered(push, tenant, &numbers[i], &answer))
            return false;
    return true;
}

void push_devices_find(struct push_devices *push, struct bf_id tenant, const struct push_number *numbers,
                       size_t count, struct plan_sleepers *ret_sleepers)
{
    struct push_number unknown[PUSH_NUMBERS_MAX];
    size_t unknown_count = 0;
    struct answer answer;

    *ret_sleepers = (struct plan_sleepers){.count = 0};
    if (!push || !push->control->events)
        return;
    ret_sleepers->at = bf_xcalloc(count * PUSH_OF_NUMBER + 1, sizeof(*ret_sleepers->at));
    for (size_t i = 0; i < count; i++) {
        if (!can_have_any(&numbers[i]))
            continue;
        if (remembered(push, tenant, &numbers[i], &answer))
            add(ret_sleepers, &answer);
        else if (unknown_count < PUSH_NUMBERS_MAX)
            unknown[unknown_count++] = numbers[i];
    }
    if (unknown_count)
        add_asked(push, tenant, unknown, unknown_count, ret_sleepers);
}
