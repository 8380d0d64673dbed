// From an invocation to the REST request: path, query, body. Nothing is sent here. Any thread.
#ifndef REQUEST_H
#define REQUEST_H

#include <jansson.h>

#include "invocation.h"

#define REQUEST_PATH_BYTES_MAX 4096
#define REQUEST_FILE_BYTES_MAX 4096

struct request {
    const char *method;
    struct bf_buf path; // with the query, for what comes behind the base URL
    json_t *body;       // NULL: none
};

// Reads the first line of a file, - is standard input; for keys and passwords. *ret_line is the caller's.
bf_must_check enum bf_err request_first_line(const char *file, char **ret_line);

// `tenant` is what {tenant} stands for; NULL when the path has none. On BF_INVALID `fault` says what is wrong
// (a file that cannot be read). request_release() it.
bf_must_check enum bf_err request_make(const struct invocation *invocation, const char *tenant,
                                       struct request *ret_request, char fault[INVOCATION_FAULT_SIZE]);
void request_release(struct request *request);

// Appends ?name=value or &name=value.
void request_query(struct bf_buf *path, const char *name, const char *value);
bool request_needs_tenant(const struct command *command);

#endif
