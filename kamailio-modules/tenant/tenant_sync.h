// Keeping the master equal to the registry: epoch, sequence, snapshot, catch-up. No I/O: what comes is told
// to it, what it wants goes out by its hooks.
//
// Rules: a change with seq == ours + 1 is applied, an older one skipped, a later one means a hole. A hole, a
// head ahead of us, a silent feed or a new connection: ask Changes. Another epoch, Changes that are too old,
// or a resync: take a snapshot into a second master while the first keeps serving, then ask Changes from the
// snapshot's first seq. Of each kind of question one is open at a time; after a failure the next waits
// RETRY_MS. One thread.
#ifndef TENANT_SYNC_H
#define TENANT_SYNC_H

#include "tenant_master.h"
#include "tenant_wire.h"

#define TENANT_SYNC_RETRY_MS   500
#define TENANT_SYNC_FRESH_MS   200  // the same while the feed has not yet spoken on a new connection
#define TENANT_SYNC_SILENCE_MS 2500 // a feed without a heartbeat for so long is asked by Changes instead
#define TENANT_SYNC_PAGE       10000
#define TENANT_SYNC_CHANGES    5000
#define TENANT_SYNC_FAULTS_MAX 3 // answers in a row that make no sense: a snapshot gets past them

struct tenant_sync_hooks {
    // Questions; the answer comes back with the same serial.
    void (*ask_page)(void *ctx, uint32_t serial, struct bf_str after);
    void (*ask_changes)(void *ctx, uint32_t serial, uint64_t epoch, uint64_t after_seq);
    // What others must know. `number` of an extension that changed or is gone; else `now` is which one it is,
    // or nil.
    void (*extension)(void *ctx, struct bf_id tenant, struct bf_str number, bool gone, struct bf_id now);
    void (*tenant_gone)(void *ctx, struct bf_id tenant); // also one whose last domain went
    void (*app_keys)(void *ctx);                         // they are others than before
    void (*forget)(void *ctx); // anything may have been missed: no credential is safe any more
};

struct tenant_sync_figures {
    uint64_t epoch, seq, head_seq;
    uint64_t changes, gaps, snapshots, faults; // faults: messages that made no sense
    uint64_t heard_ms;                         // when the feed last spoke
    enum bf_err last_err;                      // of the last page or changes that were asked for
    bool synced;                               // a table is there, and nothing is known to be missing
};

struct tenant_sync;

struct tenant_sync *tenant_sync_new(const struct tenant_hash_key *key, const struct tenant_sync_hooks *hooks,
                                    void *ctx);
void tenant_sync_free(struct tenant_sync *sync);

void tenant_sync_feed(struct tenant_sync *sync, uint64_t now_ms, struct bf_str message);
void tenant_sync_page(struct tenant_sync *sync, uint64_t now_ms, uint32_t serial, enum bf_err err,
                      struct bf_str reply);
void tenant_sync_changes(struct tenant_sync *sync, uint64_t now_ms, uint32_t serial, enum bf_err err,
                         struct bf_str reply);
// Now and then (every 100 ms or so): retries, silence, a new connection.
void tenant_sync_tick(struct tenant_sync *sync, uint64_t now_ms, bool connected);
void tenant_sync_again(struct tenant_sync *sync, uint64_t now_ms); // a new snapshot, by order

// The master that serves; NULL before the first snapshot. dirty: changed since the last tenant_sync_clean().
struct tenant_master *tenant_sync_master(const struct tenant_sync *sync);
bool tenant_sync_dirty(const struct tenant_sync *sync);
void tenant_sync_clean(struct tenant_sync *sync);
struct tenant_sync_figures tenant_sync_figures(const struct tenant_sync *sync);

#endif
