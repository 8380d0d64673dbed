// The REST API by libcurl: one request, one answer. One thread.
//
// Certificates are always checked, redirects are never followed (the key would go with them), answers are at
// most CLIENT_BYTES_MAX.
#ifndef CLIENT_H
#define CLIENT_H

#include "bf_err.h"
#include "request.h"

#define CLIENT_BYTES_MAX     (16u << 20)
#define CLIENT_CONNECT_MS    5000
#define CLIENT_TIMEOUT_MS    60000
#define CLIENT_FAULT_SIZE    512
#define CLIENT_KEY_BYTES_MAX 256

struct client_options {
    const char *api;     // base URL
    const char *key;     // NULL: none
    const char *ca_file; // NULL: the system's
};

struct client;

struct client_answer {
    long status;
    json_t *json; // NULL: there was no body
};

// BF_INVALID with `fault` filled: the URL or the key cannot be one.
bf_must_check enum bf_err client_open(const struct client_options *options, struct client **ret_client,
                                      char fault[CLIENT_FAULT_SIZE]);
void client_close(struct client *client); // NULL is fine

// BF_OK: there is an answer, whatever its status; json_decref() it. BF_UNAVAILABLE, BF_TIMEOUT, BF_TOO_LARGE,
// BF_PROTOCOL with `fault` filled.
bf_must_check enum bf_err client_ask(struct client *client, const char *method, const char *path,
                                     const json_t *body, struct client_answer *ret_answer,
                                     char fault[CLIENT_FAULT_SIZE]);

#endif
