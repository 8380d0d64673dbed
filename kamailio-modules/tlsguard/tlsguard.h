// What a process of Kamailio must not inherit from the one that forked it, once tls.so of Kamailio below 5.8
// is loaded. That module has OpenSSL allocate from shared memory; OpenSSL 3 keeps objects for each thread
// (error queue, random generators, what to clean up), which every child then shares with its parent and its
// siblings, without a lock.
//
// No Kamailio header. Any thread; each function concerns the calling one alone.
#ifndef TLSGUARD_H
#define TLSGUARD_H

#include "bf_base.h"

// Kamailio's version, as "5.6.3". One that cannot be read needs the guard: it does no harm.
bool tlsguard_needed(struct bf_str version);

// Forgets all thread-specific values of the calling thread that `is_shared` says are in shared memory,
// without freeing them: they are still the parent's. Their owners then make new ones. Returns how many there
// were.
size_t tlsguard_forget(bool (*is_shared)(const void *address));

#endif
