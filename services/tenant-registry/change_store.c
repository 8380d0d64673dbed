// SQL of the change feed.
#include "change_store.h"

#include <string.h>

#include "store.h"

static const char *const kind_names[] = {
    [CHANGE_TENANT] = "tenant", [CHANGE_DOMAIN] = "domain",     [CHANGE_EXTENSION] = "extension",
    [CHANGE_GROUP] = "group",   [CHANGE_APP_KEYS] = "app-keys",
};

static enum change_kind kind_parse(const char *name)
{
    for (size_t i = 0; i < BF_LEN(kind_names); i++)
        if (strcmp(name, kind_names[i]) == 0)
            return (enum change_kind)i;
    return CHANGE_TENANT;
}

static bool change_has_number(enum change_kind kind)
{
    return kind == CHANGE_EXTENSION || kind == CHANGE_GROUP;
}

enum bf_err change_store_note(struct bf_tx *tx, enum change_kind kind, struct bf_id tenant, const char *name)
{
    return bf_tx_exec(tx, NULL,
                      "WITH head AS (UPDATE registry.feed_head SET seq = seq + 1 RETURNING seq) "
                      "INSERT INTO registry.change (seq, tenant_id, kind, domain, number) "
                      "SELECT head.seq, $1, $2, $3, $4 FROM head",
                      BF_P_ID(tenant), BF_P_TEXT(kind_names[kind]),
                      BF_P_TEXT(kind == CHANGE_DOMAIN ? name : NULL),
                      BF_P_TEXT(change_has_number(kind) ? name : NULL));
}

enum bf_err change_store_head(struct bf_tx *tx, struct change_head *ret_head)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err = bf_tx_exec(tx, &rows, "SELECT registry.feed_epoch(), seq FROM registry.feed_head");

    if (err)
        return err;
    if (bf_rows_count(rows) != 1)
        return BF_INTERNAL;
    *ret_head = (struct change_head){(uint64_t)bf_rows_int(rows, 0, 0), (uint64_t)bf_rows_int(rows, 0, 1)};
    return BF_OK;
}

static void change_from_row(const struct bf_rows *rows, size_t row, struct change *change)
{
    *change = (struct change){
        .seq = (uint64_t)bf_rows_int(rows, row, 0),
        .kind = kind_parse(bf_rows_text(rows, row, 1)),
        .tenant_id = bf_rows_id(rows, row, 2),
        .gone = !bf_rows_bool(rows, row, 5),
        .extension = bf_rows_id(rows, row, 6),
    };
    store_text(rows, row, 3, change->domain, sizeof(change->domain));
    store_text(rows, row, 4, change->number, sizeof(change->number));
    if (!change->gone && (change->kind == CHANGE_TENANT || change->kind == CHANGE_DOMAIN))
        store_tenant(rows, row, 7, &change->tenant);
}

enum bf_err change_store_after(struct bf_tx *tx, uint64_t after, uint64_t upto, int64_t limit,
                               change_store_each *each, void *ctx)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err = bf_tx_exec(
        tx, &rows,
        "SELECT c.seq, c.kind, c.tenant_id, c.domain, c.number, "
        "CASE c.kind WHEN 'tenant' THEN t.id IS NOT NULL WHEN 'domain' THEN d.name IS NOT NULL "
        "WHEN 'extension' THEN e.number IS NOT NULL WHEN 'app-keys' THEN true ELSE g.number IS NOT NULL "
        "END, e.id, " STORE_TENANT(
            "t") " FROM registry.change c "
                 "LEFT JOIN registry.domain d ON c.kind = 'domain' AND d.name = c.domain "
                 "LEFT JOIN registry.extension e ON c.kind = 'extension' AND e.tenant_id = c.tenant_id AND "
                 "e.number = c.number "
                 "LEFT JOIN registry.group_ g ON c.kind = 'group' AND g.tenant_id = c.tenant_id AND "
                 "g.number = c.number "
                 "LEFT JOIN registry.tenant t ON t.id = CASE c.kind WHEN 'domain' THEN d.tenant_id ELSE "
                 "c.tenant_id END "
                 "WHERE c.seq > $1 AND c.seq <= $2 ORDER BY c.seq LIMIT $3",
        BF_P_INT((int64_t)after), BF_P_INT((int64_t)upto), BF_P_INT(limit));

    if (err)
        return err;
    if (bf_rows_count(rows) > 0 && (uint64_t)bf_rows_int(rows, 0, 0) != after + 1)
        return BF_NOT_FOUND;
    for (size_t i = 0; i < bf_rows_count(rows); i++) {
        struct change change;

        change_from_row(rows, i, &change);
        each(ctx, &change);
    }
    return BF_OK;
}

enum bf_err change_store_snapshot(struct bf_tx *tx, const char *after, int64_t limit,
                                  change_store_domain *each, void *ctx, bool *ret_more)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    // The page is cut out first: the planner takes row-level security for far more selective than it is in
    // the system scope, and would join everything for each page.
    enum bf_err err =
        bf_tx_exec(tx, &rows,
                   "WITH page AS MATERIALIZED (SELECT name, tenant_id FROM registry.domain "
                   "WHERE name > $1 ORDER BY name LIMIT $2) "
                   "SELECT page.name, " STORE_TENANT(
                       "t") " FROM page "
                            "JOIN registry.tenant t ON t.id = page.tenant_id ORDER BY page.name",
                   BF_P_TEXT(after), BF_P_INT(limit + 1));

    if (err)
        return err;
    size_t count = bf_rows_count(rows);
    bool more = count > (size_t)limit;
    count = more ? (size_t)limit : count;
    for (size_t i = 0; i < count; i++) {
        struct tenant tenant;

        store_tenant(rows, i, 1, &tenant);
        if (!each(ctx, bf_rows_text(rows, i, 0), &tenant)) {
            more = more || i + 1 < count;
            break;
        }
    }
    *ret_more = more;
    return BF_OK;
}

enum bf_err change_store_prune(struct bf_tx *tx, int64_t keep_rows, int64_t keep_hours, int64_t batch,
                               int64_t *ret_pruned)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    // Oldest first and without holes: what is kept is always the end of the sequence.
    enum bf_err err = bf_tx_exec(tx, &rows,
                                 "DELETE FROM registry.change WHERE seq IN (SELECT seq FROM registry.change "
                                 "WHERE seq <= (SELECT seq FROM registry.feed_head) - $1 "
                                 "AND at < now() - make_interval(hours => $2::int) ORDER BY seq LIMIT $3)",
                                 BF_P_INT(keep_rows), BF_P_INT(keep_hours), BF_P_INT(batch));

    if (err)
        return err;
    *ret_pruned = bf_rows_affected(rows);
    return BF_OK;
}
