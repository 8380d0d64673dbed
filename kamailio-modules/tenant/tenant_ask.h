// Questions for credentials in flight: one a (tenant, user), whoever else wants the same waits with it.
//
// An invalidation that passes while a question is open makes its answer worthless: it is asked again, until
// its deadline. No I/O: questions go out by a hook, answers come by tenant_asks_answer. One thread; the hooks
// must not call back in.
#ifndef TENANT_ASK_H
#define TENANT_ASK_H

#include "bf_err.h"
#include "tenant_cred.h"
#include "tenant_wire.h"

struct tenant_asks;

struct tenant_asks_hooks {
    // Sends the question; its answer comes within left_ms with this serial.
    void (*send)(void *ctx, uint32_t serial, struct bf_id tenant, struct bf_str user, uint64_t left_ms);
    // One waiting ticket is answered. BF_OK with a credential (known or a decoy), or why there is none.
    void (*answer)(void *ctx, void *ticket, enum bf_err err, const struct tenant_credential *credential);
    // Worth keeping, and nothing spoke against it. Comes before the tickets' answers.
    void (*keep)(void *ctx, struct bf_id tenant, struct bf_str user,
                 const struct tenant_credential *credential);
};

struct tenant_asks *tenant_asks_new(const struct tenant_hash_key *decoy_key, uint64_t timeout_ms,
                                    const struct tenant_asks_hooks *hooks, void *ctx);
void tenant_asks_free(struct tenant_asks *asks); // tickets that still wait are answered BF_UNAVAILABLE

// user: 1..TENANT_USER_MAX bytes. The ticket is answered once, later.
void tenant_asks_add(struct tenant_asks *asks, uint64_t now_ms, struct bf_id tenant, struct bf_str user,
                     void *ticket);
void tenant_asks_answer(struct tenant_asks *asks, uint64_t now_ms, uint32_t serial, enum bf_err err,
                        struct bf_str reply);
void tenant_asks_void(struct tenant_asks *asks, struct bf_id tenant, struct bf_str user);
void tenant_asks_void_all(struct tenant_asks *asks);
size_t tenant_asks_open(const struct tenant_asks *asks); // questions

#endif
