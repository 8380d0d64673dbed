// Is a media relay alive? Pings in rtpengine's ng protocol, and what follows from their answers.
//
// A round: each relay is pinged with a cookie of its own, answers are taken until the round is over, then
// each says what is to be done. No I/O. One thread.
#ifndef TENANT_RELAY_H
#define TENANT_RELAY_H

#include <sys/socket.h>
#include "bf_base.h"

#define TENANT_RELAYS_MAX      16
#define TENANT_RELAY_URL_MAX   63
#define TENANT_RELAY_MISSES    2 // in a row: it is dead
#define TENANT_RELAY_PING_SIZE 64

enum tenant_relay_turn {
    TENANT_RELAY_STAYS,
    TENANT_RELAY_DIES,
    TENANT_RELAY_COMES_BACK,
};

struct tenant_relay {
    char url[TENANT_RELAY_URL_MAX + 1]; // "udp:ip:port" as it was given
    struct sockaddr_storage address;
    socklen_t address_len;
    bool dead; // what was carried out, see tenant_relay_turned()
    bool answered;
    uint32_t misses;
    char cookie[20];
};

// "udp:127.0.0.1:2223 udp:[::1]:2223": addresses, no names. False: something in it is wrong, or too many.
bf_must_check bool tenant_relays_read(struct bf_str text, struct tenant_relay relays[TENANT_RELAYS_MAX],
                                      size_t *ret_count);

// Begins a round: what is to be sent. `random`: makes the cookie, so that no late or forged answer counts.
size_t tenant_relay_ping(struct tenant_relay *relay, uint64_t random, char message[TENANT_RELAY_PING_SIZE]);
void tenant_relay_heard(struct tenant_relay *relay, struct bf_str message); // from the relay's address
// Ends a round. What it says is said again in the next round until it was carried out.
enum tenant_relay_turn tenant_relay_round(struct tenant_relay *relay);
void tenant_relay_turned(struct tenant_relay *relay, enum tenant_relay_turn turn);

#endif
