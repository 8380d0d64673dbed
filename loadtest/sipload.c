// sipload: a SIP load generator that leaves the cores to the server it measures. UDP to loopback only. Prints
// one JSON object; loadtest/README.md says what the fields mean.
#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include "sipload_calls.h"

enum option_kind { OPTION_INT, OPTION_TEXT, OPTION_FLAG };

struct load_option {
    const char *name;
    enum option_kind kind;
    size_t offset;
    int64_t min, max;
    const char *meaning;
};

struct arguments {
    struct load_plan plan;
    const char *target;
    const char *mode;
    bool help;
};

#define AT(field) offsetof(struct arguments, field)

static const struct load_option options[] = {
    {"target", OPTION_TEXT, AT(target), 0, 0, "address:port of the server; 127.0.0.0/8 only (required)"},
    {"mode", OPTION_TEXT, AT(mode), 0, 0,
     "options, register (challenged each time), reuse (nonce reused), calls"},
    {"outstanding", OPTION_INT, AT(plan.outstanding), 1, 32768, "transactions kept under way (64)"},
    {"rate", OPTION_INT, AT(plan.rate_per_second), 0, 1000000,
     "transactions a second at most; 0: no limit (0)"},
    {"seconds", OPTION_INT, AT(plan.seconds), 1, 600, "time after which nothing new is started (10)"},
    {"count", OPTION_INT, AT(plan.count), 0, 100000000,
     "transactions at most; 0: until the time is over (0)"},
    {"users", OPTION_INT, AT(plan.users), 1, 5000000, "users taken in turn (1000)"},
    {"first-user", OPTION_INT, AT(plan.first_user), 0, 100000000, "index of the first of them (0)"},
    {"users-per-domain", OPTION_INT, AT(plan.users_per_domain), 1, 100000,
     "user u belongs to domain u / this (10)"},
    {"first-number", OPTION_INT, AT(plan.first_number), 0, 100000000,
     "number of a domain's first user (100)"},
    {"domain-suffix", OPTION_TEXT, AT(plan.domain_suffix), 0, 64,
     "domains are t000000<suffix>, ... (.bench.test)"},
    {"password", OPTION_TEXT, AT(plan.password), 0, 64, "every user's password (bench)"},
    {"think-ms", OPTION_INT, AT(plan.think_ms), 0, 2000, "from a challenge to its answer (0)"},
    {"shuffle", OPTION_FLAG, AT(plan.shuffle), 0, 0, "users in a fixed mixed order"},
    {"expires", OPTION_INT, AT(plan.expires_s), 0, 86400, "Expires of a REGISTER, in seconds (600)"},
    {"expect", OPTION_INT, AT(plan.expect), 200, 699, "the final status that is a success (200)"},
    {"local-port", OPTION_INT, AT(plan.local_port), 0, 65535, "UDP port to send from; 0: any (0)"},
    {"timeout-ms", OPTION_INT, AT(plan.timeout_ms), 100, 60000,
     "an answer later than this is a timeout (4000)"},
    {"callee-port", OPTION_INT, AT(plan.callee_port), 1, 65535,
     "calls: UDP port that the users are registered with"},
    {"answer-ms", OPTION_INT, AT(plan.answer_ms), 0, 5000, "calls: from 180 to 200; 0: back to back (0)"},
    {"talk-ms", OPTION_INT, AT(plan.talk_ms), 0, 60000,
     "calls: from ACK to BYE at least, at most twice that; the rate counts from three times that on (0)"},
    {"busy", OPTION_INT, AT(plan.busy), 0, 32768,
     "calls: at most so many of those under way are set up or ended; 0: all (0)"},
    {"help", OPTION_FLAG, AT(help), 0, 0, "this list"},
};

static int usage(FILE *to, int code)
{
    fprintf(to, "sipload --target 127.0.0.1:5060 [options]; prints one JSON object\n");
    for (size_t i = 0; i < BF_LEN(options); i++)
        fprintf(to, "  --%-18s %s\n", options[i].name, options[i].meaning);
    return code;
}

static bool refuse(const char *option, const char *why)
{
    fprintf(stderr, "sipload: --%s %s\n", option, why);
    return false;
}

static bool set_option(const struct load_option *option, const char *value, struct arguments *arguments)
{
    char *field = (char *)arguments + option->offset;
    int64_t number;

    switch (option->kind) {
    case OPTION_FLAG:
        *(bool *)field = true;
        return true;
    case OPTION_TEXT:
        if (option->max > 0 && strlen(value) > (size_t)option->max)
            return refuse(option->name, "is too long");
        *(const char **)field = value;
        return true;
    case OPTION_INT:
        if (!bf_parse_int(bf_str(value), option->min, option->max, &number)) {
            fprintf(stderr, "sipload: --%s must be %ld..%ld\n", option->name, option->min, option->max);
            return false;
        }
        *(int64_t *)field = number;
        return true;
    }
    return false;
}

