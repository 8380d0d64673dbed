// ng: a cookie, a blank, a bencoded dictionary.
#include "tenant_relay.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static const char SCHEME[] = "udp:";
static const char PING[] = "d7:command4:pinge";
static const char PONG[] = "6:result4:pong"; // somewhere in the dictionary

// ---- addresses

static bool address_read(const char *host, uint16_t port, struct tenant_relay *relay)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)&relay->address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&relay->address;

    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        relay->address_len = sizeof(*v4);
        return true;
    }
    if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        relay->address_len = sizeof(*v6);
        return true;
    }
    return false;
}

static const char *last_colon(struct bf_str text)
{
    const char *colon = memrchr(text.at, ':', text.len);

    return colon && colon > text.at ? colon : NULL;
}

static bool relay_read(struct bf_str text, struct tenant_relay *relay)
{
    const size_t scheme = sizeof(SCHEME) - 1;
    char host[INET6_ADDRSTRLEN] = "";
    struct bf_str rest;
    const char *colon;
    int64_t port;

    if (text.len > TENANT_RELAY_URL_MAX || text.len <= scheme || memcmp(text.at, SCHEME, scheme) != 0)
        return false;
    rest = (struct bf_str){text.at + scheme, text.len - scheme};
    colon = last_colon(rest);
    if (!colon ||
        !bf_parse_int((struct bf_str){colon + 1, (size_t)(rest.at + rest.len - colon) - 1}, 1, 65535, &port))
        return false;
    rest.len = (size_t)(colon - rest.at);
    if (rest.len > 2 && rest.at[0] == '[' && rest.at[rest.len - 1] == ']')
        rest = (struct bf_str){rest.at + 1, rest.len - 2};
    if (rest.len >= sizeof(host))
        return false;
    memset(relay, 0, sizeof(*relay));
    memcpy(relay->url, text.at, text.len);
    memcpy(host, rest.at, rest.len);
    return address_read(host, (uint16_t)port, relay);
}

bool tenant_relays_read(struct bf_str text, struct tenant_relay relays[TENANT_RELAYS_MAX], size_t *ret_count)
{
    size_t count = 0, at = 0, end;

    for (;;) {
        while (at < text.len && text.at[at] == ' ')
            at++;
        if (at == text.len)
            break;
        for (end = at; end < text.len && text.at[end] != ' ';)
            end++;
        if (count == TENANT_RELAYS_MAX ||
            !relay_read((struct bf_str){text.at + at, end - at}, &relays[count]))
            return false;
        count++;
        at = end;
    }
    *ret_count = count;
    return true;
}

// ---- rounds

size_t tenant_relay_ping(struct tenant_relay *relay, uint64_t random, char message[TENANT_RELAY_PING_SIZE])
{
    relay->answered = false;
    snprintf(relay->cookie, sizeof(relay->cookie), "%016" PRIx64, random);
    return (size_t)snprintf(message, TENANT_RELAY_PING_SIZE, "%s %s", relay->cookie, PING);
}

void tenant_relay_heard(struct tenant_relay *relay, struct bf_str message)
{
    size_t cookie = strlen(relay->cookie);

    if (cookie == 0 || message.len <= cookie + 1 || memcmp(message.at, relay->cookie, cookie) != 0 ||
        message.at[cookie] != ' ')
        return;
    if (memmem(message.at + cookie, message.len - cookie, PONG, sizeof(PONG) - 1))
        relay->answered = true;
}

enum tenant_relay_turn tenant_relay_round(struct tenant_relay *relay)
{
    relay->cookie[0] = '\0'; // what comes now is late
    relay->misses = relay->answered ? 0 : relay->misses + 1;
    if (relay->dead)
        return relay->answered ? TENANT_RELAY_COMES_BACK : TENANT_RELAY_STAYS;
    return relay->misses >= TENANT_RELAY_MISSES ? TENANT_RELAY_DIES : TENANT_RELAY_STAYS;
}

void tenant_relay_turned(struct tenant_relay *relay, enum tenant_relay_turn turn)
{
    if (turn != TENANT_RELAY_STAYS)
        relay->dead = turn == TENANT_RELAY_DIES;
}
