// The edges as this process knows them.
#include "edges.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "bf_clock.h"
#include "bf_ticker.h"
#include "control.h"

#define LOOK_MS       500
#define FORGET_MS     3600000 // a connection to an edge that was not seen for so long is given up
#define FIRST_DIAL_MS 200     // what a call waits for a connection that was just begun

struct known {
    struct edge edge;
    uint64_t read_ms; // monotonic: when its age was told
    struct bf_bus_client *client;
    char dialled[EDGE_URL_SIZE];
    unsigned calls; // under way
    bool replaced;  // out of the table; the last call frees it
};

struct edges {
    struct control *control;
    pthread_mutex_t lock;
    struct bf_ticker *ticker;
    struct known **list;
    size_t count;
};

enum { ALIVE, DEAD, LOOK_FAILURES, CALLS, CALL_FAILURES, LEFT_OUT };

static struct bf_metric metrics[] = {
    [ALIVE] = {.name = "belfry_edges",
               .kind = BF_GAUGE,
               .help = "Edges by heartbeat",
               .labels = "state=\"alive\""},
    [DEAD] = {.name = "belfry_edges",
              .kind = BF_GAUGE,
              .help = "Edges by heartbeat",
              .labels = "state=\"dead\""},
    [LOOK_FAILURES] = {.name = "belfry_edges_look_failures_total",
                       .help = "Times the table of edges could not be read from Redis"},
    [CALLS] = {.name = "belfry_edges_calls_total", .help = "Commands sent to edges"},
    [CALL_FAILURES] = {.name = "belfry_edges_call_failures_total", .help = "Commands to edges that failed"},
    [LEFT_OUT] = {.name = "belfry_edges_left_out_total", .help = "Times an edge found no room in the table"},
};

// ---- one edge; under the lock

static void known_free(struct known *known)
{
    if (known->client)
        bf_bus_hang_up(known->client);
    free(known);
}

static struct known *find(struct edges *edges, const char *id)
{
    for (size_t i = 0; i < edges->count; i++)
        if (strcmp(edges->list[i]->edge.id, id) == 0)
            return edges->list[i];
    return NULL;
}

// Takes it out of the table. Returns it when nobody uses it: to be freed without the lock.
static struct known *take_out(struct edges *edges, struct known *known)
{
    size_t at = 0;

    while (edges->list[at] != known)
        at++;
    edges->list[at] = edges->list[--edges->count];
    known->replaced = true;
    return known->calls == 0 ? known : NULL;
}

static struct known *add(struct edges *edges, const struct edge *edge)
{
    if (edges->count == EDGES_MAX) {
        bf_metric_add(&metrics[LEFT_OUT], 1);
        return NULL;
    }
    struct known *known = bf_xcalloc(1, sizeof(*known));
    memcpy(known->edge.id, edge->id, sizeof(known->edge.id));
    edges->list[edges->count++] = known;
    return known;
}

static void dial(struct known *known)
{
    memcpy(known->dialled, known->edge.bus, sizeof(known->dialled));
    if (known->edge.bus[0] && bf_bus_dial(known->edge.bus, &known->client))
        bf_warn("edge.bus", BF_S("edge", known->edge.id), BF_S("address", known->edge.bus));
}

// What became free by it, to be freed without the lock.
static struct known *update(struct edges *edges, const struct edge *edge)
{
    struct known *known = find(edges, edge->id), *gone = NULL;

    if (known && strcmp(known->dialled, edge->bus) != 0) { // its endpoint is another one now
        gone = take_out(edges, known);
        known = NULL;
    }
    bool fresh = !known;
    if (fresh)
        known = add(edges, edge);
    if (!known)
        return gone;
    known->edge = *edge;
    known->read_ms = bf_mono_ms();
    if (fresh)
        dial(known);
    return gone;
}

// Its age now: what was read, and the time since.
static struct edge edge_now(const struct known *known)
{
    struct edge edge = known->edge;

    edge.age_ms += bf_mono_ms() - known->read_ms;
    edge.alive = edge.age_ms < EDGE_ALIVE_MS;
    return edge;
}

// ---- looking

void edges_saw(struct edges *edges, const struct edge *edge)
{
    struct edge seen = *edge;

    seen.seen_ms = bf_unix_ms();
    seen.age_ms = 0;
    seen.alive = true;
    pthread_mutex_lock(&edges->lock);
    struct known *gone = update(edges, &seen);
    pthread_mutex_unlock(&edges->lock);
    if (gone)
        known_free(gone);
}

// Not seen for long, or forgotten by an operator: silent and no longer in Redis' list.
static bool is_over(const struct known *known, const struct edge *list, size_t count)
{
    struct edge edge = edge_now(known);

    return edge.age_ms > FORGET_MS || (!edge.alive && !edge_in_list(list, count, edge.id));
}

static struct known *forget_one(struct edges *edges, const struct edge *list, size_t count)
{
    struct known *gone = NULL;

