// SQL about Expo's receipts.
#include "push_receipt_store.h"

#include "bf_sql_array.h"
#include "push_credential_store.h"

// Of the oldest ticket's tenant, and with the credential that its device is pushed to with now.
static const char receipts_sql[] =
    "WITH first AS (SELECT tenant_id FROM events.push_attempt WHERE receipt_at <= now() "
    "ORDER BY receipt_at LIMIT 1), "
    "due AS (SELECT a.call, a.device, a.number FROM events.push_attempt a JOIN first USING (tenant_id) "
    "WHERE a.receipt_at <= now() ORDER BY a.receipt_at LIMIT $1 FOR UPDATE OF a SKIP LOCKED), "
    "a AS (UPDATE events.push_attempt a SET receipt_at = CASE WHEN a.at < now() - interval '1 day' THEN NULL "
    "ELSE now() + $2 * interval '1 ms' END FROM due WHERE a.call = due.call AND a.device = due.device "
    "AND a.number = due.number RETURNING a.*) "
    "SELECT a.call, a.device, a.tenant_id, a.number, a.push_id, c.id, c.sealed FROM a LEFT JOIN LATERAL "
    "(SELECT * FROM events.push_credential c WHERE c.provider = 'expo' AND c.name = '' "
    "AND (c.tenant_id = a.tenant_id OR c.tenant_id IS NULL) ORDER BY c.tenant_id IS NULL LIMIT 1) c ON true";

enum bf_err push_receipt_store_due(struct bf_tx *tx, size_t limit, int64_t again_ms,
                                   struct push_tickets *ret_tickets)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    struct push_tickets tickets = {.count = 0};
    enum bf_err err = bf_tx_exec(tx, &rows, receipts_sql, BF_P_INT((int64_t)limit), BF_P_INT(again_ms));

    if (err)
        return err;
    tickets.count = bf_rows_count(rows);
    tickets.list = bf_xcalloc(tickets.count + 1, sizeof(tickets.list[0]));
    for (size_t row = 0; row < tickets.count; row++)
        tickets.list[row] = (struct push_ticket){.call = bf_rows_id(rows, row, 0),
                                                 .device = bf_rows_id(rows, row, 1),
                                                 .tenant = bf_rows_id(rows, row, 2),
                                                 .number = bf_rows_int(rows, row, 3),
                                                 .ticket = bf_xstrdup(bf_rows_text(rows, row, 4))};
    if (tickets.count && !bf_rows_null(rows, 0, 5)) {
        tickets.credential = bf_rows_id(rows, 0, 5);
        tickets.sealed = push_credential_store_sealed(rows, 0, 6, &tickets.sealed_len);
    }
    *ret_tickets = tickets;
    return BF_OK;
}

// A device that was registered anew since has another token or proved this one good.
static const char receipts_settle_sql[] =
    "WITH given AS (SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::integer[], $4::text[], $5::text[]) "
    "AS line (call, device, number, result, detail)), "
    "a AS (UPDATE events.push_attempt a SET result = given.result, detail = given.detail, receipt_at = NULL "
    "FROM given WHERE a.call = given.call AND a.device = given.device AND a.number = given.number "
    "RETURNING a.device, a.at, a.result, a.detail) "
    "UPDATE events.push_device d SET state = 'dead', why = a.detail FROM a "
    "WHERE d.id = a.device AND a.result = 'token-dead' AND d.updated_at <= a.at";

enum bf_err push_receipt_store_settle(struct bf_tx *tx, const struct push_tickets *tickets,
                                      const enum push_receipt *receipts, char (*details)[PUSH_DETAIL_SIZE])
{
    static const char *const results[] = {[PUSH_RECEIPT_DELIVERED] = "delivered",
                                          [PUSH_RECEIPT_DEAD] = "token-dead",
                                          [PUSH_RECEIPT_FAILED] = "dropped"};
    struct bf_sql_array columns[5];
    size_t rows;

    bf_sql_columns_init(columns, BF_LEN(columns));
    for (size_t i = 0; i < tickets->count; i++) {
        if (receipts[i] == PUSH_RECEIPT_NONE)
            continue;
        bf_sql_array_id(&columns[0], tickets->list[i].call);
        bf_sql_array_id(&columns[1], tickets->list[i].device);
        bf_sql_array_int(&columns[2], tickets->list[i].number);
        bf_sql_array_text(&columns[3], results[receipts[i]]);
        bf_sql_array_text(&columns[4], details[i]);
    }
    return bf_sql_columns_run(tx, receipts_settle_sql, columns, BF_LEN(columns), &rows);
}

void push_tickets_release(struct push_tickets *tickets)
{
    for (size_t i = 0; i < tickets->count; i++)
        free(tickets->list[i].ticket);
    free(tickets->list);
    free(tickets->sealed);
    *tickets = (struct push_tickets){.count = 0};
}
