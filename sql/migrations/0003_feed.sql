-- The change feed: what changed, in one gapless sequence in commit order.
--
-- A writer takes the next number by updating the one row of feed_head and holds that row's lock until it commits, so
-- numbers appear in commit order and a rolled-back one is given out again.

CREATE TABLE registry.feed_head (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    epoch    bigint NOT NULL,
    seq      bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 10);
INSERT INTO registry.feed_head (epoch) VALUES (hashtextextended(gen_random_uuid()::text, 0));

-- Another database is another epoch: also after a restore into a new cluster (system identifier), and after a failover or a
-- point-in-time recovery (timeline), where the newest changes may be lost and their numbers given out again. After a
-- restore that changes neither (a dump into the same cluster, a copy of the disk), renew it by hand:
--   UPDATE registry.feed_head SET epoch = hashtextextended(gen_random_uuid()::text, 0);
CREATE FUNCTION registry.feed_epoch() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT hashtextextended(concat_ws('/', head.epoch, control.system_identifier,
                                      left(pg_walfile_name(pg_current_wal_lsn()), 8)), 0)
    FROM registry.feed_head head, pg_control_system() control
$$;

-- `domain` and `number` say which thing of the kind; what it is now is looked up when the change is sent.
CREATE TABLE registry.change (
    seq       bigint PRIMARY KEY,
    tenant_id uuid NOT NULL,
    kind      text NOT NULL,
    domain    text COLLATE "C",
    number    text COLLATE "C",
    at        timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT change_kind_known CHECK (
        (kind = 'tenant' AND domain IS NULL AND number IS NULL)
        OR (kind = 'domain' AND domain IS NOT NULL AND number IS NULL)
        OR (kind = 'extension' AND domain IS NULL AND number IS NOT NULL))
);

CREATE FUNCTION registry.change_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY belfry_change;
    RETURN NULL;
END
$$;
CREATE TRIGGER change_notify AFTER INSERT ON registry.change
    FOR EACH STATEMENT EXECUTE FUNCTION registry.change_notify();

ALTER TABLE registry.change ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_scope ON registry.change USING (
    (SELECT current_setting('belfry.scope', true)) = 'system'
    OR tenant_id = (SELECT nullif(current_setting('belfry.tenant_id', true), '')::uuid));

GRANT SELECT ON registry.feed_head TO belfry_registry;
GRANT UPDATE (seq) ON registry.feed_head TO belfry_registry;
GRANT SELECT, INSERT, DELETE ON registry.change TO belfry_registry;
