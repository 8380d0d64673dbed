// belfryctl: settings, the invocation, what is asked, what is shown.
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "bf_config.h"
#include "client.h"
#include "drift.h"
#include "help.h"
#include "timeline.h"

#define OUTPUT_BYTES_MAX (64u << 20)
#define LIST_LIMIT       1000
#define PAGE_LIMIT       200

struct settings {
    char *api, *key, *operator_key, *tenant, *ca_file;
};

#define AT(member) offsetof(struct settings, member)
static const struct bf_setting settings_table[] = {
    {"BELFRY_API", BF_SETTING_TEXT, AT(api), "", 0, 0, "base URL of the REST API"},
    {"BELFRY_KEY", BF_SETTING_SECRET, AT(key), "", 0, 0, "API key"},
    {"BELFRY_OPERATOR_KEY", BF_SETTING_SECRET, AT(operator_key), "", 0, 0,
     "an operator's API key, used when there is no other"},
    {"BELFRY_TENANT", BF_SETTING_TEXT, AT(tenant), "", 0, 0, "the tenant that is meant, its id or slug"},
    {"BELFRY_CA_FILE", BF_SETTING_TEXT, AT(ca_file), "", 0, 0, "certificates to trust, in PEM"},
};

struct program {
    struct settings settings;
    struct invocation invocation;
    struct client *client;
    char *key_read;       // of --key-file
    char *tenant_found;   // the only one that the key is for
    struct bf_buf output; // written at the end, whole or not at all
};

static int complain(int code, const char *text)
{
    struct bf_buf line;

    bf_buf_init(&line, 4096);
    bf_buf_str(&line, "belfryctl: ");
    table_write_safe(&line, bf_str(text));
    fprintf(stderr, "%s\n", line.at);
    bf_buf_release(&line);
    return code;
}

// ---- what the API says when it refuses

static int refused(const struct client_answer *answer)
{
    const char *detail = json_string_value(json_object_get(answer->json, "detail"));
    const char *field = json_string_value(json_object_get(answer->json, "field"));
    const char *id = json_string_value(json_object_get(answer->json, "request_id"));
    bf_autofree char *text = bf_xasprintf("%s%s%s (%ld%s%s)", field ? field : "", field ? ": " : "",
                                          detail ? detail : "the API refused", answer->status,
                                          id ? ", request " : "", id ? id : "");
    int code = answer->status == 404                            ? EXIT_NOT_FOUND
               : answer->status == 429 || answer->status >= 500 ? EXIT_UNAVAILABLE
                                                                : EXIT_REFUSED;

    return complain(code, text);
}

// Asks; EXIT_OK: *ret_answer has a good one, else what was wrong has been said.
static int ask(struct program *program, const char *method, const char *path, const json_t *body,
               struct client_answer *ret_answer)
{
    char fault[CLIENT_FAULT_SIZE];
    struct client_answer answer;

    if (client_ask(program->client, method, path, body, &answer, fault))
        return complain(EXIT_UNAVAILABLE, fault);
    if (answer.status >= 200 && answer.status < 300) {
        *ret_answer = answer;
        return EXIT_OK;
    }
    int code = refused(&answer);
    json_decref(answer.json);
    return code;
}

// ---- lists

static int append_page(struct program *program, const struct request *request, const char *after,
                       int64_t limit, json_t *items, char **ret_next)
{
    struct client_answer answer = {.status = 0};
    struct bf_buf path;
    char number[24];

    bf_buf_init(&path, REQUEST_PATH_BYTES_MAX + 2048);
    bf_buf_str(&path, request->path.at);
    snprintf(number, sizeof(number), "%d", (int)(limit < PAGE_LIMIT ? limit : PAGE_LIMIT));
    request_query(&path, "limit", number);
    if (after)
        request_query(&path, "after", after);
    int code = bf_buf_ok(&path) ? ask(program, request->method, path.at, NULL, &answer)
                                : complain(EXIT_USAGE, "the cursor is too long");
    bf_buf_release(&path);
    if (code)
        return code;
    json_array_extend(items, json_object_get(answer.json, "items"));
    const char *next = json_string_value(json_object_get(answer.json, "next"));
    *ret_next = next ? bf_xstrdup(next) : NULL;
    json_decref(answer.json);
    return EXIT_OK;
}

