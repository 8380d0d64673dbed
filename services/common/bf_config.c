// Settings from the environment into the program's struct, by its table.
#include "bf_config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bf_log.h"

#ifndef BELFRY_VERSION
#define BELFRY_VERSION "unknown"
#endif

#define FILE_LINE_MAX 4096

struct reading {
    const char *program;
    void *into;
    size_t errors;
};

static const char *const kind_names[] = {
    [BF_SETTING_TEXT] = "text", [BF_SETTING_SECRET] = "secret",     [BF_SETTING_INT] = "integer",
    [BF_SETTING_BOOL] = "bool", [BF_SETTING_LOGLEVEL] = "loglevel",
};

static const char *initial_text(const struct bf_setting *s)
{
    return s->initial ? s->initial : "(required)";
}

static void print_help(const char *program, const char *about, const struct bf_setting *table, size_t count)
{
    int width = 0;
    for (size_t i = 0; i < count; i++) {
        int len = (int)strlen(table[i].name) + (table[i].kind == BF_SETTING_SECRET ? 7 : 0);
        width = len > width ? len : width;
    }
    printf("%s: %s\n\nSettings come from the environment:\n\n", program, about);
    for (size_t i = 0; i < count; i++) {
        const struct bf_setting *s = &table[i];
        bf_autofree char *name = bf_xasprintf("%s%s", s->name, s->kind == BF_SETTING_SECRET ? "[_FILE]" : "");
        printf("  %-*s  %s\n  %*s  %s, default: %s", width, name, s->meaning, width, "", kind_names[s->kind],
               s->initial && !*s->initial ? "(empty)" : initial_text(s));
        if (s->kind == BF_SETTING_INT)
            printf(", %" PRId64 "..%" PRId64, s->min, s->max);
        printf("\n");
    }
    printf("\nOptions: --help, --version, --settings (this table as tab-separated values)\n");
}

static void print_tsv(const struct bf_setting *table, size_t count)
{
    for (size_t i = 0; i < count; i++)
        printf("%s\t%s\t%s\t%s\n", table[i].name, kind_names[table[i].kind], initial_text(&table[i]),
               table[i].meaning);
}

static void complain(struct reading *r, const struct bf_setting *s, const char *wrong)
{
    fprintf(stderr, "%s: %s %s (%s)\n", r->program, s->name, wrong, s->meaning);
    r->errors++;
}

// The first line of a file without its end. NULL with *ret_wrong set.
static char *first_line(const char *path, const char **ret_wrong)
{
    FILE *file = fopen(path, "re");
    if (!file) {
        *ret_wrong = strerror(errno);
        return NULL;
    }
    char line[FILE_LINE_MAX];
    char *got = fgets(line, sizeof(line), file);
    bool whole = got && (strchr(line, '\n') || feof(file));
    fclose(file);
    char *text = NULL;
    if (!got)
        *ret_wrong = "it is empty";
    else if (!whole)
        *ret_wrong = "its first line is longer than 4095 bytes";
    else
        text = bf_xstrndup(line, strcspn(line, "\r\n"));
    explicit_bzero(line, sizeof(line));
    return text;
}

static char *secret_of(struct reading *r, const struct bf_setting *s)
{
    bf_autofree char *file_name = bf_xasprintf("%s_FILE", s->name);
    const char *direct = getenv(s->name);
    const char *path = getenv(file_name);
    if (direct && path) {
        complain(r, s, "is set, and so is its _FILE form: set only one of them");
        return NULL;
    }
    if (!path)
        return direct ? bf_xstrdup(direct) : NULL;
    const char *wrong = NULL;
    char *text = first_line(path, &wrong);
    if (!text) {
        bf_autofree char *why = bf_xasprintf("cannot be read from %s=%s: %s", file_name, path, wrong);
        complain(r, s, why);
    }
    return text;
}

static const char *read_int(const struct bf_setting *s, const char *text, void *at, char *wrong, size_t room)
{
    if (bf_parse_int(bf_str(text), s->min, s->max, at))
        return NULL;
    snprintf(wrong, room, "must be a whole number from %" PRId64 " to %" PRId64, s->min, s->max);
    return wrong;
}

