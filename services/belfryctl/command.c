// The table of commands.
#include "command.h"

#include <string.h>

// ---- options

const struct option global_options[] = {
    {"api", OPTION_TEXT, false, "URL", NULL, NULL, "base URL of the REST API; else BELFRY_API"},
    {"key-file", OPTION_TEXT, false, "FILE", NULL, NULL,
     "file with the API key; else BELFRY_KEY_FILE, BELFRY_KEY or BELFRY_OPERATOR_KEY"},
    {"ca-file", OPTION_TEXT, false, "FILE", NULL, NULL,
     "certificates to trust, in PEM; else BELFRY_CA_FILE or the system's"},
    {"tenant", OPTION_TEXT, false, "TENANT", NULL, NULL,
     "the tenant that is meant, its id or slug; else BELFRY_TENANT, or the only one the key is for"},
    {"json", OPTION_BOOL, false, NULL, NULL, NULL, "the answer as JSON, for programs"},
    {"help", OPTION_BOOL, false, NULL, NULL, NULL, "what a command does and takes"},
};
const size_t global_option_count = BF_LEN(global_options);

const struct option list_options[] = {
    {"limit", OPTION_INT, false, "N", NULL, NULL, "at most so many; 1000 unless said otherwise"},
    {"after", OPTION_TEXT, false, "CURSOR", NULL, NULL, "go on behind an earlier answer's `next`"},
};
const size_t list_option_count = BF_LEN(list_options);

#define KINDS      "softphone browser app door"
#define STRATEGIES "all sequence"

// kind, name, what help calls its value, field, meaning
#define OPT(k, n, v, f, m)                  \
    {                                       \
        n, OPTION_##k, false, v, f, NULL, m \
    }
#define NEEDED(k, n, v, f, m)              \
    {                                      \
        n, OPTION_##k, true, v, f, NULL, m \
    }
#define CHOICE(need, n, v, f, w, m)      \
    {                                    \
        n, OPTION_TEXT, need, v, f, w, m \
    }

#define LIMIT_OPTIONS                                                                                    \
    OPT(INT, "max-calls", "N", "limits.max_calls", "calls at once; 0: no limit"),                        \
        OPT(INT, "max-registrations", "N", "limits.max_registrations",                                   \
            "devices registered at once; 0: no limit"),                                                  \
        OPT(INT, "calls-per-second", "N", "limits.calls_per_second", "new calls a second; 0: no limit"), \
        OPT(INT, "requests-per-minute", "N", "limits.requests_per_minute",                               \
            "REST requests; 0: the platform's default")

static const struct option tenant_create_options[] = {
    NEEDED(TEXT, "name", "NAME", "name", "for people"),
    NEEDED(TEXTS, "domain", "DOMAIN", "domains",
           "a SIP domain of it; several times for several, the first is its realm for ever"),
    LIMIT_OPTIONS,
};
static const struct option tenant_change_options[] = {
    OPT(TEXT, "name", "NAME", "name", "for people"),
    LIMIT_OPTIONS,
};

#define DISPLAY_NAME OPT(TEXT, "display-name", "NAME", "display_name", "what those who are called see")
#define KIND(need)   CHOICE(need, "kind", "KIND", "kind", KINDS, "what registers as it")
#define FORWARD(n, f, when) \
    OPT(TEXT_OR_NULL, "forward-" n, "NUMBER", "forward_" f, "who gets its calls " when "; '' clears it")
#define EXTENSION_OPTIONS                                                                               \
    DISPLAY_NAME, OPT(INT, "max-contacts", "N", "max_contacts", "devices registered at once, 1 to 20"), \
        {"do-not-disturb",         OPTION_BOOL, false, "on|off", "do_not_disturb", "on off",            \
         "its devices do not ring"},                                                                    \
        FORWARD("always", "always", "always"), FORWARD("busy", "busy", "when it is busy"),              \
        FORWARD("no-answer", "no_answer", "when nobody answers"),                                       \
        OPT(INT, "ring-seconds", "N", "ring_seconds", "how long it rings, 1 to 300")
