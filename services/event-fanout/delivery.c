// What an answer means, and when a delivery is tried again.
#include "delivery.h"

#include "bf_vault.h"

void delivery_free(struct delivery *delivery)
{
    if (!delivery)
        return;
    free(delivery->url);
    bf_vault_forget(delivery->secret);
    bf_vault_forget(delivery->secret_before);
    free(delivery->body);
    free(delivery);
}

enum delivery_verdict delivery_judge(const struct delivery *delivery, const struct delivery_outcome *outcome,
                                     uint64_t now_ms)
{
    if (outcome->code >= 200 && outcome->code <= 299 && !*outcome->error)
        return DELIVERY_DONE;
    if (outcome->code == 410)
        return DELIVERY_GONE;
    return now_ms >= delivery->give_up_ms ? DELIVERY_DEAD : DELIVERY_AGAIN;
}

uint64_t delivery_wait_ms(int64_t attempts, uint32_t random)
{
    uint64_t wait_ms = DELIVERY_BACKOFF_MS;

    for (int64_t i = 1; i < attempts && wait_ms < DELIVERY_BACKOFF_MAX_MS; i++)
        wait_ms *= 2;
    if (wait_ms > DELIVERY_BACKOFF_MAX_MS)
        wait_ms = DELIVERY_BACKOFF_MAX_MS;
    return wait_ms * 3 / 4 + (wait_ms / 2) * random / UINT32_MAX;
}
