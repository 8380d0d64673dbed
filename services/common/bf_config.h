// Settings come from the environment; one static table a program says them all: name, default, meaning, where
// it goes.
//
// A secret's NAME may be given as NAME_FILE instead: the file's first line counts. Everything wrong is
// reported at once, each with its name and the cure. `--help` prints the table, `--version` the version,
// `--settings` the table as TSV for the docs check (tests/docs-check). At start, one thread.
#ifndef BF_CONFIG_H
#define BF_CONFIG_H

#include "bf_base.h"
#include "bf_err.h"

enum bf_setting_kind {
    BF_SETTING_TEXT,     // char *
    BF_SETTING_SECRET,   // char *, also by NAME_FILE, never printed
    BF_SETTING_INT,      // int64_t, within min..max
    BF_SETTING_BOOL,     // bool: "on"/"off"
    BF_SETTING_LOGLEVEL, // enum bf_log_level
};

struct bf_setting {
    const char *name;
    enum bf_setting_kind kind;
    size_t offset;       // into the program's settings struct
    const char *initial; // text form of the default; NULL: required
    int64_t min, max;    // BF_SETTING_INT
    const char *meaning; // one sentence with the unit
};

// Fills *into. `ended` says that the program should exit now with the returned code: after --help, or with
// the errors printed to stderr. The texts in *into belong to the caller and live as long as the program.
bf_must_check enum bf_err bf_config_read(const char *program, const char *about,
                                         const struct bf_setting *table, size_t count, int argc, char **argv,
                                         void *into, bool *ret_ended);
void bf_config_release(const struct bf_setting *table, size_t count, void *into);

#endif
