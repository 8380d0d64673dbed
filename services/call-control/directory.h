// What a number of a tenant is: asked from the registry, cached, voided by its change feed.
//
// A change voids what it speaks of; a hole in the sequence, another epoch, or a feed that was silent for
// longer than DIRECTORY_SILENCE_MS voids everything. What is void is asked anew; while the registry does not
// answer it still serves as it is, and the registry is asked again once in DIRECTORY_RETRY_MS. Any thread.
#ifndef DIRECTORY_H
#define DIRECTORY_H

#include "control.h"
#include "directory_cache.h"

#define DIRECTORY_SILENCE_MS 3500 // three heartbeats
#define DIRECTORY_RETRY_MS   1000
#define DIRECTORY_ASK_MS     300 // a plan has 500
#define DIRECTORY_AGAIN_MS   200 // when there is an old answer to fall back on

bf_must_check enum bf_err directory_start(struct control *control, struct directory **ret_directory);
void directory_stop(struct directory *directory); // NULL is fine

// An unknown number is an entry too, of kind DIRECTORY_UNKNOWN. BF_UNAVAILABLE: the registry is away and
// nothing is cached. `number` is any text. The reference is the caller's.
bf_must_check enum bf_err directory_look(struct directory *directory, struct bf_id tenant, const char *number,
                                         const struct directory_entry **ret_entry);

// The same of what is cached and not void; NULL: the registry would have to be asked.
const struct directory_entry *directory_known(struct directory *directory, struct bf_id tenant,
                                              const char *number);

// The newest change that was heard of. False: the feed is silent.
struct directory_head {
    uint64_t epoch, seq;
};
bool directory_head(struct directory *directory, struct directory_head *ret_head);

struct directory_name {
    struct bf_id tenant;
    const char *number;
    struct bf_id extension; // that the number must still be; nil: whichever
};
#define DIRECTORY_UNKNOWN_MS 1000

// Which of at most 10000 are no extension (any more), by one question and past the cache. An error: the
// registry is away, and nothing is said.
bf_must_check enum bf_err directory_unknown(struct directory *directory, const struct directory_name *names,
                                            size_t count, bool *ret_unknown);

#endif
