// Addresses that requests may go to.
#include "target.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

// What is not the public Internet (IANA's special-purpose registries), and what hides an IPv4 address in an
// IPv6 one.
static const char not_public[] =
    "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 "
    "192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4 "
    "::/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 2001::/23 2001:db8::/32 2002::/16 3fff::/20 5f00::/16 "
    "fc00::/7 "
    "fe80::/10 fec0::/10 ff00::/8";

static bool network_parse(struct bf_str text, struct target_network *ret_network)
{
    char address[INET6_ADDRSTRLEN];
    const char *slash = memchr(text.at, '/', text.len);
    size_t len = slash ? (size_t)(slash - text.at) : text.len;
    struct target_network network = {.bits = 128};
    int64_t bits;

    if (len == 0 || len >= sizeof(address))
        return false;
    memcpy(address, text.at, len);
    address[len] = '\0';
    bool four = inet_pton(AF_INET, address, network.bytes + 12) == 1;
    if (four)
        memcpy(network.bytes, mapped, sizeof(mapped));
    else if (inet_pton(AF_INET6, address, network.bytes) != 1)
        return false;
    if (slash) {
        if (!bf_parse_int((struct bf_str){slash + 1, text.len - len - 1}, 0, four ? 32 : 128, &bits))
            return false;
        network.bits = (unsigned)bits + (four ? 96 : 0);
    }
    *ret_network = network;
    return true;
}

enum bf_err targets_parse(const char *text, struct targets *ret_targets)
{
    static const char between[] = " ,\t";
    struct targets targets = {.count = 0};

    for (text += strspn(text, between); *text; text += strspn(text, between)) {
        size_t len = strcspn(text, between);
        if (targets.count == TARGET_NETWORKS_MAX ||
            !network_parse((struct bf_str){text, len}, &targets.allowed[targets.count++]))
            return BF_INVALID;
        text += len;
    }
    *ret_targets = targets;
    return BF_OK;
}

static bool within(const struct targets *targets, const uint8_t address[16])
{
    for (size_t i = 0; i < targets->count; i++) {
        const struct target_network *network = &targets->allowed[i];
        unsigned whole = network->bits / 8, rest = network->bits % 8;
        if (memcmp(network->bytes, address, whole) == 0 &&
            (rest == 0 || (network->bytes[whole] ^ address[whole]) >> (8 - rest) == 0))
            return true;
    }
    return false;
}

bool targets_allow(const struct targets *targets, const struct sockaddr *address)
{
    struct targets special;
    uint8_t bytes[16];

    if (address->sa_family == AF_INET) {
        memcpy(bytes, mapped, sizeof(mapped));
        memcpy(bytes + 12, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
    } else if (address->sa_family == AF_INET6) {
        memcpy(bytes, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 16);
    } else {
        return false;
    }
    if (within(targets, bytes))
        return true;
    return targets_parse(not_public, &special) == BF_OK && !within(&special, bytes);
}