// All pages up to --limit. *ret_answer is {items, next}.
static int ask_list(struct program *program, const struct request *request, json_t **ret_answer)
{
    const char *wanted = invocation_value(&program->invocation, "limit");
    const char *given = invocation_value(&program->invocation, "after");
    bf_autofree char *after = given ? bf_xstrdup(given) : NULL;
    int64_t limit = LIST_LIMIT;
    json_t *items = json_array();
    int code = EXIT_OK;

    if (wanted && !bf_parse_int(bf_str(wanted), 1, 100000, &limit))
        code = complain(EXIT_USAGE, "--limit: must be a number from 1 to 100000");
    do {
        char *next = NULL;
        size_t had = json_array_size(items);

        if (!code)
            code = append_page(program, request, after, limit - (int64_t)had, items, &next);
        free(after);
        after = next;
        if (!code && after && json_array_size(items) == had)
            code =
                complain(EXIT_UNAVAILABLE, "a page of the list has nothing in it, and another one follows");
    } while (!code && after && (int64_t)json_array_size(items) < limit);
    if (code) {
        json_decref(items);
        return code;
    }
    *ret_answer = json_pack("{s:o, s:s?}", "items", items, "next", after);
    return EXIT_OK;
}

static void note_more(const json_t *answer)
{
    const char *next = json_string_value(json_object_get(answer, "next"));

    if (next)
        fprintf(stderr, "belfryctl: there are more; --limit for more at once, or go on with --after %s\n",
                next);
}

// ---- showing

static void show_json(struct program *program, const json_t *answer)
{
    bf_autofree char *text = json_dumps(answer, JSON_INDENT(2));

    bf_buf_fmt(&program->output, "%s\n", text);
}

static void show(struct program *program, const json_t *answer)
{
    const struct command *command = program->invocation.command;
    const json_t *items = json_object_get(answer, "items");

    if (program->invocation.json && answer)
        show_json(program, answer);
    else if (program->invocation.json)
        bf_buf_str(&program->output, "{}\n");
    else if (command->show == SHOW_LIST || command->show == SHOW_TABLE)
        table_write(&program->output, command->columns, command->column_count, items);
    else if (command->show == SHOW_TIMELINE)
        timeline_write(&program->output, items);
    else if (command->show == SHOW_DRIFT)
        drift_write(&program->output, items);
    else if (command->show == SHOW_OBJECT && answer)
        table_write_object(&program->output, answer);
    if (items)
        note_more(answer);
}

static int judge(struct program *program, json_t *answer)
{
    bool any = false;

    if (drift_judge(json_object_get(answer, "items"), &any))
        return complain(EXIT_UNAVAILABLE, "the API does not say what is needed to tell drift");
    show(program, answer);
    return any ? EXIT_DRIFT : EXIT_OK;
}

// ---- running a command

static int find_tenant(struct program *program, const char **ret_tenant)
{
    const char *given = invocation_value(&program->invocation, "tenant");
    struct client_answer answer = {.status = 0};

    *ret_tenant = given ? given : program->settings.tenant;
    if ((*ret_tenant)[0])
        return EXIT_OK;
    int code = ask(program, "GET", "/v1/tenants?limit=2", NULL, &answer);
    if (code)
        return code;
    const json_t *items = json_object_get(answer.json, "items");
    const char *id = json_string_value(json_object_get(json_array_get(items, 0), "id"));
    if (json_array_size(items) == 1 && id)
        program->tenant_found = bf_xstrdup(id);
    json_decref(answer.json);
    *ret_tenant = program->tenant_found;
    return *ret_tenant
               ? EXIT_OK
               : complain(EXIT_USAGE, "which tenant? Give --tenant (an id or a slug) or set BELFRY_TENANT");
}

static bool is_list(enum show kind)
{
    return kind == SHOW_LIST || kind == SHOW_TIMELINE;
}

static int run_request(struct program *program, const struct request *request)
{
    enum show kind = program->invocation.command->show;
    struct client_answer answer = {.status = 0};
    int code = is_list(kind) ? ask_list(program, request, &answer.json)
                             : ask(program, request->method, request->path.at, request->body, &answer);

    if (code)
        return code;
    if (kind == SHOW_DRIFT)
        code = judge(program, answer.json);
    else
        show(program, answer.json);
    json_decref(answer.json);
    return code;
}