#define PASSWORD                                   \
    OPT(FILE, "password-file", "FILE", "password", \
        "its first line is the password, - is standard input; without it one is made and shown once")

static const struct option login_options[] = {
    OPT(INT, "expires-in", "SECONDS", "expires_in_seconds",
        "how long the link is good; 300 unless said otherwise"),
};

static const struct option extension_create_options[] = {KIND(true), EXTENSION_OPTIONS, PASSWORD};
static const struct option extension_change_options[] = {KIND(false), EXTENSION_OPTIONS};
static const struct option extension_password_options[] = {PASSWORD};

#define MEMBER_HELP "an extension; several times for several, in the order in which they ring"
#define STRATEGY(need) \
    CHOICE(need, "strategy", "STRATEGY", "strategy", STRATEGIES, "all at once, or one after the other")
#define GROUP_OPTIONS \
    DISPLAY_NAME,     \
        OPT(INT, "ring-seconds", "N", "ring_seconds", "strategy all: in total; sequence: each member")

static const struct option group_create_options[] = {
    STRATEGY(true),
    NEEDED(TEXTS, "member", "NUMBER", "members", MEMBER_HELP),
    GROUP_OPTIONS,
};
static const struct option group_change_options[] = {
    STRATEGY(false),
    OPT(TEXTS, "member", "NUMBER", "members", MEMBER_HELP "; '' for nobody"),
    GROUP_OPTIONS,
};

static const struct option token_options[] = {
    OPT(INT, "seconds", "N", "expires_in_seconds", "its life, 1 to 3600; 3600 unless said otherwise"),
};
static const struct option number_options[] = {
    OPT(TEXT, "number", "NUMBER", "number", "only of this number"),
};
static const struct option cdr_options[] = {
    OPT(TEXT, "number", "NUMBER", "number", "only of this number: it called, was called or answered"),
    OPT(TEXT, "from", "TIME", "from", "that began then or later: 2026-11-20T00:00:00Z"),
    OPT(TEXT, "to", "TIME", "to", "that began before"),
};

#define WEBHOOK_EVENTS(need)                                                      \
    {                                                                             \
        "event", OPTION_TEXTS, need, "TYPE", "events", NULL,                      \
            "what it is told: call.ended, call.* or *; several times for several" \
    }
static const struct option webhook_create_options[] = {WEBHOOK_EVENTS(true)};
static const struct option webhook_change_options[] = {
    OPT(TEXT, "url", "URL", "url", "where it is told from now on"),
    WEBHOOK_EVENTS(false),
    CHOICE(false, "status", "STATUS", "status", "active paused",
           "active also ends a rest; paused: what happens meanwhile waits, a day at most"),
};
static const struct option webhook_secret_options[] = {
    OPT(INT, "overlap-seconds", "N", "overlap_seconds", "how long the old one signs too; a day when absent"),
};
static const struct option webhook_replay_options[] = {
    NEEDED(TEXT, "from", "TIME", "from", "that were made then or later: 2026-11-20T00:00:00Z"),
    OPT(TEXT, "to", "TIME", "to", "that were made before; now when absent"),
    CHOICE(false, "state", "STATE", "state", "dead delivered", "in this state; dead when absent"),
};
static const struct option delivery_options[] = {
    OPT(TEXT, "webhook", "WEBHOOK", "webhook", "only to this one"),
    OPT(TEXT, "event", "EVENT", "event", "only of this event"),
    CHOICE(false, "state", "STATE", "state", "pending delivered dead dropped", "only in this state"),
    OPT(TEXT, "type", "TYPE", "type", "only of this type: call.ended"),
};

// ---- columns

