-- What happened: finished calls and their timelines, written by call-control.
--
-- A call's id is a UUIDv7: its first 48 bits are the time it was made. So both tables are partitioned by month over the
-- id itself, and the id alone is the primary key: a CDR is written once, whoever writes it. Months are made ahead by
-- calls.make_partitions(); an id of no such month (a clock far off) goes to the default partition.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'belfry_calls') THEN
        CREATE ROLE belfry_calls LOGIN;
    END IF;
END
$$;

CREATE SCHEMA calls;
GRANT USAGE ON SCHEMA calls TO belfry_calls;

CREATE TABLE calls.cdr (
    call        uuid NOT NULL,
    tenant_id   uuid NOT NULL,
    sip_call_id text NOT NULL,
    caller      text COLLATE "C" NOT NULL,
    callee      text COLLATE "C" NOT NULL,
    answered_by text COLLATE "C" NOT NULL,
    device      text NOT NULL,
    user_agent  text NOT NULL,
    started_at  timestamptz NOT NULL,
    ringing_at  timestamptz,
    answered_at timestamptz,
    ended_at    timestamptz NOT NULL,
    setup_ms    bigint NOT NULL,
    ring_ms     bigint NOT NULL,
    talk_ms     bigint NOT NULL,
    result      text NOT NULL,
    code        smallint NOT NULL,
    reason      text NOT NULL,
    hung_up_by  text NOT NULL,
    media       jsonb NOT NULL,
    edge        text NOT NULL,
    relay       text NOT NULL,
    local_plan  boolean NOT NULL,
    CONSTRAINT cdr_pkey PRIMARY KEY (call),
    CONSTRAINT cdr_result_known CHECK (result IN ('answered', 'busy', 'no-answer', 'cancelled', 'refused', 'failed', 'lost')),
    CONSTRAINT cdr_hung_up_by_known CHECK (hung_up_by IN ('', 'caller', 'callee', 'api', 'timeout', 'edge')),
    CONSTRAINT cdr_durations CHECK (setup_ms >= 0 AND ring_ms >= 0 AND talk_ms >= 0)
) PARTITION BY RANGE (call);
CREATE TABLE calls.cdr_default PARTITION OF calls.cdr DEFAULT;
-- Lists go by id, which is by time; with ?number= they go by each of the three parties and are merged.
CREATE INDEX cdr_tenant_idx ON calls.cdr (tenant_id, call);
CREATE INDEX cdr_caller_idx ON calls.cdr (tenant_id, caller, call);
CREATE INDEX cdr_callee_idx ON calls.cdr (tenant_id, callee, call);
CREATE INDEX cdr_answered_by_idx ON calls.cdr (tenant_id, answered_by, call)
    WHERE answered_by <> '' AND answered_by <> callee;
COMMENT ON COLUMN calls.cdr.result IS 'lost: the edge or its data went away in mid call; reason says which';

-- `seq` is the edge's number of the event within the call; 0 and below are call-control's own notes, 4294967296 its closing
-- of a call whose edge is dead. `details` is what only some kinds have; a live call is made again from these lines.
CREATE TABLE calls.timeline (
    call      uuid NOT NULL,
    seq       bigint NOT NULL,
    tenant_id uuid NOT NULL,
    at        timestamptz NOT NULL,
    kind      text NOT NULL,
    number    text COLLATE "C" NOT NULL,
    device    text NOT NULL,
    code      smallint NOT NULL,
    text      text NOT NULL,
    edge      text NOT NULL,
    details   jsonb,
    CONSTRAINT timeline_pkey PRIMARY KEY (call, seq),
    CONSTRAINT timeline_kind_known CHECK (kind IN ('started', 'step', 'branch', 'ringing', 'branch-ended', 'answered',
                                                   'ended', 'transfer', 'note'))
) PARTITION BY RANGE (call);
CREATE TABLE calls.timeline_default PARTITION OF calls.timeline DEFAULT;
-- When Redis has lost its data, running calls are those that began and have no CDR.
CREATE INDEX timeline_began_idx ON calls.timeline (call) WHERE seq = 1;

ALTER TABLE calls.cdr ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_scope ON calls.cdr USING (
    (SELECT current_setting('belfry.scope', true)) = 'system'
    OR tenant_id = (SELECT nullif(current_setting('belfry.tenant_id', true), '')::uuid));

