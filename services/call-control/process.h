// The processes of this platform, and what they answer when they are asked how they are. Rules only, no I/O.
// Any thread.
#ifndef PROCESS_H
#define PROCESS_H

#include "bf_base.h"

#define PROCESSES_MAX       64
#define PROCESS_NAME_SIZE   64
#define PROCESS_URL_SIZE    256
#define PROCESS_DETAIL_SIZE 200
#define PROCESS_METRIC_SIZE 96

enum process_state {
    PROCESS_AWAY, // no connection, or no answer in time
    PROCESS_NOT_READY,
    PROCESS_READY,
};

struct process {
    char name[PROCESS_NAME_SIZE];
    // http: 2xx is ready. tcp://host:port and unix:///path: who takes the connection is ready.
    char url[PROCESS_URL_SIZE];
    char metric[PROCESS_METRIC_SIZE]; // of a media relay's answer: how many calls it carries; "": it is none
};

struct process_health {
    enum process_state state;
    char detail[PROCESS_DETAIL_SIZE]; // for people; "": nothing to say
    int64_t answer_ms;                // -1: there was none
    int64_t calls;                    // of a media relay; -1: not known
};

// Reads "name=url" or "name=url#metric" each, separated by spaces or lines. NULL: good; else what is wrong
// with it.
const char *process_list_read(const char *text, struct process list[PROCESSES_MAX], size_t *ret_count);

// An HTTP answer: `body` is what came of it, whole or not.
void process_judge(int64_t status, struct bf_str body, struct process_health *health);

// The value of a metric in Prometheus' text, its name and labels as they stand there; -1: it is not there.
int64_t process_metric(struct bf_str body, const char *metric);

const char *process_state_name(enum process_state state);

#endif
