// One request after the other over one connection.
#include "client.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

struct client {
    CURL *curl;
    char *api; // without a slash at the end
    struct curl_slist *headers;
    char error[CURL_ERROR_SIZE];
};

void client_close(struct client *client)
{
    if (!client)
        return;
    curl_slist_free_all(client->headers);
    curl_easy_cleanup(client->curl);
    free(client->api);
    free(client);
}

static bool key_is_plain(const char *key)
{
    size_t len = strlen(key);

    for (size_t i = 0; i < len; i++)
        if (key[i] <= ' ' || key[i] > '~')
            return false;
    return len > 0 && len <= CLIENT_KEY_BYTES_MAX;
}

static const char *wrong_with(const struct client_options *options)
{
    if (!options->api || !options->api[0])
        return "where is the API? Set BELFRY_API or give --api, for example http://127.0.0.1:5080";
    if (strncmp(options->api, "http://", 7) != 0 && strncmp(options->api, "https://", 8) != 0)
        return "BELFRY_API (--api) must begin with http:// or https://";
    if (strpbrk(options->api, "?#@ "))
        return "BELFRY_API (--api) must be a plain base URL, without user, query and fragment";
    if (options->key && !key_is_plain(options->key))
        return "the API key must be printable ASCII without blanks";
    return NULL;
}

static void add_header(struct client *client, const char *header)
{
    struct curl_slist *more = curl_slist_append(client->headers, header);

    if (!more)
        abort();
    client->headers = more;
}

static void set_up(struct client *client, const struct client_options *options)
{
    if (options->key) {
        bf_autofree char *header = bf_xasprintf("Authorization: Bearer %s", options->key);
        add_header(client, header);
    }
    add_header(client, "Content-Type: application/json");
    add_header(client, "Accept: application/json, application/problem+json");
    add_header(client, "Expect:");
    curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, client->headers);
    curl_easy_setopt(client->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(client->curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(client->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CLIENT_CONNECT_MS);
    curl_easy_setopt(client->curl, CURLOPT_TIMEOUT_MS, (long)CLIENT_TIMEOUT_MS);
    curl_easy_setopt(client->curl, CURLOPT_ERRORBUFFER, client->error);
    curl_easy_setopt(client->curl, CURLOPT_USERAGENT, "belfryctl");
    curl_easy_setopt(client->curl, CURLOPT_NOSIGNAL, 1L);
    if (options->ca_file)
        curl_easy_setopt(client->curl, CURLOPT_CAINFO, options->ca_file);
}

enum bf_err client_open(const struct client_options *options, struct client **ret_client,
                        char fault[CLIENT_FAULT_SIZE])
{
    const char *wrong = wrong_with(options);

    if (wrong) {
        snprintf(fault, CLIENT_FAULT_SIZE, "%s", wrong);
        return BF_INVALID;
    }
    struct client *client = bf_xcalloc(1, sizeof(*client));
    size_t len = strlen(options->api);
    while (len > 0 && options->api[len - 1] == '/')
        len--;
    client->api = bf_xstrndup(options->api, len);
    client->curl = curl_easy_init();
    if (!client->curl)
        abort();
    set_up(client, options);
    *ret_client = client;
    return BF_OK;
}

static size_t receive(char *bytes, size_t size, size_t count, void *into)
{
    bf_buf_add(into, bytes, size * count);
    return bf_buf_ok(into) ? size * count : 0;
}

// What is not ours (a proxy's HTML page) is no answer.
static enum bf_err read_answer(struct client *client, const struct bf_buf *text,
                               struct client_answer *ret_answer, char fault[CLIENT_FAULT_SIZE])
{
    struct client_answer answer = {.status = 0};

    curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &answer.status);
    if (text->len > 0)
        answer.json = json_loadb(text->at, text->len, 0, NULL);
    if ((text->len > 0 && !json_is_object(answer.json)) || (answer.status >= 300 && !answer.json)) {
        json_decref(answer.json);
        snprintf(fault, CLIENT_FAULT_SIZE,
                 "%s answered %ld, but not as Belfry's API does; is BELFRY_API right?", client->api,
                 answer.status);
        return answer.status >= 500 ? BF_UNAVAILABLE : BF_PROTOCOL;
    }
    *ret_answer = answer;
    return BF_OK;
}

static enum bf_err explain(struct client *client, CURLcode code, char fault[CLIENT_FAULT_SIZE])
{
    if (code == CURLE_WRITE_ERROR) {
        snprintf(fault, CLIENT_FAULT_SIZE, "the answer has more than %u bytes", CLIENT_BYTES_MAX);
        return BF_TOO_LARGE;
    }
    snprintf(fault, CLIENT_FAULT_SIZE, "%s cannot be reached: %s", client->api,
             client->error[0] ? client->error : curl_easy_strerror(code));
    return code == CURLE_OPERATION_TIMEDOUT ? BF_TIMEOUT : BF_UNAVAILABLE;
}

enum bf_err client_ask(struct client *client, const char *method, const char *path, const json_t *body,
                       struct client_answer *ret_answer, char fault[CLIENT_FAULT_SIZE])
{
    bf_autofree char *url = bf_xasprintf("%s%s", client->api, path);
    bf_autofree char *sent = body ? json_dumps(body, JSON_COMPACT) : NULL;
    struct bf_buf text;

    bf_buf_init(&text, CLIENT_BYTES_MAX);
    client->error[0] = '\0';
    curl_easy_setopt(client->curl, CURLOPT_URL, url);
    // A method with a body is a POST to curl, and GET takes that back; only then the method's own name.
    if (sent) {
        curl_easy_setopt(client->curl, CURLOPT_POSTFIELDSIZE, (long)strlen(sent));
        curl_easy_setopt(client->curl, CURLOPT_POSTFIELDS, sent);
    } else {
        curl_easy_setopt(client->curl, CURLOPT_HTTPGET, 1L);
    }
    curl_easy_setopt(client->curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(client->curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(client->curl, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(client->curl, CURLOPT_WRITEDATA, &text);
    CURLcode code = curl_easy_perform(client->curl);
    enum bf_err err =
        code == CURLE_OK ? read_answer(client, &text, ret_answer, fault) : explain(client, code, fault);
    bf_buf_release(&text);
    return err;
}