ALTER TABLE calls.timeline ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_scope ON calls.timeline USING (
    (SELECT current_setting('belfry.scope', true)) = 'system'
    OR tenant_id = (SELECT nullif(current_setting('belfry.tenant_id', true), '')::uuid));

GRANT SELECT, INSERT ON calls.cdr TO belfry_calls;
GRANT SELECT, INSERT ON calls.timeline TO belfry_calls;

-- A partition is reached by its own name, too: without a policy of its own it would be open to whoever is granted it.
ALTER TABLE calls.cdr_default ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY system_only ON calls.cdr_default USING ((SELECT current_setting('belfry.scope', true)) = 'system');
ALTER TABLE calls.timeline_default ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY system_only ON calls.timeline_default USING ((SELECT current_setting('belfry.scope', true)) = 'system');

-- The smallest UUIDv7 of a moment.
CREATE FUNCTION calls.id_at(moment timestamptz) RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;

-- Makes the month that begins at `month` (UTC). Rows of it that wait in the default partition move over: in the system
-- scope, or they are not seen.
CREATE FUNCTION calls.make_partition(parent text, month timestamp) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    name text := parent || to_char(month, '_YYYY_MM');
    low  uuid := calls.id_at(month AT TIME ZONE 'UTC');
    high uuid := calls.id_at((month + interval '1 month') AT TIME ZONE 'UTC');
BEGIN
    IF to_regclass(format('calls.%I', name)) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE calls.%I (LIKE calls.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name, parent);
    EXECUTE format('WITH moved AS (DELETE FROM calls.%I WHERE call >= $1 AND call < $2 RETURNING *) '
                   'INSERT INTO calls.%I SELECT * FROM moved', parent || '_default', name) USING low, high;
    EXECUTE format('ALTER TABLE calls.%I ATTACH PARTITION calls.%I FOR VALUES FROM (%L) TO (%L)', parent, name, low, high);
    EXECUTE format('ALTER TABLE calls.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY system_only ON calls.%I USING '
                   '((SELECT current_setting(''belfry.scope'', true)) = ''system'')', name);
    RETURN true;
END
$$;

-- Last month's (calls that began just before it ended), this month's and the next `months`. Returns how many it made.
-- Runs as the owner: the service may not make tables.
CREATE FUNCTION calls.make_partitions(months integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    this_month timestamp := date_trunc('month', now() AT TIME ZONE 'UTC');
    made       integer := 0;
    parent     text;
BEGIN
    IF months NOT BETWEEN 1 AND 24 THEN
        RAISE EXCEPTION 'months must be 1 to 24' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('calls.make_partitions', 0)); -- replicas start together
    FOREACH parent IN ARRAY ARRAY['cdr', 'timeline'] LOOP
        FOR i IN -1 .. months LOOP
            made := made + calls.make_partition(parent, this_month + i * interval '1 month')::integer;
        END LOOP;
    END LOOP;
    RETURN made;
END
$$;

-- Drops the months that ended more than `keep_months` months ago; 0 keeps all. Returns how many partitions it dropped.
CREATE FUNCTION calls.drop_partitions(keep_months integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    oldest  text := to_char(date_trunc('month', now() AT TIME ZONE 'UTC') - keep_months * interval '1 month', 'YYYY_MM');
    dropped integer := 0;
    old     record;
BEGIN
    IF keep_months NOT BETWEEN 0 AND 1200 THEN
        RAISE EXCEPTION 'keep_months must be 0 to 1200' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    FOR old IN
        SELECT part.relname FROM pg_inherits
        JOIN pg_class part ON part.oid = inhrelid
        WHERE inhparent IN ('calls.cdr'::regclass, 'calls.timeline'::regclass)
            AND part.relname ~ '_[0-9]{4}_[0-9]{2}$' AND right(part.relname, 7) < oldest AND keep_months > 0
    LOOP
        EXECUTE format('DROP TABLE calls.%I', old.relname);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END
$$;
REVOKE ALL ON FUNCTION calls.make_partition(text, timestamp) FROM PUBLIC;
REVOKE ALL ON FUNCTION calls.make_partitions(integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION calls.drop_partitions(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION calls.make_partitions(integer), calls.drop_partitions(integer) TO belfry_calls;