static const struct column tenant_columns[] = {
    {"SLUG", "slug", COLUMN_TEXT},
    {"STATUS", "status", COLUMN_TEXT},
    {"NAME", "name", COLUMN_TEXT},
    {"DOMAINS", "domains", COLUMN_LIST},
    {"MAX CALLS", "limits.max_calls", COLUMN_NUMBER},
    {"ID", "id", COLUMN_TEXT},
};
static const struct column extension_columns[] = {
    {"NUMBER", "number", COLUMN_TEXT},          {"KIND", "kind", COLUMN_TEXT},
    {"NAME", "display_name", COLUMN_TEXT},      {"DEVICES", "max_contacts", COLUMN_NUMBER},
    {"DND", "do_not_disturb", COLUMN_BOOL},     {"ALWAYS TO", "forward_always", COLUMN_TEXT},
    {"BUSY TO", "forward_busy", COLUMN_TEXT},   {"NO ANSWER TO", "forward_no_answer", COLUMN_TEXT},
    {"RINGS S", "ring_seconds", COLUMN_NUMBER},
};
static const struct column group_columns[] = {
    {"NUMBER", "number", COLUMN_TEXT},     {"NAME", "display_name", COLUMN_TEXT},
    {"STRATEGY", "strategy", COLUMN_TEXT}, {"RINGS S", "ring_seconds", COLUMN_NUMBER},
    {"MEMBERS", "members", COLUMN_LIST},
};
static const struct column registration_columns[] = {
    {"NUMBER", "number", COLUMN_TEXT},
    {"CONTACT", "contact", COLUMN_TEXT},
    {"TRANSPORT", "transport", COLUMN_TEXT},
    {"FROM", "received", COLUMN_TEXT},
    {"EDGE", "edge", COLUMN_TEXT},
    {"EXPIRES", "expires_at", COLUMN_TIME},
    {"USER AGENT", "user_agent", COLUMN_TEXT},
};
static const struct column call_columns[] = {
    {"CALL", "id", COLUMN_TEXT},       {"STATE", "state", COLUMN_TEXT},
    {"CALLER", "caller", COLUMN_TEXT}, {"CALLEE", "callee", COLUMN_TEXT},
    {"NUMBER", "number", COLUMN_TEXT}, {"STARTED", "started_at", COLUMN_TIME},
    {"TALK S", "talk_ms", COLUMN_MS},  {"EDGE", "edge", COLUMN_TEXT},
};
static const struct column cdr_columns[] = {
    {"CALL", "id", COLUMN_TEXT},
    {"STARTED", "started_at", COLUMN_TIME},
    {"CALLER", "caller", COLUMN_TEXT},
    {"CALLEE", "callee", COLUMN_TEXT},
    {"ANSWERED BY", "answered_by", COLUMN_TEXT},
    {"RESULT", "result", COLUMN_TEXT},
    {"CODE", "code", COLUMN_NUMBER},
    {"RING S", "ring_ms", COLUMN_MS},
    {"TALK S", "talk_ms", COLUMN_MS},
    {"HUNG UP BY", "hung_up_by", COLUMN_TEXT},
};
static const struct column webhook_columns[] = {
    {"WEBHOOK", "id", COLUMN_TEXT},          {"STATUS", "status", COLUMN_TEXT},
    {"FAILURES", "failures", COLUMN_NUMBER}, {"RESTS UNTIL", "resting_until", COLUMN_TIME},
    {"EVENTS", "events", COLUMN_LIST},       {"URL", "url", COLUMN_TEXT},
};
static const struct column delivery_columns[] = {
    {"DELIVERY", "id", COLUMN_TEXT},
    {"MADE", "created_at", COLUMN_TIME},
    {"TYPE", "type", COLUMN_TEXT},
    {"STATE", "state", COLUMN_TEXT},
    {"ATTEMPTS", "attempts", COLUMN_NUMBER},
    {"CODE", "code", COLUMN_NUMBER},
    {"NEXT", "next_attempt_at", COLUMN_TIME},
    {"ERROR", "error", COLUMN_TEXT},
    {"WEBHOOK", "webhook", COLUMN_TEXT},
};
static const struct column edge_columns[] = {
    {"EDGE", "id", COLUMN_TEXT},       {"ALIVE", "alive", COLUMN_BOOL},
    {"CALLS", "calls", COLUMN_NUMBER}, {"BINDINGS", "bindings", COLUMN_NUMBER},
    {"HEARD", "seen_at", COLUMN_TIME}, {"INTERNAL", "internal", COLUMN_TEXT},
    {"BUS", "bus", COLUMN_TEXT},
};