    pthread_mutex_lock(&edges->lock);
    for (size_t i = 0; !gone && i < edges->count; i++)
        if (is_over(edges->list[i], list, count))
            gone = take_out(edges, edges->list[i]);
    pthread_mutex_unlock(&edges->lock);
    return gone;
}

static void look(struct edges *edges)
{
    bf_autofree struct edge *list = NULL;
    size_t count = 0;

    if (edge_store_list(edges->control, &list, &count)) {
        bf_metric_add(&metrics[LOOK_FAILURES], 1);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct known *gone = NULL;
        if (list[i].age_ms > FORGET_MS)
            continue;
        pthread_mutex_lock(&edges->lock);
        gone = update(edges, &list[i]);
        pthread_mutex_unlock(&edges->lock);
        if (gone)
            known_free(gone);
    }
    for (struct known *gone; (gone = forget_one(edges, list, count));)
        known_free(gone);
}

static int64_t look_turn(void *ctx, struct bf_ticker *ticker)
{
    look(ctx);
    return LOOK_MS;
}

// ---- for everybody

bool edges_find(struct edges *edges, const char *id, struct edge *ret_edge)
{
    pthread_mutex_lock(&edges->lock);
    struct known *known = find(edges, id);
    if (known)
        *ret_edge = edge_now(known);
    pthread_mutex_unlock(&edges->lock);
    return known;
}

size_t edges_list(struct edges *edges, struct edge **ret_list)
{
    pthread_mutex_lock(&edges->lock);
    size_t count = edges->count;
    struct edge *list = bf_xcalloc(count + 1, sizeof(*list));
    for (size_t i = 0; i < count; i++)
        list[i] = edge_now(edges->list[i]);
    pthread_mutex_unlock(&edges->lock);
    *ret_list = list;
    return count;
}

static struct known *borrow(struct edges *edges, const char *id)
{
    pthread_mutex_lock(&edges->lock);
    struct known *known = find(edges, id);
    if (known && (!known->client || !edge_now(known).alive))
        known = NULL;
    if (known)
        known->calls++;
    pthread_mutex_unlock(&edges->lock);
    return known;
}

static void give_back(struct edges *edges, struct known *known)
{
    pthread_mutex_lock(&edges->lock);
    bool last = --known->calls == 0 && known->replaced;
    pthread_mutex_unlock(&edges->lock);
    if (last)
        known_free(known);
}

// Dialling goes on in the background: a command that comes right behind it would fail for no reason.
static void wait_connected(const struct known *known, int64_t timeout_ms)
{
    uint64_t until = bf_mono_ms() + (uint64_t)(timeout_ms < FIRST_DIAL_MS ? timeout_ms : FIRST_DIAL_MS);

    while (!bf_bus_connected(known->client) && bf_mono_ms() < until)
        nanosleep(&(struct timespec){0, 5000000}, NULL);
}

const char *edges_internal(void *ctx, const char *edge)
{
    struct edges_internal *internal = ctx;

    return edges_find(internal->edges, edge, &internal->found) ? internal->found.internal : NULL;
}

enum bf_err edges_call(struct edges *edges, const char *id, const char *method, const char *request_id,
                       int64_t timeout_ms, struct bf_str body, struct bf_buf *ret_body, struct bf_buf *error)
{
    struct known *known = borrow(edges, id);

    bf_metric_add(&metrics[CALLS], 1);
    if (!known) {
        bf_metric_add(&metrics[CALL_FAILURES], 1);
        return BF_UNAVAILABLE;
    }
    wait_connected(known, timeout_ms);
    enum bf_err err = bf_bus_call(known->client, method, "", request_id, timeout_ms, body, ret_body, error);
    bf_metric_add(&metrics[CALL_FAILURES], err != BF_OK);
    give_back(edges, known);
    return err;
}

// ---- start and stop

static void refresh_metrics(void *ctx)
{
    bf_autofree struct edge *list = NULL;
    size_t count = edges_list(ctx, &list), alive = 0;

    for (size_t i = 0; i < count; i++)
        alive += list[i].alive;
    bf_metric_set(&metrics[ALIVE], (int64_t)alive);
    bf_metric_set(&metrics[DEAD], (int64_t)(count - alive));
}

enum bf_err edges_start(struct control *control, struct edges **ret_edges)
{
    struct edges *edges = bf_xcalloc(1, sizeof(*edges));

    bf_metrics_register(metrics, BF_LEN(metrics));
    edges->control = control;
    edges->list = bf_xcalloc(EDGES_MAX, sizeof(struct known *));
    pthread_mutex_init(&edges->lock, NULL);
    enum bf_err err = bf_ticker_start(look_turn, edges, &edges->ticker);
    if (err) {
        edges_stop(edges);
        return err;
    }
    bf_metrics_on_render(refresh_metrics, edges);
    *ret_edges = edges;
    return BF_OK;
}

void edges_stop(struct edges *edges)
{
    if (!edges)
        return;
    bf_ticker_stop(edges->ticker);
    for (size_t i = 0; i < edges->count; i++)
        known_free(edges->list[i]);
    pthread_mutex_destroy(&edges->lock);
    free(edges->list);
    free(edges);
}
