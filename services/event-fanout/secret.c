// Secrets, opened and remembered.
#include "secret.h"

#include <pthread.h>
#include <string.h>

#define PLACES 4096 // one that comes to a place that is taken takes it

static struct {
    pthread_mutex_t lock;
    struct place {
        struct bf_id webhook;
        char *sealed, *secret;
    } places[PLACES];
} opened = {.lock = PTHREAD_MUTEX_INITIALIZER};

static char *open_now(const struct bf_vault *seal, struct bf_id webhook, const char *sealed)
{
    size_t len = (strlen(sealed) - 2) / 2;
    uint8_t bytes[SECRET_BYTES_MAX];
    char *secret = NULL;

    if (len > sizeof(bytes) || !bf_unhex(bf_str(sealed + 2), bytes, len))
        return NULL;
    return bf_vault_open(seal, webhook, bytes, len, &secret) == BF_OK ? secret : NULL;
}

// Ends of ids and of what is sealed are random.
static struct place *place_of(struct bf_id webhook, const char *sealed)
{
    uint32_t id, tail;

    memcpy(&id, webhook.bytes + 12, sizeof(id));
    memcpy(&tail, sealed + strlen(sealed) - sizeof(tail), sizeof(tail));
    return &opened.places[(id ^ tail) % PLACES];
}

static void remember(struct place *place, struct bf_id webhook, const char *sealed, const char *secret)
{
    free(place->sealed);
    bf_vault_forget(place->secret);
    *place = (struct place){webhook, bf_xstrdup(sealed), bf_xstrdup(secret)};
}

char *secret_open(const struct bf_vault *seal, struct bf_id webhook, const char *sealed)
{
    char *secret = NULL;

    if (strncmp(sealed, "\\x", 2) != 0 || strlen(sealed) < 2 + sizeof(uint32_t))
        return NULL;
    pthread_mutex_lock(&opened.lock);
    struct place *place = place_of(webhook, sealed);
    if (place->secret && bf_id_eq(place->webhook, webhook) && strcmp(place->sealed, sealed) == 0)
        secret = bf_xstrdup(place->secret);
    pthread_mutex_unlock(&opened.lock);
    if (secret || !(secret = open_now(seal, webhook, sealed)))
        return secret;
    pthread_mutex_lock(&opened.lock);
    remember(place, webhook, sealed, secret);
    pthread_mutex_unlock(&opened.lock);
    return secret;
}
