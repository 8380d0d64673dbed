// One JSON object a line, built on the stack and written with one write(2).
#include "bf_log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bf_clock.h"

#define LINE_BYTES 8192
#define END_BYTES  16 // `",` and `"cut":true}` and the newline always fit

static struct {
    const char *service;
    enum bf_log_level least;
} logger = {"belfry", BF_LOG_INFO};

static const char *const level_names[] = {
    [BF_LOG_DEBUG] = "debug",
    [BF_LOG_INFO] = "info",
    [BF_LOG_WARN] = "warn",
    [BF_LOG_ERROR] = "error",
};

struct line {
    size_t len;
    bool cut;
    char at[LINE_BYTES];
};

static bool put(struct line *line, const char *bytes, size_t len)
{
    if (line->cut || len > LINE_BYTES - END_BYTES - line->len) {
        line->cut = true;
        return false;
    }
    memcpy(line->at + line->len, bytes, len);
    line->len += len;
    return true;
}

// The first character of `text` as it stands in a JSON string; what is not UTF-8, and NUL, becomes U+FFFD.
// Returns bytes used up.
static size_t put_char(struct line *line, struct bf_str text)
{
    unsigned char c = (unsigned char)text.at[0];
    char escaped[8];
    if (c == '"' || c == '\\') {
        put(line, (char[]){'\\', (char)c}, 2);
        return 1;
    }
    if ((c > 0 && c < 0x20) || c == 0x7f) {
        snprintf(escaped, sizeof(escaped), "\\u%04x", c);
        put(line, escaped, 6);
        return 1;
    }
    size_t len = bf_utf8_next(text);
    if (len)
        put(line, text.at, len);
    else
        put(line, "\xef\xbf\xbd", 3);
    return len ? len : 1;
}

static void put_text(struct line *line, struct bf_str text)
{
    if (!put(line, "\"", 1))
        return;
    while (text.len && !line->cut) {
        size_t used = put_char(line, text);
        text = (struct bf_str){text.at + used, text.len - used};
    }
    line->at[line->len++] = '"'; // END_BYTES has room
}

static void put_name(struct line *line, const char *name)
{
    size_t before = line->len;
    if (!put(line, ",\"", 2) || !put(line, name, strlen(name)) || !put(line, "\":", 2))
        line->len = before;
}

static void put_field(struct line *line, const struct bf_log_field *field)
{
    size_t before = line->len;
    put_name(line, field->name);
    if (line->cut)
        return;
    if (field->text) {
        put_text(line, (struct bf_str){field->text, field->len});
    } else {
        char number[24];
        int len = snprintf(number, sizeof(number), "%lld", (long long)field->number);
        put(line, number, (size_t)len);
    }
    // Cut before the value began: a name without a value is not JSON.
    if (line->cut && line->at[line->len - 1] == ':')
        line->len = before;
}

static void write_all(const char *at, size_t len)
{
    while (len) {
        ssize_t done = write(STDERR_FILENO, at, len);
        if (done < 0 && errno != EINTR)
            return; // nobody is left who could be told
        if (done > 0) {
            at += done;
            len -= (size_t)done;
        }
    }
}

void bf_log_start(const char *service, enum bf_log_level least)
{
    logger.service = service;
    logger.least = least;
}

bool bf_log_level_parse(const char *text, enum bf_log_level *ret_level)
{
    for (size_t i = 0; i < BF_LEN(level_names); i++) {
        if (strcmp(text, level_names[i]) == 0) {
            *ret_level = (enum bf_log_level)i;
            return true;
        }
    }
    return false;
}

struct bf_log_field bf_log_text(const char *name, const char *text)
{
    return (struct bf_log_field){name, text ? text : "", text ? strlen(text) : 0, 0};
}

void bf_log(enum bf_log_level level, const char *event, const struct bf_log_field *fields)
{
    if (level < logger.least)
        return;
    struct line line;
    line.len = 0;
    line.cut = false;
    char time[BF_RFC3339_SIZE];
    bf_rfc3339(bf_unix_ms(), time);
    put(&line, "{\"time\":", 8);
    put_text(&line, bf_str(time));
    const struct bf_log_field head[] = {
        bf_log_text("level", level_names[level]),
        bf_log_text("service", logger.service),
        bf_log_text("event", event),
    };
    for (size_t i = 0; i < BF_LEN(head); i++)
        put_field(&line, &head[i]);
    for (const struct bf_log_field *field = fields; field->name && !line.cut; field++)
        put_field(&line, field);
    const char *end = line.cut ? ",\"cut\":true}\n" : "}\n";
    size_t end_len = strlen(end);
    memcpy(line.at + line.len, end, end_len);
    write_all(line.at, line.len + end_len);
}