static const struct column process_columns[] = {
    {"PROCESS", "name", COLUMN_TEXT},  {"STATE", "state", COLUMN_TEXT},   {"MS", "answer_ms", COLUMN_NUMBER},
    {"CALLS", "calls", COLUMN_NUMBER}, {"DETAIL", "detail", COLUMN_TEXT},
};

// ---- commands

#define T "/v1/tenants/{tenant}"
#define NO_WORDS       \
    {                  \
        {              \
            NULL, NULL \
        }              \
    }
#define IN_PATH(n) \
    {              \
        n, NULL    \
    }
#define IN_BODY(n, f) \
    {                 \
        n, f          \
    }
#define OPTIONS(t) .options = (t), .option_count = BF_LEN(t)
#define TABLE(t)   .show = SHOW_TABLE, .columns = (t), .column_count = BF_LEN(t)
#define LIST(t)    .show = SHOW_LIST, .columns = (t), .column_count = BF_LEN(t)
#define OBJECT     .show = SHOW_OBJECT
#define DONE       .show = SHOW_DONE

const struct command commands[] = {
    {"tenant list", NO_WORDS, "tenants by slug", "GET", "/v1/tenants", LIST(tenant_columns)},
    {"tenant show", {IN_PATH("TENANT")}, "one tenant", "GET", "/v1/tenants/{TENANT}", OBJECT},
    {"tenant create",
     {IN_BODY("SLUG", "slug")},
     "make a tenant; its first API key is shown once",
     "POST",
     "/v1/tenants",
     OPTIONS(tenant_create_options),
     OBJECT},
    {"tenant change",
     {IN_PATH("TENANT")},
     "change its name or limits",
     "PATCH",
     "/v1/tenants/{TENANT}",
     OPTIONS(tenant_change_options),
     OBJECT},
    {"tenant suspend",
     {IN_PATH("TENANT")},
     "no calls and no registrations until it is resumed",
     "PATCH",
     "/v1/tenants/{TENANT}",
     .body = "{\"status\":\"suspended\"}",
     DONE},
    {"tenant resume",
     {IN_PATH("TENANT")},
     "end a suspension",
     "PATCH",
     "/v1/tenants/{TENANT}",
     .body = "{\"status\":\"active\"}",
     DONE},
    {"tenant delete",
     {IN_PATH("TENANT")},
     "delete a tenant with all it has; its audit trail stays",
     "DELETE",
     "/v1/tenants/{TENANT}",
     DONE},

    {"extension list", NO_WORDS, "the tenant's extensions", "GET", T "/extensions", LIST(extension_columns)},
    {"extension show", {IN_PATH("NUMBER")}, "one extension", "GET", T "/extensions/{NUMBER}", OBJECT},
    {"extension create",
     {IN_BODY("NUMBER", "number")},
     "make an extension; a made password is shown once",
     "POST",
     T "/extensions",
     OPTIONS(extension_create_options),
     OBJECT},
    {"extension change",
     {IN_PATH("NUMBER")},
     "change an extension, also where its calls go",
     "PATCH",
     T "/extensions/{NUMBER}",
     OPTIONS(extension_change_options),
     OBJECT},
    {"extension password",
     {IN_PATH("NUMBER")},
     "give it another password; the old one stops working at once",
     "POST",
     T "/extensions/{NUMBER}/password",
     OPTIONS(extension_password_options),
     OBJECT},
    {"extension delete",
     {IN_PATH("NUMBER")},
     "delete an extension; it leaves its groups",
     "DELETE",
     T "/extensions/{NUMBER}",
     DONE},

    {"group list", NO_WORDS, "the tenant's groups", "GET", T "/groups", LIST(group_columns)},
    {"group show", {IN_PATH("NUMBER")}, "one group", "GET", T "/groups/{NUMBER}", OBJECT},
    {"group create",
     {IN_BODY("NUMBER", "number")},
     "make a group of extensions",
     "POST",
     T "/groups",
     OPTIONS(group_create_options),
     OBJECT},
    {"group change",
     {IN_PATH("NUMBER")},
     "change a group; --member names all of them anew",
     "PATCH",
     T "/groups/{NUMBER}",
     OPTIONS(group_change_options),
     OBJECT},
    {"group delete",
     {IN_PATH("NUMBER")},
     "delete a group; its members stay",
     "DELETE",
     T "/groups/{NUMBER}",
     DONE},

    {"token create",
     {IN_BODY("NUMBER", "number")},
     "make a token for an extension's app; it is shown once",
     "POST",
     T "/tokens",
     OPTIONS(token_options),
     OBJECT},

    {"registrations", NO_WORDS, "devices that are registered now", "GET", T "/registrations",
     OPTIONS(number_options), LIST(registration_columns)},
    {"calls", NO_WORDS, "calls that run now", "GET", T "/calls", LIST(call_columns)},
    {"show", {IN_PATH("CALL")}, "a running call with its figures", "GET", T "/calls/{CALL}", OBJECT},
    {"hangup", {IN_PATH("CALL")}, "end a call, both ends and the media", "DELETE", T "/calls/{CALL}", DONE},
    {"transfer",
     {IN_PATH("CALL"), IN_BODY("TO", "to")},
     "give the other end of a call to a number (blind transfer)",
     "POST",
     T "/calls/{CALL}/transfer",
     DONE},
    {"call",
     {IN_BODY("FROM", "from"), IN_BODY("TO", "to")},
     "ring FROM, and when it answers call TO",
     "POST",
     T "/calls",
     OBJECT},
    {"why",
     {IN_PATH("CALL")},
     "why it rang, or did not: a call's story",
     "GET",
     T "/calls/{CALL}/timeline",
     .show = SHOW_TIMELINE},
    {"cdrs", NO_WORDS, "calls that have ended, newest first", "GET", T "/cdrs", OPTIONS(cdr_options),
     LIST(cdr_columns)},
    {"cdr",
     {IN_PATH("CALL")},
     "a call that has ended, with its media figures",
     "GET",
     T "/cdrs/{CALL}",
     OBJECT},

    {"webhook list", NO_WORDS, "URLs that are told of the tenant's calls", "GET", T "/webhooks",
     LIST(webhook_columns)},
    {"webhook show", {IN_PATH("WEBHOOK")}, "one webhook", "GET", T "/webhooks/{WEBHOOK}", OBJECT},
    {"webhook create",
     {IN_BODY("URL", "url")},
     "tell a URL of events; the secret that signs is shown once",
     "POST",
     T "/webhooks",
     OPTIONS(webhook_create_options),
     OBJECT},
    {"webhook change",
     {IN_PATH("WEBHOOK")},
     "another URL or other events; pause it, or make it active again",
     "PATCH",
     T "/webhooks/{WEBHOOK}",
     OPTIONS(webhook_change_options),
     OBJECT},
    {"webhook secret",
     {IN_PATH("WEBHOOK")},
     "give it another secret, which is shown once; the old one signs too for a while",
     "POST",
     T "/webhooks/{WEBHOOK}/secret",
     OPTIONS(webhook_secret_options),
     OBJECT},
    {"webhook test",
     {IN_PATH("WEBHOOK")},
     "send it a webhook.test event; `delivery show` says what came of it",
     "POST",
     T "/webhooks/{WEBHOOK}/test",
     OBJECT},
    {"webhook replay",
     {IN_PATH("WEBHOOK")},
     "send again what was made in a time: what is dead, or what was delivered",
     "POST",
     T "/webhooks/{WEBHOOK}/replay",
     OPTIONS(webhook_replay_options),
     OBJECT},
    {"webhook delete",
     {IN_PATH("WEBHOOK")},
     "tell it nothing more, also not what waits",
     "DELETE",
     T "/webhooks/{WEBHOOK}",
     DONE},
    {"deliveries", NO_WORDS, "what webhooks were told or are to be told, newest first", "GET",
     T "/deliveries", OPTIONS(delivery_options), LIST(delivery_columns)},
    {"delivery show",
     {IN_PATH("DELIVERY")},
     "one delivery with what came of each attempt",
     "GET",
     T "/deliveries/{DELIVERY}",
     OBJECT},
    {"delivery replay",
     {IN_PATH("DELIVERY")},
     "send an event again, under the same id",
     "POST",
     T "/deliveries/{DELIVERY}/replay",
     OBJECT},

    {"login", NO_WORDS,
     "a link that signs a browser in to the console, once: put `path` behind the API's URL", "POST",
     "/v1/logins", OPTIONS(login_options), OBJECT},
    {"processes", NO_WORDS, "every process of the platform, and whether it is ready", "GET", "/v1/processes",
     TABLE(process_columns)},
    {"edges", NO_WORDS, "the edges and whether they are alive", "GET", "/v1/edges", TABLE(edge_columns)},
    {"edge forget",
     {IN_PATH("EDGE")},
     "forget an edge that was stopped and does not come back: its calls are closed, its devices go",
     "DELETE",
     "/v1/edges/{EDGE}",
     DONE},
    {"drift", NO_WORDS,
     "where edges differ from the index of devices and calls, or from the registry; exit code 5 when they do",
     "GET", "/v1/edges", .show = SHOW_DRIFT},

    {"completion bash", NO_WORDS, "a script that completes belfryctl's words in bash", .show = SHOW_LOCAL},
    {"routes", NO_WORDS, "which request each command sends, as TSV", .show = SHOW_LOCAL},
    {"man", NO_WORDS, "this program's manual page, in roff", .show = SHOW_LOCAL},
};
const size_t command_count = BF_LEN(commands);

