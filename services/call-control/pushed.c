// Pushes in timelines.
#include "pushed.h"

#include <string.h>

#include "call_metrics.h"
#include "timeline_store.h"

#define SEQ_BYTES 6 // of the id's end: random, or a hash

static int64_t seq_of(struct bf_id id)
{
    int64_t seq = 0;

    for (size_t i = sizeof(id.bytes) - SEQ_BYTES; i < sizeof(id.bytes); i++)
        seq = seq << 8 | id.bytes[i];
    return CALL_SEQ_PUSH + seq;
}

// "apns took the wake push, attempt 2: 5F3A...", "expo refused the wake push: DeviceNotRegistered: ..."
struct call_event pushed_event(const struct pushed *pushed, char text[CALL_TEXT_SIZE])
{
    const char *what = !pushed->failed ? "took" : pushed->code ? "refused" : "did not get";
    const char *words = pushed->failed ? pushed->answer : pushed->push_id;
    bf_autofree char *again =
        pushed->attempts > 1 ? bf_xasprintf(", attempt %u", pushed->attempts) : bf_xstrdup("");
    bf_autofree char *whole = bf_xasprintf("%s %s the %s push%s%s%s", pushed->provider, what, pushed->kind,
                                           again, *words ? ": " : "", words);

    bf_text_clean(whole, text, CALL_TEXT_SIZE);
    return (struct call_event){.call = pushed->call,
                               .tenant = pushed->tenant,
                               .seq = seq_of(pushed->id),
                               .kind = pushed->failed ? CALL_PUSH_FAILED : CALL_PUSH_SENT,
                               .code = pushed->code,
                               .at_ms = pushed->at_ms,
                               .number = pushed->number,
                               .push = pushed->device,
                               .reason = text};
}

static void refuse(const struct call_event *event, const char *why)
{
    char id[BF_ID_TEXT_SIZE];

    call_count(CALLS_EVENTS_REFUSED);
    bf_warn("calls.push_refused", BF_S("call", bf_id_text(event->call, id)), BF_I("seq", event->seq),
            BF_S("why", why));
}

static enum bf_err write_lines(struct control *control, const struct call_event *events, size_t count)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    size_t lines = 0;
    enum bf_err err = bf_tx_begin(control->db, BF_SCOPE_SYSTEM, (struct bf_id){{0}}, &tx);

    if (!err)
        err = timeline_store_pushed(tx, events, count, &lines);
    if (!err)
        err = bf_tx_commit(tx);
    if (err == BF_INTERNAL || err == BF_FORBIDDEN)
        bf_error("calls.pushed", BF_E(err), BF_S("database", tx ? bf_tx_error(tx) : ""));
    if (err)
        return err;
    bf_metric_add(&call_metrics[CALLS_EVENTS], (int64_t)lines);
    bf_metric_add(&call_metrics[CALLS_EVENTS_AGAIN], (int64_t)(count - lines));
    return BF_OK;
}

// One that PostgreSQL refuses as nonsense must not hold up the others: then each goes alone.
static enum bf_err write_all(struct control *control, const struct call_event *events, size_t count)
{
    enum bf_err err = write_lines(control, events, count);

    if (err != BF_INVALID && err != BF_TOO_LARGE)
        return err;
    if (count == 1) {
        refuse(events, bf_err_text(err));
        return BF_OK;
    }
    err = BF_OK;
    for (size_t i = 0; !err && i < count; i++)
        err = write_all(control, &events[i], 1);
    return err;
}

enum bf_err pushed_take(struct control *control, const struct pushed *pushed, size_t count)
{
    bf_autofree struct call_event *events = bf_xcalloc(count + 1, sizeof(*events));
    bf_autofree struct call_spare *spares = bf_xcalloc(count + 1, sizeof(*spares));
    bf_autofree char(*texts)[CALL_TEXT_SIZE] = bf_xcalloc(count + 1, sizeof(*texts));
    size_t good = 0;

    for (size_t i = 0; i < count; i++) {
        struct call_event *event = &events[good];
        *event = pushed_event(&pushed[i], texts[i]);
        const char *wrong = call_event_check(event);
        if (wrong)
            refuse(event, wrong);
        else
            call_event_clean(event, &spares[good++]);
    }
    enum bf_err err = good ? write_all(control, events, good) : BF_OK;
    for (size_t i = 0; i < good; i++)
        call_spare_release(&spares[i]);
    return err;
}
