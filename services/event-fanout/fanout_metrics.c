// The metrics of event-fanout.
#include "fanout_metrics.h"

#define COUNTER(id, name_, help_)   [id] = {.name = (name_), .kind = BF_COUNTER, .help = (help_)}
#define GAUGE(id, name_, help_)     [id] = {.name = (name_), .kind = BF_GAUGE, .help = (help_)}
#define HISTOGRAM(id, name_, help_) [id] = {.name = (name_), .kind = BF_HISTOGRAM, .help = (help_)}
#define LABELLED(id, name_, help_, labels_) \
    [id] = {.name = (name_), .kind = BF_COUNTER, .help = (help_), .labels = (labels_)}

struct bf_metric fanout_metrics[FANOUT_METRICS] = {
    COUNTER(FANOUT_EVENTS, "belfry_fanout_events_total", "Events stored, each once"),
    COUNTER(FANOUT_EVENTS_AGAIN, "belfry_fanout_events_again_total",
            "Events published that were known already"),
    COUNTER(FANOUT_EVENTS_REFUSED, "belfry_fanout_events_refused_total",
            "Published entries left out because they made no sense"),
    HISTOGRAM(FANOUT_STORE_SECONDS, "belfry_fanout_store_seconds",
              "Time until a published batch was durable"),
    LABELLED(FANOUT_ATTEMPTS_DONE, "belfry_fanout_attempts_total", "Webhook requests that ended",
             "result=\"delivered\""),
    LABELLED(FANOUT_ATTEMPTS_AGAIN, "belfry_fanout_attempts_total", "Webhook requests that ended",
             "result=\"again\""),
    LABELLED(FANOUT_ATTEMPTS_DEAD, "belfry_fanout_attempts_total", "Webhook requests that ended",
             "result=\"dead\""),
    HISTOGRAM(FANOUT_SENT_SECONDS, "belfry_fanout_answer_seconds",
              "Time from a webhook request's begin to its end"),
    GAUGE(FANOUT_IN_MEMORY, "belfry_fanout_deliveries_in_memory",
          "Deliveries being sent or next in their lane"),
    COUNTER(FANOUT_MEMORY_FULL, "belfry_fanout_deliveries_left_total",
            "Deliveries left to the table because memory was full"),
    GAUGE(FANOUT_REQUESTS_UNDER_WAY, "belfry_fanout_requests_under_way", "Requests to the outside under way"),
    COUNTER(FANOUT_TARGETS_REFUSED, "belfry_fanout_targets_refused_total",
            "Requests to addresses that they may not go to"),
    COUNTER(FANOUT_TAKEN_OVER, "belfry_fanout_taken_over_total", "Deliveries taken over from dead replicas"),
    GAUGE(FANOUT_PARTITIONS_UP, "belfry_fanout_partitions_up",
          "1 while the partitions of the coming days are there"),
    COUNTER(FANOUT_AUTH_FAILURES, "belfry_fanout_auth_failures_total",
            "API keys that were unknown or expired"),
    LABELLED(FANOUT_RATE_TENANT, "belfry_fanout_rate_refused_total", "Requests answered 429",
             "limit=\"tenant\""),
    LABELLED(FANOUT_RATE_SOURCE, "belfry_fanout_rate_refused_total", "Requests answered 429",
             "limit=\"source\""),
    LABELLED(FANOUT_PUSHES_EXPO_SENT, "belfry_fanout_pushes_total", "Pushes that ended or were tried",
             "provider=\"expo\",result=\"sent\""),
    LABELLED(FANOUT_PUSHES_EXPO_AGAIN, "belfry_fanout_pushes_total", "Pushes that ended or were tried",
             "provider=\"expo\",result=\"again\""),
    LABELLED(FANOUT_PUSHES_EXPO_DEAD, "belfry_fanout_pushes_total", "Pushes that ended or were tried",
             "provider=\"expo\",result=\"token-dead\""),
    LABELLED(FANOUT_PUSHES_EXPO_DROPPED, "belfry_fanout_pushes_total", "Pushes that ended or were tried",
             "provider=\"expo\",result=\"dropped\""),
    LABELLED(FANOUT_PUSHES_FCM_SENT, "belfry_fanout_pushes_total", "Pushes that ended or were tried",
             "provider=\"fcm\",result=\"sent\""),
    LABELLED(FANOUT_PUSHES_FCM_AGAIN, "belfry_fanout_pushes_total", "Pushes that ended or were tried",
             "provider=\"fcm\",result=\"again\""),
    LABELLED(FANOUT_PUSHES_FCM_DEAD, "belfry_fanout_pushes_total", "Pushes that ended or were tried",
             "provider=\"fcm\",result=\"token-dead\""),
    LABELLED(FANOUT_PUSHES_FCM_DROPPED, "belfry_fanout_pushes_total", "Pushes that ended or were tried",
             "provider=\"fcm\",result=\"dropped\""),
    LABELLED(FANOUT_PUSHES_APNS_SENT, "belfry_fanout_pushes_total", "Pushes that ended or were tried",
             "provider=\"apns\",result=\"sent\""),
    LABELLED(FANOUT_PUSHES_APNS_AGAIN, "belfry_fanout_pushes_total", "Pushes that ended or were tried",
             "provider=\"apns\",result=\"again\""),
    LABELLED(FANOUT_PUSHES_APNS_DEAD, "belfry_fanout_pushes_total", "Pushes that ended or were tried",
             "provider=\"apns\",result=\"token-dead\""),
    LABELLED(FANOUT_PUSHES_APNS_DROPPED, "belfry_fanout_pushes_total", "Pushes that ended or were tried",
             "provider=\"apns\",result=\"dropped\""),
    HISTOGRAM(FANOUT_PUSH_ANSWER_SECONDS, "belfry_fanout_push_answer_seconds",
              "Time from a request's begin to a push provider's answer"),
    GAUGE(FANOUT_PUSHES_IN_MEMORY, "belfry_fanout_pushes_in_memory", "Pushes that are sent or wait for it"),
    COUNTER(FANOUT_PUSH_MEMORY_FULL, "belfry_fanout_pushes_left_total",
            "Times that due pushes were left to the table because memory was full"),
    GAUGE(FANOUT_PUSH_CIRCUITS_OPEN, "belfry_fanout_push_circuits_open",
          "Credentials whose provider is left alone for a while"),
    COUNTER(FANOUT_PUSH_BEARERS_REFUSED, "belfry_fanout_push_access_tokens_refused_total",
            "Times that Google gave no access token"),
    COUNTER(FANOUT_PUSH_RECEIPTS_FAILED, "belfry_fanout_push_receipts_failed_total",
            "Times that Expo gave no receipts"),
    COUNTER(FANOUT_PUSHES_TAKEN_OVER, "belfry_fanout_pushes_taken_over_total",
            "Pushes taken over from dead replicas"),
};

void fanout_count(enum fanout_metric metric, int64_t by)
{
    bf_metric_add(&fanout_metrics[metric], by);
}