static const char *read_bool(const char *text, bool *at)
{
    bool on = strcmp(text, "on") == 0;
    if (!on && strcmp(text, "off") != 0)
        return "must be \"on\" or \"off\"";
    *at = on;
    return NULL;
}

static const char *read_level(const char *text, enum bf_log_level *at)
{
    return bf_log_level_parse(text, at) ? NULL : "must be \"debug\", \"info\", \"warn\" or \"error\"";
}

// Puts the value in its place. The text of a TEXT or SECRET is taken.
static void store(struct reading *r, const struct bf_setting *s, char **text)
{
    void *at = (char *)r->into + s->offset;
    char room[128];
    const char *wrong = NULL;
    switch (s->kind) {
    case BF_SETTING_TEXT:
    case BF_SETTING_SECRET:
        if (!bf_utf8_valid(bf_str(*text)))
            wrong = "is not valid UTF-8";
        else
            *(char **)at = BF_TAKE(*text);
        break;
    case BF_SETTING_INT:
        wrong = read_int(s, *text, at, room, sizeof(room));
        break;
    case BF_SETTING_BOOL:
        wrong = read_bool(*text, at);
        break;
    case BF_SETTING_LOGLEVEL:
        wrong = read_level(*text, at);
        break;
    }
    if (wrong)
        complain(r, s, wrong);
}

static void read_one(struct reading *r, const struct bf_setting *s)
{
    size_t errors = r->errors;
    bf_autofree char *text = NULL;
    if (s->kind == BF_SETTING_SECRET) {
        text = secret_of(r, s);
    } else {
        const char *set = getenv(s->name);
        text = set ? bf_xstrdup(set) : NULL;
    }
    if (r->errors != errors)
        return;
    if (text && !*text && !s->initial) {
        complain(r, s, "is empty: it must have a value");
        return;
    }
    if (!text && s->initial)
        text = bf_xstrdup(s->initial);
    if (!text)
        complain(r, s,
                 s->kind == BF_SETTING_SECRET ? "is missing: set it, or its _FILE form"
                                              : "is missing: set it");
    else
        store(r, s, &text);
}

static bool option_done(const char *program, const char *about, const struct bf_setting *table, size_t count,
                        const char *option)
{
    if (strcmp(option, "--help") == 0)
        print_help(program, about, table, count);
    else if (strcmp(option, "--version") == 0)
        printf("%s %s\n", program, BELFRY_VERSION);
    else if (strcmp(option, "--settings") == 0)
        print_tsv(table, count);
    else
        return false;
    fflush(stdout);
    return true;
}

// Fields start out empty, so that release works on what a failed read left.
static void clear(const struct bf_setting *table, size_t count, void *into)
{
    for (size_t i = 0; i < count; i++)
        if (table[i].kind == BF_SETTING_TEXT || table[i].kind == BF_SETTING_SECRET)
            *(char **)((char *)into + table[i].offset) = NULL;
}

enum bf_err bf_config_read(const char *program, const char *about, const struct bf_setting *table,
                           size_t count, int argc, char **argv, void *into, bool *ret_ended)
{
    clear(table, count, into);
    *ret_ended = true;
    if (argc > 1) {
        if (option_done(program, about, table, count, argv[1]))
            return BF_OK;
        fprintf(stderr, "%s: unknown option %s; settings come from the environment, see --help\n", program,
                argv[1]);
        return BF_INVALID;
    }
    struct reading r = {.program = program, .into = into};
    for (size_t i = 0; i < count; i++)
        read_one(&r, &table[i]);
    if (r.errors) {
        bf_config_release(table, count, into);
        return BF_INVALID;
    }
    *ret_ended = false;
    return BF_OK;
}

void bf_config_release(const struct bf_setting *table, size_t count, void *into)
{
    for (size_t i = 0; i < count; i++) {
        const struct bf_setting *s = &table[i];
        if (s->kind != BF_SETTING_TEXT && s->kind != BF_SETTING_SECRET)
            continue;
        char **at = (char **)((char *)into + s->offset);
        if (*at && s->kind == BF_SETTING_SECRET)
            explicit_bzero(*at, strlen(*at));
        free(BF_TAKE(*at));
    }
}
