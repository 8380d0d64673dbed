// REST: every process of the platform, for operators. Each is asked when somebody wants to know; nothing is
// kept.
#include <stdio.h>

#include "api.h"
#include "process_probe.h"

#define FILE_BYTES_MAX (32 << 10)

static json_t *figure_json(int64_t figure)
{
    return figure < 0 ? json_null() : json_integer((json_int_t)figure);
}

static json_t *process_json(const struct process *process, const struct process_health *health)
{
    return json_pack("{s:s, s:s, s:s, s:o, s:b, s:o}", "name", process->name, "state",
                     process_state_name(health->state), "detail", health->detail, "answer_ms",
                     figure_json(health->answer_ms), "relay", *process->metric != '\0', "calls",
                     figure_json(health->calls));
}

// The file is read each time: a process more or less restarts nobody.
static enum bf_err file_read(const char *path, char text[FILE_BYTES_MAX + 1])
{
    FILE *file = *path ? fopen(path, "re") : NULL;
    size_t len = file ? fread(text, 1, FILE_BYTES_MAX + 1, file) : 0;
    bool good = file && !ferror(file) && len <= FILE_BYTES_MAX;

    if (file)
        (void)fclose(file);
    text[good ? len : 0] = '\0';
    return good || !*path ? BF_OK : BF_INTERNAL;
}

static enum bf_err processes_read(struct api_work *work, struct process list[PROCESSES_MAX],
                                  size_t *ret_count)
{
    const char *path = work->control->settings.processes_file;
    bf_autofree char *text = bf_xcalloc(1, FILE_BYTES_MAX + 1);
    const char *wrong = file_read(path, text) ? "cannot be read, or is larger than 32 KiB"
                                              : process_list_read(text, list, ret_count);

    if (!wrong)
        return BF_OK;
    bf_error("processes.wrong", BF_S("file", path), BF_S("wrong", wrong));
    return bf_http_problem(work->call, BF_INTERNAL, NULL, "BELFRY_PROCESSES_FILE: %s", wrong);
}

static enum bf_err process_list(struct api_work *work)
{
    bf_autofree struct process *list = bf_xcalloc(PROCESSES_MAX, sizeof(*list));
    struct process_health health[PROCESSES_MAX];
    size_t count = 0;
    enum bf_err err = processes_read(work, list, &count);

    if (!err)
        err = process_probe(list, count, health);
    if (err)
        return err;
    json_t *items = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(items, process_json(&list[i], &health[i]));
    return api_list(work, items, "", false);
}

const struct api_route process_api_routes[] = {
    {"GET", "/v1/processes", process_list, .flags = BF_GATE_OPERATORS},
};
const size_t process_api_route_count = BF_LEN(process_api_routes);
