// tenant_table_bench [domains]: what the tenant module's domain table costs, alone in one process. Prints one
// JSON object.
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "tenant_master.h"
#include "tenant_table.h"

#define LOOKUPS 4000000u

struct bench {
    uint32_t domains;
    char (*names)[40];
    uint32_t *order; // in which they are looked up: random, so that caches do not help more than in life
    struct tenant_master *master;
};

// CPU time: what other programs do meanwhile does not count.
static uint64_t cpu_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static struct bench bench_new(uint32_t domains)
{
    struct bench bench = {.domains = domains};
    unsigned seed = 1;

    bench.names = bf_xcalloc(domains, sizeof(*bench.names));
    bench.order = bf_xcalloc(LOOKUPS, sizeof(*bench.order));
    for (uint32_t i = 0; i < domains; i++)
        snprintf(bench.names[i], sizeof(bench.names[i]), "tenant-%06u.example.com", i);
    for (uint32_t i = 0; i < LOOKUPS; i++)
        bench.order[i] = (uint32_t)rand_r(&seed) % domains;
    return bench;
}

// As from a snapshot: one tenant a domain.
static double fill(struct bench *bench)
{
    const struct tenant_hash_key key = {1, 2};
    uint64_t start_us = cpu_us();

    bench->master = tenant_master_new(&key);
    for (uint32_t i = 0; i < bench->domains; i++) {
        struct tenant_record record = {.status = TENANT_ACTIVE,
                                       .slug = {bench->names[i], 13},
                                       .realm = bf_str(bench->names[i]),
                                       .limits = {.max_calls = i}};
        struct bf_id left;
        memcpy(record.id.bytes, &i, sizeof(i));
        record.id.bytes[15] = 1;
        if (tenant_master_put(bench->master, bf_str(bench->names[i]), &record, &left) != BF_OK)
            abort();
    }
    return (double)(cpu_us() - start_us) / 1000;
}

// Among the first `among` of the order's domains: all, or a few that stay in the processor's cache.
static double lookup_ns(const struct bench *bench, struct tenant_share *share, uint32_t among)
{
    uint64_t start_us = cpu_us();
    uint32_t wrong = 0;

    for (uint32_t i = 0; i < LOOKUPS; i++) {
        uint32_t number = bench->order[i % among];
        struct tenant_match match;
        if (tenant_share_find(share, 0, (struct bf_str){bench->names[number], 25}, &match) != TENANT_FOUND ||
            match.limits.max_calls != number)
            wrong++;
    }
    if (wrong > 0) {
        fprintf(stderr, "tenant_table_bench: %u look-ups went wrong\n", wrong);
        exit(1);
    }
    return (double)(cpu_us() - start_us) * 1000 / LOOKUPS;
}

static double miss_ns(struct tenant_share *share)
{
    uint64_t start_us = cpu_us();
    struct tenant_match match;
    uint32_t found = 0;

    for (uint32_t i = 0; i < LOOKUPS; i++)
        found += tenant_share_find(share, 0, BF_STR("nobody-has-this.example.com"), &match) == TENANT_FOUND;
    return found ? -1 : (double)(cpu_us() - start_us) * 1000 / LOOKUPS;
}

int main(int argc, char **argv)
{
    int64_t domains = 100000;
    struct bench bench;
    struct tenant_share *share;
    double fill_ms, build_ms, find_ns, hot_ns;
    uint64_t start_us;
    struct tenant_table_need plan;

    if (argc > 1 && !bf_parse_int(bf_str(argv[1]), 1, 1000000, &domains)) {
        fprintf(stderr, "usage: tenant_table_bench [domains, 1..1000000]\n");
        return 2;
    }
    bench = bench_new((uint32_t)domains);
    fill_ms = fill(&bench);
    share = aligned_alloc(64, (tenant_share_bytes(1) + 63) & ~(size_t)63);
    tenant_share_init(share, 1);
    start_us = cpu_us();
    plan = tenant_table_plan(bench.master);
    tenant_share_swap(share, tenant_table_build(bench.master, plan, bf_xcalloc(1, plan.bytes)));
    build_ms = (double)(cpu_us() - start_us) / 1000;
    find_ns = lookup_ns(&bench, share, LOOKUPS);
    hot_ns = lookup_ns(&bench, share, 64);
    printf("{\"domains\":%u,\"bytes_per_domain\":%.1f,\"bytes_per_domain_during_swap\":%.1f,"
           "\"lookup_ns\":%.1f,\"lookup_hot_ns\":%.1f,\"miss_ns\":%.1f,\"fill_ms\":%.1f,\"build_ms\":%.1f}\n",
           bench.domains, (double)plan.bytes / bench.domains, 2.0 * (double)plan.bytes / bench.domains,
           find_ns, hot_ns, miss_ns(share), fill_ms, build_ms);
    tenant_master_free(bench.master);
    free(tenant_share_swap(share, NULL));
    free(share);
    free(bench.names);
    free(bench.order);
    return 0;
}