static int run_remote(struct program *program)
{
    const struct command *command = program->invocation.command;
    const char *tenant = NULL;
    struct request request;
    char fault[INVOCATION_FAULT_SIZE];
    int code = request_needs_tenant(command) ? find_tenant(program, &tenant) : EXIT_OK;

    if (code)
        return code;
    if (request_make(&program->invocation, tenant, &request, fault))
        return complain(EXIT_USAGE, fault);
    code = run_request(program, &request);
    request_release(&request);
    return code;
}

static int open_client(struct program *program)
{
    const struct settings *settings = &program->settings;
    const char *api = invocation_value(&program->invocation, "api");
    const char *key_file = invocation_value(&program->invocation, "key-file");
    const char *ca_file = invocation_value(&program->invocation, "ca-file");
    const char *key = settings->key[0] ? settings->key : settings->operator_key;
    char fault[CLIENT_FAULT_SIZE];

    if (key_file && request_first_line(key_file, &program->key_read))
        return complain(EXIT_USAGE, "--key-file: cannot be read, or its first line is no key");
    key = key_file ? program->key_read : key;
    if (!key[0])
        return complain(EXIT_USAGE,
                        "an API key is needed: set BELFRY_KEY or BELFRY_KEY_FILE, or give --key-file");
    ca_file = ca_file ? ca_file : settings->ca_file;
    struct client_options options = {api ? api : settings->api, key, ca_file[0] ? ca_file : NULL};
    return client_open(&options, &program->client, fault) ? complain(EXIT_USAGE, fault) : EXIT_OK;
}

static int run_local(struct program *program)
{
    const char *name = program->invocation.command->name;

    if (strcmp(name, "man") == 0)
        help_man(&program->output);
    else if (strcmp(name, "routes") == 0)
        help_routes(&program->output);
    else
        help_bash_completion(&program->output);
    return EXIT_OK;
}

static int run(struct program *program)
{
    const struct invocation *invocation = &program->invocation;

    if (invocation->help && invocation->command)
        help_command(&program->output, invocation->command);
    else if (invocation->help)
        help_overview(&program->output, invocation->topic);
    if (invocation->help)
        return EXIT_OK;
    if (invocation->command->show == SHOW_LOCAL)
        return run_local(program);
    int code = open_client(program);
    return code ? code : run_remote(program);
}

// Nothing counts as done when what was to be said could not be written.
static int print(const struct program *program, int code)
{
    if (!bf_buf_ok(&program->output))
        return complain(EXIT_UNAVAILABLE, "the answer is longer than can be shown; use --limit");
    if (program->output.len > 0 && fwrite(program->output.at, program->output.len, 1, stdout) != 1)
        return complain(EXIT_REFUSED, "standard output cannot be written to");
    return fflush(stdout) == 0 ? code : complain(EXIT_REFUSED, "standard output cannot be written to");
}

int main(int argc, char **argv)
{
    struct program program = {.client = NULL};
    char fault[INVOCATION_FAULT_SIZE];
    bool about_itself =
        argc == 2 && (strcmp(argv[1], "--settings") == 0 || strcmp(argv[1], "--version") == 0);
    bool ended = false;
    int code;

    if (bf_config_read("belfryctl", "Belfry's command line.", settings_table, BF_LEN(settings_table),
                       about_itself ? argc : 1, argv, &program.settings, &ended))
        return EXIT_USAGE;
    if (ended)
        return EXIT_OK;
    bf_buf_init(&program.output, OUTPUT_BYTES_MAX);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return complain(EXIT_UNAVAILABLE, "libcurl cannot be used");
    if (invocation_parse(argc, (const char *const *)argv, &program.invocation, fault))
        code = complain(EXIT_USAGE, fault);
    else
        code = print(&program, run(&program));
    client_close(program.client);
    curl_global_cleanup();
    bf_buf_release(&program.output);
    free(program.key_read);
    free(program.tenant_found);
    bf_config_release(settings_table, BF_LEN(settings_table), &program.settings);
    return code;
}
