// REST: every process of the platform, for operators. Each is asked when somebody wants to know; nothing is
// kept.
#include "api.h"
#include "process_probe.h"

static json_t *process_json(const struct process *process, const struct process_health *health)
{
    return json_pack("{s:s, s:s, s:s, s:o}", "name", process->name, "state",
                     process_state_name(health->state), "detail", health->detail, "answer_ms",
                     health->answer_ms < 0 ? json_null() : json_integer((json_int_t)health->answer_ms));
}

static enum bf_err process_list(struct api_work *work)
{
    const struct control *control = work->control;
    struct process_health health[PROCESSES_MAX];
    enum bf_err err = process_probe(control->processes, control->process_count, health);

    if (err)
        return err;
    json_t *items = json_array();
    for (size_t i = 0; i < control->process_count; i++)
        json_array_append_new(items, process_json(&control->processes[i], &health[i]));
    return api_list(work, items, "", false);
}

const struct api_route process_api_routes[] = {
    {"GET", "/v1/processes", process_list, .flags = BF_GATE_OPERATORS},
};
const size_t process_api_route_count = BF_LEN(process_api_routes);
