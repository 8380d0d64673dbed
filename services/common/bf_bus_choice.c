#include "bf_bus_choice.h"

void bf_bus_choice_init(struct bf_bus_choice *choice, size_t count)
{
    *choice = (struct bf_bus_choice){.count = count, .credit = BF_BUS_CREDIT_MAX};
}

static bool has(uint32_t set, size_t address)
{
    return set >> address & 1u;
}

int bf_bus_choice_next(struct bf_bus_choice *choice, uint32_t usable)
{
    int left_out = BF_BUS_NO_CHOICE;

    for (size_t i = 1; i <= choice->count; i++) {
        size_t address = (choice->turn + i) % choice->count;
        if (has(usable, address) && !choice->at[address].out) {
            choice->turn = address;
            return (int)address;
        }
        if (has(usable, address) && left_out == BF_BUS_NO_CHOICE)
            left_out = (int)address;
    }
    if (left_out != BF_BUS_NO_CHOICE)
        choice->turn = (size_t)left_out;
    return left_out;
}

int bf_bus_choice_probe(struct bf_bus_choice *choice, uint32_t usable, uint64_t now_ms)
{
    for (size_t i = 0; i < choice->count; i++)
        if (has(usable, i) && choice->at[i].out && now_ms >= choice->at[i].probe_ms) {
            choice->at[i].probe_ms = now_ms + BF_BUS_PROBE_MS;
            return (int)i;
        }
    return BF_BUS_NO_CHOICE;
}

bool bf_bus_choice_answered(struct bf_bus_choice *choice, int address, uint64_t now_ms)
{
    bool was_out = choice->at[address].out;

    choice->at[address].out = false;
    choice->at[address].answered_ms = now_ms;
    return was_out;
}

bool bf_bus_choice_overdue(struct bf_bus_choice *choice, int address, uint64_t sent_ms, uint64_t now_ms)
{
    if (choice->at[address].out || choice->at[address].answered_ms >= sent_ms)
        return false;
    choice->at[address].out = true;
    choice->at[address].probe_ms = now_ms + BF_BUS_PROBE_MS;
    return true;
}

void bf_bus_choice_earn(struct bf_bus_choice *choice)
{
    choice->credit += choice->credit < BF_BUS_CREDIT_MAX;
}

bool bf_bus_choice_spend(struct bf_bus_choice *choice)
{
    if (choice->credit < BF_BUS_CREDIT_COST)
        return false;
    choice->credit -= BF_BUS_CREDIT_COST;
    return true;
}
