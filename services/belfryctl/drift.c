// What an edge may lack.
#include "drift.h"

#include <inttypes.h>

#include "table.h"

static void find(json_t *faults, const char *text)
{
    json_array_append_new(faults, json_string(text));
}

static enum bf_err judge(json_t *edge, bool *any)
{
    const json_t *alive = json_object_get(edge, "alive"), *synced = json_object_get(edge, "synced");
    const json_t *bindings = json_object_get(edge, "bindings");
    const json_t *indexed = json_object_get(edge, "indexed_bindings");

    if (!json_is_boolean(alive) || !json_is_boolean(synced) || !json_is_integer(bindings) ||
        !json_is_integer(indexed))
        return BF_PROTOCOL;
    json_t *faults = json_array();
    int64_t lacking = json_integer_value(bindings) - json_integer_value(indexed);
    if (!json_is_true(alive))
        find(faults, "no heartbeat;");
    if (!json_is_true(synced))
        find(faults, "its bindings are not all taken;");
    if (lacking != 0) {
        bf_autofree char *text =
            bf_xasprintf("the index has %" PRId64 " %s;", lacking > 0 ? lacking : -lacking,
                         lacking > 0 ? "fewer" : "more");
        find(faults, text);
    }
    *any = *any || json_array_size(faults) > 0;
    json_object_set_new(edge, "drift", faults);
    return BF_OK;
}

enum bf_err drift_judge(json_t *items, bool *ret_any)
{
    enum bf_err err = BF_OK;
    bool any = false;
    json_t *edge;
    size_t i;

    json_array_foreach(items, i, edge)
    {
        err = judge(edge, &any);
        if (err)
            return err;
    }
    *ret_any = any;
    return BF_OK;
}

void drift_write(struct bf_buf *into, const json_t *items)
{
    static const struct column columns[] = {
        {"EDGE", "id", COLUMN_TEXT},
        {"ALIVE", "alive", COLUMN_BOOL},
        {"SYNCED", "synced", COLUMN_BOOL},
        {"BINDINGS", "bindings", COLUMN_NUMBER},
        {"INDEXED", "indexed_bindings", COLUMN_NUMBER},
        {"DRIFT", "drift", COLUMN_LIST},
    };

    table_write(into, columns, BF_LEN(columns), items);
}
