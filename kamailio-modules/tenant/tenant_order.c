#include "tenant_order.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "bf_clock.h"

enum state {
    FREE,
    UNDER_WAY,
    FINISHED,  // who asked still has to take the results
    ABANDONED, // nobody waits any more
};

struct slot {
    struct tenant_order order; // the first member: an order's address is its slot's
    enum state state;
};

struct tenant_orders {
    pthread_mutex_t lock;
    pthread_cond_t finished;
    int pipe_fd;
    struct slot slots[TENANT_ORDERS];
};

size_t tenant_orders_bytes(void)
{
    return sizeof(struct tenant_orders);
}

struct tenant_orders *tenant_orders_init(void *memory, int pipe_fd)
{
    struct tenant_orders *orders = memory;
    pthread_mutexattr_t lock_attr;
    pthread_condattr_t attr;

    memset(orders, 0, sizeof(*orders));
    orders->pipe_fd = pipe_fd;
    pthread_mutexattr_init(&lock_attr);
    pthread_mutexattr_setpshared(&lock_attr, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&orders->lock, &lock_attr);
    pthread_mutexattr_destroy(&lock_attr);
    pthread_condattr_init(&attr);
    pthread_condattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&orders->finished, &attr);
    pthread_condattr_destroy(&attr);
    return orders;
}

// ---- who asks

static struct slot *slot_take(struct tenant_orders *orders, const struct tenant_order *order)
{
    struct slot *slot = NULL;

    pthread_mutex_lock(&orders->lock);
    for (size_t i = 0; i < TENANT_ORDERS && !slot; i++) {
        if (orders->slots[i].state == FREE)
            slot = &orders->slots[i];
    }
    if (slot) {
        slot->order = *order;
        slot->state = UNDER_WAY;
    }
    pthread_mutex_unlock(&orders->lock);
    return slot;
}

static void slot_free(struct tenant_orders *orders, struct slot *slot)
{
    pthread_mutex_lock(&orders->lock);
    slot->state = FREE;
    pthread_mutex_unlock(&orders->lock);
}

static bool slot_send(const struct tenant_orders *orders, const struct slot *slot)
{
    uint32_t number = (uint32_t)(slot - orders->slots);
    ssize_t written;

    do {
        written = write(orders->pipe_fd, &number, sizeof(number)); // atomic: smaller than PIPE_BUF
    } while (written < 0 && errno == EINTR);
    return written == (ssize_t)sizeof(number);
}

// False: it was not finished in time, and is the other side's now.
static bool slot_wait(struct tenant_orders *orders, struct slot *slot, uint64_t timeout_ms,
                      struct tenant_order *order)
{
    uint64_t until_ms = bf_mono_ms() + timeout_ms;
    struct timespec until = {(time_t)(until_ms / 1000), (long)(until_ms % 1000) * 1000000};
    bool finished;

    pthread_mutex_lock(&orders->lock);
    while (slot->state == UNDER_WAY) {
        if (pthread_cond_timedwait(&orders->finished, &orders->lock, &until) == ETIMEDOUT)
            break;
    }
    finished = slot->state == FINISHED;
    if (finished)
        *order = slot->order;
    slot->state = finished ? FREE : ABANDONED;
    pthread_mutex_unlock(&orders->lock);
    return finished;
}

enum bf_err tenant_orders_do(struct tenant_orders *orders, struct tenant_order *order, uint64_t timeout_ms)
{
    struct slot *slot = slot_take(orders, order);

    if (!slot)
        return BF_LIMIT;
    if (!slot_send(orders, slot)) {
        slot_free(orders, slot);
        return BF_LIMIT;
    }
    return slot_wait(orders, slot, timeout_ms, order) ? order->err : BF_TIMEOUT;
}

// ---- who carries out

struct tenant_order *tenant_orders_at(struct tenant_orders *orders, uint32_t number)
{
    return number < TENANT_ORDERS ? &orders->slots[number].order : NULL;
}

uint32_t tenant_order_number(const struct tenant_orders *orders, const struct tenant_order *order)
{
    return (uint32_t)((const struct slot *)order - orders->slots);
}

void tenant_order_finish(struct tenant_orders *orders, struct tenant_order *order, enum bf_err err,
                         const char *error)
{
    struct slot *slot = (struct slot *)order;
    size_t len = error ? strnlen(error, sizeof(order->error) - 1) : 0;

    pthread_mutex_lock(&orders->lock);
    order->err = err;
    if (len > 0)
        memcpy(order->error, error, len);
    order->error[len] = '\0';
    slot->state = slot->state == ABANDONED ? FREE : FINISHED;
    pthread_cond_broadcast(&orders->finished);
    pthread_mutex_unlock(&orders->lock);
}
