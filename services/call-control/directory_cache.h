// What numbers of tenants are, as the registry said; bounded, the least recently used go. Entries never
// change: a new one takes an old one's place, whoever holds the old one keeps it. Any thread.
#ifndef DIRECTORY_CACHE_H
#define DIRECTORY_CACHE_H

#include "bf_id.h"
#include "limit_store.h"

#define DIRECTORY_NUMBER_SIZE 33
#define DIRECTORY_NAME_SIZE   129
#define DIRECTORY_MEMBERS_MAX 100

enum directory_kind {
    DIRECTORY_UNKNOWN, // no such number, or no such tenant
    DIRECTORY_EXTENSION,
    DIRECTORY_GROUP_ALL,
    DIRECTORY_GROUP_SEQUENCE,
};

struct directory_entry {
    struct bf_id tenant;
    char number[DIRECTORY_NUMBER_SIZE];
    enum directory_kind kind;
    // Below this line an unknown one has nothing.
    struct bf_id id; // of an extension: another one when the number was deleted and made again
    bool suspended;  // the tenant
    struct limit_caps caps;
    char name[DIRECTORY_NAME_SIZE];
    uint32_t ring_seconds;
    bool do_not_disturb;
    char forward_always[DIRECTORY_NUMBER_SIZE]; // "": not set
    char forward_busy[DIRECTORY_NUMBER_SIZE];
    char forward_no_answer[DIRECTORY_NUMBER_SIZE];
    size_t member_count;
    char members[][DIRECTORY_NUMBER_SIZE];
};

// With room for so many members; one reference is the caller's. Fill it before it is shared.
struct directory_entry *directory_entry_new(size_t members);
const struct directory_entry *directory_entry_ref(const struct directory_entry *entry);
void directory_entry_unref(const struct directory_entry *entry); // NULL is fine

struct directory_cache;

struct directory_cache *directory_cache_new(size_t entries_max);
void directory_cache_free(struct directory_cache *cache); // NULL is fine

// NULL when it is not there. *ret_void: it was voided since it was put. The reference is the caller's.
const struct directory_entry *directory_cache_get(struct directory_cache *cache, struct bf_id tenant,
                                                  const char *number, bool *ret_void);

// To be read before the registry is asked: what it answers is put with it. When anything was voided in
// between, the answer may be older than that, and is kept as void.
uint64_t directory_cache_version(struct directory_cache *cache);
void directory_cache_put(struct directory_cache *cache, const struct directory_entry *entry,
                         uint64_t version);

void directory_cache_void_number(struct directory_cache *cache, struct bf_id tenant, const char *number);
void directory_cache_void_tenant(struct directory_cache *cache, struct bf_id tenant);
void directory_cache_void_all(struct directory_cache *cache);

size_t directory_cache_count(struct directory_cache *cache);
uint64_t directory_cache_evicted(struct directory_cache *cache);

#endif
