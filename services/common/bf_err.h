// One table for everything that can go wrong: text, HTTP status, problem type, and the number that travels on
// the bus.
//
// Functions that can fail return enum bf_err (0 is ok) and are must-check. Numbers are part of the bus
// contract: never reuse or renumber one. Any thread.
#ifndef BF_ERR_H
#define BF_ERR_H

//  name          bus  http  problem type      for people
#define BF_ERR_MAP(X)                                                                       \
    X(OK, 0, 200, "ok", "ok")                                                               \
    X(INVALID, 1, 400, "invalid", "the request is not valid")                               \
    X(UNAUTHENTICATED, 2, 401, "unauthenticated", "a valid API key is needed")              \
    X(FORBIDDEN, 3, 403, "forbidden", "this key may not do that")                           \
    X(NOT_FOUND, 4, 404, "not-found", "there is no such thing")                             \
    X(METHOD, 5, 405, "method-not-allowed", "this method is not allowed here")              \
    X(CONFLICT, 6, 409, "conflict", "this is already taken")                                \
    X(TOO_LARGE, 7, 413, "too-large", "this is larger than allowed")                        \
    X(MEDIA_TYPE, 8, 415, "media-type", "the body must be application/json")                \
    X(LIMIT, 9, 429, "too-many-requests", "over the rate limit")                            \
    X(INTERNAL, 10, 500, "internal", "something went wrong on our side")                    \
    X(PROTOCOL, 11, 502, "protocol", "another part of the system answered nonsense")        \
    X(UNAVAILABLE, 12, 503, "unavailable", "a part that is needed is away; try again soon") \
    X(TIMEOUT, 13, 504, "timeout", "a part that is needed did not answer in time")

enum bf_err {
#define X(name, number, http, type, text) BF_##name = (number),
    BF_ERR_MAP(X)
#undef X
};

const char *bf_err_name(enum bf_err err); // "NOT_FOUND"
const char *bf_err_text(enum bf_err err); // for people
const char *bf_err_type(enum bf_err err); // the problem type's last part
int bf_err_http(enum bf_err err);
enum bf_err bf_err_from_bus(unsigned number); // what we do not know is PROTOCOL

#endif
