// Which processes there are, and what their answers mean.
#include "process.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define BLANKS " \t\r\n"

static const char *const schemes[] = {"http://", "https://", "tcp://", "unix:///"};

static bool scheme_known(const char *url)
{
    for (size_t i = 0; i < BF_LEN(schemes); i++)
        if (strncmp(url, schemes[i], strlen(schemes[i])) == 0)
            return true;
    return false;
}

// One "name=url" of len bytes.
static const char *process_read(const char *at, size_t len, struct process *process)
{
    const char *equals = memchr(at, '=', len);
    size_t name_len = equals ? (size_t)(equals - at) : 0;
    size_t url_len = equals ? len - name_len - 1 : 0;

    if (name_len == 0 || name_len >= PROCESS_NAME_SIZE || url_len == 0 || url_len >= PROCESS_URL_SIZE)
        return "each process is name=url";
    memcpy(process->name, at, name_len);
    process->name[name_len] = '\0';
    memcpy(process->url, equals + 1, url_len);
    process->url[url_len] = '\0';
    char *metric = strchr(process->url, '#');
    if (metric && (!metric[1] || strlen(metric + 1) >= PROCESS_METRIC_SIZE))
        return "behind the # is the name of a metric, of 95 bytes at most";
    snprintf(process->metric, sizeof(process->metric), "%s", metric ? metric + 1 : "");
    if (metric)
        *metric = '\0';
    return scheme_known(process->url) ? NULL : "URLs are http://, https://, tcp://host:port or unix:///path";
}

const char *process_list_read(const char *text, struct process list[PROCESSES_MAX], size_t *ret_count)
{
    size_t count = 0;

    for (const char *at = text + strspn(text, BLANKS); *at; at += strspn(at, BLANKS)) {
        size_t len = strcspn(at, BLANKS);
        if (count == PROCESSES_MAX)
            return "these are more than 64 processes";
        const char *wrong = process_read(at, len, &list[count]);
        if (wrong)
            return wrong;
        count++;
        at += len;
    }
    *ret_count = count;
    return NULL;
}

// {"ready":false,"missing":["postgresql","redis"]} of our services, see bf_service.h.
static bool missing_of(struct bf_str body, char detail[PROCESS_DETAIL_SIZE])
{
    json_t *json = json_loadb(body.at, body.len, 0, NULL);
    json_t *missing = json_object_get(json, "missing");
    char text[PROCESS_DETAIL_SIZE] = "";
    size_t used = 0;

    for (size_t i = 0; i < json_array_size(missing); i++) {
        const char *name = json_string_value(json_array_get(missing, i));
        int len = name ? snprintf(text + used, sizeof(text) - used, "%s%s", used ? ", " : "", name) : 0;
        used += (size_t)len;
        if (used >= sizeof(text))
            break;
    }
    json_decref(json);
    bf_text_clean(text, detail, PROCESS_DETAIL_SIZE);
    return *detail != '\0';
}

void process_judge(int64_t status, struct bf_str body, struct process_health *health)
{
    bool ready = status >= 200 && status <= 299;

    health->state = ready ? PROCESS_READY : PROCESS_NOT_READY;
    health->detail[0] = '\0';
    if (!ready && !missing_of(body, health->detail))
        snprintf(health->detail, sizeof(health->detail), "HTTP %d", (int)status);
}

int64_t process_metric(struct bf_str body, const char *metric)
{
    size_t name_len = strlen(metric);

    for (size_t at = 0; at < body.len;) {
        const char *line = body.at + at;
        const char *end = memchr(line, '\n', body.len - at);
        size_t len = end ? (size_t)(end - line) : body.len - at;
        int64_t value;

        if (end && len > name_len && line[name_len] == ' ' && memcmp(line, metric, name_len) == 0 &&
            bf_parse_int((struct bf_str){line + name_len + 1, len - name_len - 1}, 0, INT64_MAX, &value))
            return value;
        at += len + 1;
    }
    return -1;
}

const char *process_state_name(enum process_state state)
{
    static const char *const names[] = {
        [PROCESS_AWAY] = "away",
        [PROCESS_NOT_READY] = "not-ready",
        [PROCESS_READY] = "ready",
    };

    return names[state];
}
