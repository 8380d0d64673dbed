// What an edge may lack.
#include "drift.h"

#include <inttypes.h>

#include "table.h"

static void find(json_t *faults, const char *text)
{
    json_array_append_new(faults, json_string(text));
}

// What the edge counts against what is kept of it. False: one of the two is missing.
static bool compare(const json_t *edge, const char *name, const char *kept_name, json_t *faults)
{
    const json_t *has_json = json_object_get(edge, name), *kept_json = json_object_get(edge, kept_name);
    int64_t has = json_integer_value(has_json), kept = json_integer_value(kept_json);

    if (!json_is_integer(has_json) || !json_is_integer(kept_json) || has < 0 || kept < 0)
        return false;
    if (has != kept) {
        bf_autofree char *text =
            bf_xasprintf("%s: the index has %" PRId64 " %s;", name, has > kept ? has - kept : kept - has,
                         has > kept ? "fewer" : "more");
        find(faults, text);
    }
    return true;
}

// How far the edge's table of domains is behind the registry. What it heard a moment before call-control did
// is no fault. False: one of the two is missing.
static bool compare_table(const json_t *edge, json_t *faults)
{
    const json_t *has = json_object_get(edge, "table_seq"), *newest = json_object_get(edge, "registry_seq");

    if (!has || !newest)
        return false;
    int64_t behind = json_integer_value(newest) - json_integer_value(has);
    if (json_is_null(newest))
        find(faults, "registry: not heard by call-control;");
    else if (json_is_false(json_object_get(edge, "alive")))
        return true; // that one is said already
    else if (json_is_null(has))
        find(faults, "domains: it has no table of this registry;");
    else if (behind > 0) {
        bf_autofree char *text = bf_xasprintf("domains: %" PRId64 " changes behind the registry;", behind);
        find(faults, text);
    }
    return true;
}

static enum bf_err judge(json_t *edge, bool *any)
{
    const json_t *alive = json_object_get(edge, "alive");
    json_t *faults = json_array();

    if (json_is_false(alive))
        find(faults, "no heartbeat;");
    if (!json_is_boolean(alive) || !compare(edge, "bindings", "indexed_bindings", faults) ||
        !compare(edge, "calls", "indexed_calls", faults) || !compare_table(edge, faults)) {
        json_decref(faults);
        return BF_PROTOCOL;
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
        {"BINDINGS", "bindings", COLUMN_NUMBER},
        {"INDEXED", "indexed_bindings", COLUMN_NUMBER},
        {"CALLS", "calls", COLUMN_NUMBER},
        {"INDEXED", "indexed_calls", COLUMN_NUMBER},
        {"TABLE", "table_seq", COLUMN_NUMBER},
        {"REGISTRY", "registry_seq", COLUMN_NUMBER},
        {"DRIFT", "drift", COLUMN_LIST},
    };

    table_write(into, columns, BF_LEN(columns), items);
}
