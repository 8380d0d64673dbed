// Items of a timeline as sentences.
#include "timeline.h"

#include <inttypes.h>
#include <string.h>

#include "bf_clock.h"
#include "table.h"

// %n number, %d device in brackets, %c code, %t text, %e edge. A part whose value is missing is left out
// together with the blank before it.
static const struct sentence {
    const char *kind, *form;
} sentences[] = {
    {"started", "the call begins at %e: %t"},
    {"note", "%t"},
    {"step", "step: %t"},
    {"branch", "%n %d is tried"},
    {"ringing", "%n %d rings %c"},
    {"branch-ended", "%n %d does not take it: %c %t"},
    {"answered", "%n %d answers %c"},
    {"transfer", "transferred to %n: %t"},
    {"waking", "%n %d sleeps and is waited for"},
    {"woken", "%n %d has registered and is rung"},
    {"wake-ended", "%n %d did not come: %t"},
    {"push.sent", "%n %d is pushed to: %c %t"},
    {"push.failed", "%n %d cannot be pushed to: %c %t"},
    {"ended", "the call ends: %c %t"},
};

static struct bf_str text_of(const json_t *item, const char *field)
{
    const json_t *value = json_object_get(item, field);

    return (struct bf_str){json_string_value(value), json_string_length(value)};
}

static void write_value(struct bf_buf *into, const json_t *item, char letter)
{
    static const struct {
        char letter;
        const char *field;
    } fields[] = {{'n', "number"}, {'d', "device"}, {'t', "text"}, {'e', "edge"}};

    if (letter == 'c' && json_is_integer(json_object_get(item, "code")))
        bf_buf_fmt(into, "%" PRId64, (int64_t)json_integer_value(json_object_get(item, "code")));
    for (size_t i = 0; i < BF_LEN(fields); i++) {
        struct bf_str text = text_of(item, fields[i].field);

        if (fields[i].letter != letter || text.len == 0)
            continue;
        bf_buf_str(into, letter == 'd' ? "(" : "");
        table_write_safe(into, text);
        bf_buf_str(into, letter == 'd' ? ")" : "");
    }
}

// One word of a form: a value (with what stands right behind it), or itself. Nothing for a value that is
// missing.
static void write_word(struct bf_buf *into, const json_t *item, const char *word, size_t len)
{
    size_t before = into->len;

    bf_buf_str(into, before ? " " : "");
    if (word[0] != '%') {
        bf_buf_add(into, word, len);
        return;
    }
    size_t start = into->len;
    write_value(into, item, word[1]);
    if (into->len > start)
        bf_buf_add(into, word + 2, len - 2);
    else if (start > before) { // the blank was for nothing
        into->len = before;
        into->at[before] = '\0';
    }
}

static void write_sentence(struct bf_buf *into, const json_t *item, const char *form)
{
    for (const char *at = form; *at; at += strspn(at, " ")) {
        size_t len = strcspn(at, " ");

        write_word(into, item, at, len);
        at += len;
    }
    // What was announced by a colon is missing.
    while (into->len > 0 && into->at[into->len - 1] == ':')
        into->at[--into->len] = '\0';
}

static void write_item(struct bf_buf *into, const json_t *item)
{
    struct bf_str kind = text_of(item, "kind");

    for (size_t i = 0; i < BF_LEN(sentences); i++)
        if (bf_str_eq(kind, bf_str(sentences[i].kind))) {
            write_sentence(into, item, sentences[i].form);
            return;
        }
    table_write_safe(into, kind);
    write_sentence(into, item, "%n %d %c %t");
}

void timeline_write(struct bf_buf *into, const json_t *items)
{
    uint64_t first_ms = 0, at_ms;
    const json_t *item;
    bool begun = false;
    size_t i;

    json_array_foreach(items, i, item)
    {
        const char *time = json_string_value(json_object_get(item, "time"));
        struct bf_buf line;

        bf_buf_init(&line, 4096);
        write_item(&line, item);
        if (time && bf_rfc3339_parse(bf_str(time), &at_ms)) {
            if (!begun) {
                bf_buf_str(into, "began ");
                table_write_safe(into, bf_str(time));
                bf_buf_str(into, "\n");
            }
            first_ms = begun ? first_ms : at_ms;
            begun = true;
            bf_buf_fmt(into, "%10.3f s  ", ((double)at_ms - (double)first_ms) / 1000.0);
        } else {
            bf_buf_str(into, "           -  ");
        }
        bf_buf_fmt(into, "%s\n", line.len ? line.at : "");
        bf_buf_release(&line);
    }
}
