-- What is on its way and what is over are kept apart. `pending` is a small table that is worked on all the time: its rows come, change and
-- go. `delivery` is the log by days: a row is written once, when a delivery is over, and never again. So nothing that is looked
-- for while events are published and delivered depends on how much was delivered before, or on how many days are kept.

SELECT set_config('belfry.scope', 'system', true);

CREATE TABLE events.pending (
    webhook_id      uuid NOT NULL,
    lane            uuid NOT NULL,
    position        bigint NOT NULL,
    id              uuid NOT NULL,
    tenant_id       uuid NOT NULL,
    event_id        uuid NOT NULL,
    type            text COLLATE "C" NOT NULL,
    owner           uuid NOT NULL,
    attempts        integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL,
    give_up_at      timestamptz NOT NULL,
    code            smallint NOT NULL DEFAULT 0,
    error           text NOT NULL DEFAULT '',
    replay_of       uuid,
    created_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pending_pkey PRIMARY KEY (webhook_id, lane, position)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0,
        autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 1000000000);
CREATE INDEX pending_due_idx ON events.pending (owner, next_attempt_at);
CREATE INDEX pending_tenant_idx ON events.pending (tenant_id, id);
COMMENT ON TABLE events.pending IS 'deliveries that are not over; their ids are those of `delivery` afterwards';
COMMENT ON COLUMN events.pending.lane IS 'the call, or of events without one the event: deliveries of a lane go one after the other';
COMMENT ON COLUMN events.pending.next_attempt_at IS 'far off while it is in memory; infinity: its webhook is paused';

ALTER TABLE events.pending ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_scope ON events.pending USING (
    (SELECT current_setting('belfry.scope', true)) = 'system'
    OR tenant_id = (SELECT nullif(current_setting('belfry.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON events.pending TO belfry_events;

INSERT INTO events.pending (webhook_id, lane, position, id, tenant_id, event_id, type, owner, attempts, next_attempt_at, give_up_at,
                            code, error, replay_of, created_at)
SELECT webhook_id, lane, position, id, tenant_id, event_id, type, owner, attempts, next_attempt_at, give_up_at, code, error,
       replay_of, created_at
FROM events.delivery WHERE state = 'pending';
DELETE FROM events.delivery WHERE state = 'pending';

-- How the attempt that ended it went stands in the delivery itself; earlier ones, and those that ended when it was over already, are
-- lines of `attempt`. Most have no other.
--
-- An event-fanout of before cannot store anything any more: what it is told stays with whoever tells it.
ALTER TABLE events.delivery
    DROP COLUMN owner,
    DROP COLUMN next_attempt_at,
    ADD COLUMN tried_at   timestamptz,
    ADD COLUMN latency_ms integer,
    ADD COLUMN answer     bytea,
    ALTER COLUMN state DROP DEFAULT,
    ALTER COLUMN done_at SET NOT NULL,
    DROP CONSTRAINT delivery_done,
    DROP CONSTRAINT delivery_state_known,
    ADD CONSTRAINT delivery_state_known CHECK (state IN ('delivered', 'dead', 'dropped')),
    ADD CONSTRAINT delivery_answer_size CHECK (octet_length(answer) <= 1024),
    ADD CONSTRAINT delivery_tried CHECK ((tried_at IS NULL) = (latency_ms IS NULL) AND (tried_at IS NULL) = (answer IS NULL));
COMMENT ON COLUMN events.delivery.tried_at IS
    'of the attempt that ended it, with latency_ms and answer; null: none did, or its attempts are all in `attempt`';
DROP INDEX events.delivery_lane_idx;

-- Each index is one more write. Who looks for a delivery by its id knows its webhook or its tenant.
ALTER TABLE events.delivery DROP CONSTRAINT delivery_pkey, ADD CONSTRAINT delivery_pkey PRIMARY KEY (webhook_id, id);
DROP INDEX events.delivery_webhook_idx;
REVOKE UPDATE (state, attempts, code, error, done_at) ON events.delivery FROM belfry_events;

-- Both together, as a tenant sees them.
CREATE VIEW events.log WITH (security_invoker = true) AS
SELECT id, tenant_id, webhook_id, event_id, position, lane, type, 'pending'::text AS state, attempts, next_attempt_at, give_up_at, code,
       error, replay_of, created_at, NULL::timestamptz AS done_at
FROM events.pending
UNION ALL
SELECT id, tenant_id, webhook_id, event_id, position, lane, type, state, attempts, NULL, give_up_at, code, error, replay_of, created_at,
       done_at
FROM events.delivery;
GRANT SELECT ON events.log TO belfry_events;

-- Rows of these days never change, are found by keys, and go with the whole day: to vacuum them because they grow, and to take a
-- sample of their bodies at each tenth, costs as much as a good part of the deliveries and helps nobody.
CREATE FUNCTION events.log_settings(partition text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE events.%I SET (autovacuum_vacuum_insert_threshold = -1, '
                   'autovacuum_analyze_scale_factor = 1, autovacuum_analyze_threshold = 100000)', partition);
END
$$;
REVOKE ALL ON FUNCTION events.log_settings(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION events.make_partition(parent text, key text, day timestamp) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    name text := parent || to_char(day, '_YYYY_MM_DD');
    low  uuid := events.id_at(day AT TIME ZONE 'UTC');
    high uuid := events.id_at((day + interval '1 day') AT TIME ZONE 'UTC');
BEGIN
    IF to_regclass(format('events.%I', name)) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE events.%I (LIKE events.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name, parent);
    IF parent IN ('event', 'delivery', 'attempt') THEN
        PERFORM events.log_settings(name);
    END IF;
    EXECUTE format('WITH moved AS (DELETE FROM events.%I WHERE %I >= $1 AND %I < $2 RETURNING *) '
                   'INSERT INTO events.%I SELECT * FROM moved', parent || '_default', key, key, name) USING low, high;
    EXECUTE format('ALTER TABLE events.%I ATTACH PARTITION events.%I FOR VALUES FROM (%L) TO (%L)', parent, name, low, high);
    EXECUTE format('ALTER TABLE events.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY system_only ON events.%I USING '
                   '((SELECT current_setting(''belfry.scope'', true)) = ''system'')', name);
    RETURN true;
END
$$;

SELECT events.log_settings(c.relname::text)
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent IN ('events.event'::regclass, 'events.delivery'::regclass, 'events.attempt'::regclass)
  AND c.relname !~ '_default$';
