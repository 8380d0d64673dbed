// By libcurl's multi interface.
#include "process_probe.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "bf_clock.h"

#define BODY_MAX (16 << 10)

struct probe {
    CURL *easy;
    const char *metric;
    char body[BODY_MAX];
    size_t len;
};

// What is over the limit is not kept, and no fault either.
static size_t body_take(char *at, size_t size, size_t count, void *ctx)
{
    struct probe *probe = ctx;
    size_t room = BODY_MAX - probe->len;
    size_t take = count < room ? count : room;

    memcpy(probe->body + probe->len, at, take);
    probe->len += take;
    return size * count;
}

// A TCP or unix socket is only connected to; curl wants a URL of HTTP for that.
static void address_set(CURL *easy, const char *url)
{
    bool is_tcp = strncmp(url, "tcp://", 6) == 0;
    bool is_unix = strncmp(url, "unix://", 7) == 0;

    if (is_unix)
        curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, url + 7);
    if (is_tcp || is_unix)
        curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
    bf_autofree char *http = is_unix  ? bf_xstrdup("http://localhost/")
                             : is_tcp ? bf_xasprintf("http://%s/", url + 6)
                                      : bf_xstrdup(url);
    curl_easy_setopt(easy, CURLOPT_URL, http);
}

static bool probe_start(CURLM *multi, struct probe *probe, const char *url)
{
    probe->easy = curl_easy_init();
    if (!probe->easy)
        return false;
    address_set(probe->easy, url);
    curl_easy_setopt(probe->easy, CURLOPT_PRIVATE, probe);
    curl_easy_setopt(probe->easy, CURLOPT_WRITEFUNCTION, body_take);
    curl_easy_setopt(probe->easy, CURLOPT_WRITEDATA, probe);
    curl_easy_setopt(probe->easy, CURLOPT_TIMEOUT_MS, (long)PROCESS_PROBE_MS);
    curl_easy_setopt(probe->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(probe->easy, CURLOPT_PROXY, "");
    curl_easy_setopt(probe->easy, CURLOPT_USERAGENT, "belfry-call-control");
    return curl_multi_add_handle(multi, probe->easy) == CURLM_OK;
}

static void probe_end(struct probe *probe, CURLcode code, struct process_health *health)
{
    long status = 0;
    curl_off_t took_us = 0;

    curl_easy_getinfo(probe->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(probe->easy, CURLINFO_TOTAL_TIME_T, &took_us);
    if (code) {
        snprintf(health->detail, sizeof(health->detail), "%s", curl_easy_strerror(code));
        return;
    }
    health->answer_ms = took_us / 1000;
    struct bf_str body = {probe->body, probe->len};
    process_judge(status ? status : 200, body, health); // 0: connected without a request
    if (*probe->metric)
        health->calls = process_metric(body, probe->metric);
}

static void probes_take(CURLM *multi, struct probe *probes, struct process_health *health)
{
    int left;
    CURLMsg *message;

    while ((message = curl_multi_info_read(multi, &left))) {
        struct probe *probe;

        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&probe);
        probe_end(probe, message->data.result, &health[probe - probes]);
    }
}

static void probes_run(CURLM *multi, struct probe *probes, struct process_health *health)
{
    uint64_t until_ms = bf_mono_ms() + PROCESS_PROBE_MS + 100;
    int running = 1;

    while (running && bf_mono_ms() < until_ms) {
        if (curl_multi_perform(multi, &running))
            return;
        probes_take(multi, probes, health);
        if (running)
            curl_multi_poll(multi, NULL, 0, 100, NULL);
    }
}

enum bf_err process_probe(const struct process *list, size_t count, struct process_health *health)
{
    bf_autofree struct probe *probes = bf_xcalloc(count ? count : 1, sizeof(*probes));
    CURLM *multi = curl_multi_init();
    bool good = multi != NULL;

    for (size_t i = 0; i < count; i++)
        health[i] = (struct process_health){PROCESS_AWAY, "it did not answer in time", -1, -1};
    for (size_t i = 0; i < count; i++)
        probes[i].metric = list[i].metric;
    for (size_t i = 0; good && i < count; i++)
        good = probe_start(multi, &probes[i], list[i].url);
    if (good)
        probes_run(multi, probes, health);
    for (size_t i = 0; i < count; i++) {
        if (probes[i].easy)
            curl_multi_remove_handle(multi, probes[i].easy);
        curl_easy_cleanup(probes[i].easy);
    }
    curl_multi_cleanup(multi);
    return good ? BF_OK : BF_INTERNAL;
}