// Loopback alone: a load generator must not be able to flood anybody.
static bool set_target(const char *text, struct sockaddr_in *ret_target)
{
    char host[INET_ADDRSTRLEN];
    const char *colon = text ? strrchr(text, ':') : NULL;
    int64_t port;

    if (!colon || (size_t)(colon - text) >= sizeof(host) || !bf_parse_int(bf_str(colon + 1), 1, 65535, &port))
        return refuse("target", "must be address:port, for example 127.0.0.1:5060");
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = '\0';
    *ret_target = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET, host, &ret_target->sin_addr) != 1 ||
        ntohl(ret_target->sin_addr.s_addr) >> 24 != 127)
        return refuse("target", "must be in 127.0.0.0/8: sipload sends to loopback only");
    return true;
}

static bool set_mode(const char *text, enum load_mode *ret_mode)
{
    static const char *const names[] = {"options", "register", "reuse", "calls"};

    for (size_t i = 0; i < BF_LEN(names); i++) {
        if (strcmp(text, names[i]) == 0) {
            *ret_mode = (enum load_mode)i;
            return true;
        }
    }
    return refuse("mode", "must be options, register, reuse or calls");
}

static bool read_arguments(int argc, char **argv, struct arguments *arguments)
{
    struct option long_options[BF_LEN(options) + 1] = {0};
    int index, code;

    for (size_t i = 0; i < BF_LEN(options); i++)
        long_options[i] = (struct option){options[i].name, options[i].kind != OPTION_FLAG, NULL, 0};
    while ((code = getopt_long(argc, argv, "", long_options, &index)) != -1) {
        if (code != 0 || !set_option(&options[index], optarg, arguments))
            return false;
    }
    if (optind < argc) {
        fprintf(stderr, "sipload: %s is not an option; --help lists them\n", argv[optind]);
        return false;
    }
    return arguments->help || (set_target(arguments->target, &arguments->plan.target) &&
                               set_mode(arguments->mode, &arguments->plan.mode));
}

static void print_status(const struct load_result *result)
{
    const char *comma = "";

    printf(",\"status\":{");
    for (int status = 100; status < LOAD_STATUS_MAX; status++) {
        if (result->status[status] == 0)
            continue;
        printf("%s\"%d\":%lu", comma, status, result->status[status]);
        comma = ",";
    }
    printf("}");
}

static void print_result(const struct arguments *arguments, const struct load_result *result)
{
    double rate = result->seconds > 0 ? (double)result->in_time / result->seconds : 0;
    double client_us = result->completed ? result->client_cpu_seconds * 1e6 / (double)result->completed : 0;

    printf("{\"mode\":\"%s\",\"outstanding\":%ld,\"seconds\":%.3f,\"rate\":%.1f", arguments->mode,
           arguments->plan.outstanding, result->seconds, rate);
    printf(",\"started\":%lu,\"completed\":%lu,\"succeeded\":%lu,\"timeouts\":%lu", result->started,
           result->completed, result->succeeded, result->timeouts);
    printf(",\"requests\":%lu,\"retransmissions\":%lu,\"stale_answers\":%lu,\"not_ours\":%lu,\"send_errors\":"
           "%lu",
           result->requests_sent, result->retransmissions, result->stale_answers, result->not_ours,
           result->send_errors);
    print_status(result);
    printf(",\"client_cpu_us\":%.2f,\"challenge_us\":", client_us);
    hist_print_json(&result->challenge_us, stdout);
    printf(",\"final_us\":");
    hist_print_json(&result->final_us, stdout);
    printf(",\"whole_us\":");
    hist_print_json(&result->whole_us, stdout);
    printf(",\"ring_us\":");
    hist_print_json(&result->ring_us, stdout);
    printf(",\"overtaken\":%lu}\n", result->overtaken);
}

int main(int argc, char **argv)
{
    static struct load_result result;
    const char *problem;
    struct arguments arguments = {
        .mode = "options",
        .plan = {.outstanding = 64,
                 .seconds = 10,
                 .users = 1000,
                 .users_per_domain = 10,
                 .first_number = 100,
                 .domain_suffix = ".bench.test",
                 .password = "bench",
                 .expires_s = 600,
                 .expect = 200,
                 .timeout_ms = 4000},
    };

    if (!read_arguments(argc, argv, &arguments))
        return 2;
    if (arguments.help)
        return usage(stdout, 0);
    bool (*run)(const struct load_plan *, struct load_result *, const char **) =
        arguments.plan.mode == LOAD_CALLS ? load_calls : load_run;
    if (!run(&arguments.plan, &result, &problem)) {
        fprintf(stderr, "sipload: %s\n", problem);
        return 1;
    }
    print_result(&arguments, &result);
    return 0;
}
