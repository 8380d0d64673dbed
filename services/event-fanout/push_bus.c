// The bus methods about push devices.
#include "push_bus.h"

#include "authority.h"
#include "fanout.h"
#include "push_device_store.h"
#include "push_mark.h"
#include "push_wire.h"

static void complain(const char *event, enum bf_err err, struct bf_tx *tx)
{
    if (err == BF_INTERNAL || err == BF_FORBIDDEN)
        bf_error(event, BF_E(err), BF_S("database", tx ? bf_tx_error(tx) : ""));
}

enum bf_err push_bus_devices(const struct bf_bus_request *request, struct bf_buf *ret_body,
                             struct bf_buf *error, void *ctx)
{
    struct fanout *fanout = ctx;
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    bf_autofree struct push_device *devices = NULL;
    struct wire_devices asked;
    size_t count = 0;
    bool any = true;
    enum bf_err err = push_wire_read_devices(request->body, &asked, error);

    if (err)
        return err;
    err = bf_tx_begin(fanout->db, BF_SCOPE_SYSTEM, (struct bf_id){{0}}, &tx);
    if (!err)
        err = push_device_store_of(tx, asked.tenant, asked.numbers, asked.extensions, asked.count, &rows,
                                   &devices, &count);
    if (!err && count == 0)
        err = push_device_store_any(tx, asked.tenant, &any);
    complain("push.devices", err, tx);
    if (!err && !any)
        push_mark_none(fanout, asked.tenant);
    if (!err)
        push_wire_write_devices(ret_body, devices, count);
    push_wire_release_devices(&asked);
    return err;
}

static enum bf_err in_system(struct fanout *fanout, const struct push_device *device,
                             enum bf_err (*act)(struct bf_tx *tx, const struct push_device *device,
                                                struct bf_id *ret_id),
                             struct bf_id *ret_id)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    enum bf_err err = bf_tx_begin(fanout->db, BF_SCOPE_SYSTEM, (struct bf_id){{0}}, &tx);

    if (!err)
        err = act(tx, device, ret_id);
    if (!err)
        err = bf_tx_commit(tx);
    complain("push.register", err, tx);
    return err;
}

// Is the number still the extension that authenticated? What registers late must not be somebody else's.
static enum bf_err check_owner(struct fanout *fanout, const struct push_device *device)
{
    struct authority_number number;
    enum bf_err err = authority_extension(fanout->authority, device->tenant, device->number, &number);

    return !err && !bf_id_eq(number.extension, device->extension) ? BF_NOT_FOUND : err;
}

// The registry is asked for what is new only: most REGISTERs say what is known.
static enum bf_err put(struct fanout *fanout, const struct push_device *device, struct bf_id *ret_id)
{
    enum bf_err err = in_system(fanout, device, push_device_store_find, ret_id);

    if (err != BF_NOT_FOUND)
        return err;
    err = check_owner(fanout, device);
    if (!err)
        err = push_mark_some(fanout, device->tenant);
    return err ? err : in_system(fanout, device, push_device_store_put, ret_id);
}

enum bf_err push_bus_register(const struct bf_bus_request *request, struct bf_buf *ret_body,
                              struct bf_buf *error, void *ctx)
{
    struct push_device_fault fault = {NULL, NULL};
    struct push_device_sip sip;
    struct wire_register asked;
    struct bf_id id;
    enum bf_err err = push_wire_read_register(request->body, &asked, error);

    if (err)
        return err;
    if (push_device_sip(asked.tenant, asked.extension, asked.number, asked.provider, asked.prid, asked.param,
                        asked.instance, &sip, &fault)) {
        err = put(ctx, &sip.device, &id);
        push_device_sip_release(&sip);
    } else {
        bf_buf_fmt(error, "%s: %s", fault.field, fault.wrong);
        err = BF_INVALID;
    }
    if (err == BF_LIMIT)
        bf_buf_fmt(error, "this number has %d push devices already", PUSH_DEVICES_MAX);
    if (err == BF_NOT_FOUND)
        bf_buf_str(error, "the extension that registered is gone");
    if (!err)
        push_wire_write_register(ret_body, id);
    push_wire_release_register(&asked);
    return err;
}
