// Structured logs: one JSON object a line on stderr, `{"time","level","service","event",...fields}`.
//
// `event` is a stable dotted name ("http.request", "db.lost"). Fields are name/value pairs; build them with
// BF_S, BF_I, BF_ERR. Never a secret, never a SIP body above debug. Who stops an error logs it once; library
// code returns and does not log. A line is at most 8 KiB (then marked "cut":true) and one write(2). Any
// thread.
#ifndef BF_LOG_H
#define BF_LOG_H

#include "bf_base.h"
#include "bf_err.h"

enum bf_log_level {
    BF_LOG_DEBUG,
    BF_LOG_INFO,
    BF_LOG_WARN,
    BF_LOG_ERROR,
};

struct bf_log_field {
    const char *name;
    const char *text; // NULL: `number` counts
    size_t len;
    int64_t number;
};

#define BF_S(name, cstring) bf_log_text((name), (cstring))
#define BF_SN(name, str)    ((struct bf_log_field){(name), (str).at ? (str).at : "", (str).len, 0})
#define BF_I(name, value)   ((struct bf_log_field){(name), NULL, 0, (int64_t)(value)})
#define BF_E(err)           bf_log_text("error", bf_err_name(err))

#define bf_debug(event, ...) bf_log(BF_LOG_DEBUG, event, BF_LOG_FIELDS_(__VA_ARGS__))
#define bf_info(event, ...)  bf_log(BF_LOG_INFO, event, BF_LOG_FIELDS_(__VA_ARGS__))
#define bf_warn(event, ...)  bf_log(BF_LOG_WARN, event, BF_LOG_FIELDS_(__VA_ARGS__))
#define bf_error(event, ...) bf_log(BF_LOG_ERROR, event, BF_LOG_FIELDS_(__VA_ARGS__))

// The empty field behind the caller's own ends the list.
#define BF_LOG_FIELDS_(...) ((const struct bf_log_field[]){__VA_ARGS__ __VA_OPT__(, ){NULL, NULL, 0, 0}})

void bf_log_start(const char *service, enum bf_log_level least);
bool bf_log_level_parse(const char *text, enum bf_log_level *ret_level); // "debug", "info", "warn", "error"
struct bf_log_field bf_log_text(const char *name, const char *text);
void bf_log(enum bf_log_level level, const char *event, const struct bf_log_field *fields);

#endif