// ---- looking things up

static size_t words_of(const char *name)
{
    return strchr(name, ' ') ? 2 : 1;
}

static bool begins_with(const char *const *words, size_t count, const char *name)
{
    size_t first = strcspn(name, " ");

    if (count < words_of(name) || strlen(words[0]) != first || memcmp(words[0], name, first) != 0)
        return false;
    return name[first] == '\0' || strcmp(words[1], name + first + 1) == 0;
}

const struct command *command_find(const char *const *words, size_t count, size_t *ret_words)
{
    for (size_t i = 0; i < command_count; i++) {
        if (!begins_with(words, count, commands[i].name))
            continue;
        *ret_words = words_of(commands[i].name);
        return &commands[i];
    }
    return NULL;
}

bool command_is_group(const char *word)
{
    size_t len = strlen(word);

    for (size_t i = 0; i < command_count; i++)
        if (strncmp(commands[i].name, word, len) == 0 && commands[i].name[len] == ' ')
            return true;
    return false;
}

static const struct option *option_in(const struct option *options, size_t count, struct bf_str name)
{
    for (size_t i = 0; i < count; i++)
        if (bf_str_eq(name, bf_str(options[i].name)))
            return &options[i];
    return NULL;
}

const struct option *command_option(const struct command *command, struct bf_str name)
{
    const struct option *found = option_in(global_options, global_option_count, name);

    if (!found && command)
        found = option_in(command->options, command->option_count, name);
    if (!found && command && command->show == SHOW_LIST)
        found = option_in(list_options, list_option_count, name);
    return found;
}

size_t command_arg_count(const struct command *command)
{
    size_t count = 0;

    while (count < COMMAND_ARGS_MAX && command->args[count].name)
        count++;
    return count;
}
