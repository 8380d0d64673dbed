--
-- PostgreSQL database dump
--

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: calls; Type: SCHEMA; Schema: -; Owner: belfry_owner
--

CREATE SCHEMA calls;

ALTER SCHEMA calls OWNER TO belfry_owner;

--
-- Name: events; Type: SCHEMA; Schema: -; Owner: belfry_owner
--

CREATE SCHEMA events;

ALTER SCHEMA events OWNER TO belfry_owner;

--
-- Name: registry; Type: SCHEMA; Schema: -; Owner: belfry_owner
--

CREATE SCHEMA registry;

ALTER SCHEMA registry OWNER TO belfry_owner;

--
-- Name: drop_partitions(integer); Type: FUNCTION; Schema: calls; Owner: belfry_owner
--

CREATE FUNCTION calls.drop_partitions(keep_months integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
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
$_$;

ALTER FUNCTION calls.drop_partitions(keep_months integer) OWNER TO belfry_owner;

--
-- Name: id_at(timestamp with time zone); Type: FUNCTION; Schema: calls; Owner: belfry_owner
--

CREATE FUNCTION calls.id_at(moment timestamp with time zone) RETURNS uuid
    LANGUAGE sql STABLE
    AS $$
    SELECT (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;

ALTER FUNCTION calls.id_at(moment timestamp with time zone) OWNER TO belfry_owner;

--
-- Name: make_partition(text, timestamp without time zone); Type: FUNCTION; Schema: calls; Owner: belfry_owner
--

CREATE FUNCTION calls.make_partition(parent text, month timestamp without time zone) RETURNS boolean
    LANGUAGE plpgsql
    AS $_$
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
$_$;

ALTER FUNCTION calls.make_partition(parent text, month timestamp without time zone) OWNER TO belfry_owner;

--
-- Name: make_partitions(integer); Type: FUNCTION; Schema: calls; Owner: belfry_owner
--

CREATE FUNCTION calls.make_partitions(months integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

ALTER FUNCTION calls.make_partitions(months integer) OWNER TO belfry_owner;

--
-- Name: drop_partitions(integer); Type: FUNCTION; Schema: events; Owner: belfry_owner
--

CREATE FUNCTION events.drop_partitions(keep_days integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
    oldest  text := to_char(date_trunc('day', now() AT TIME ZONE 'UTC') - keep_days * interval '1 day', 'YYYY_MM_DD');
    dropped integer := 0;
    old     record;
BEGIN
    IF keep_days NOT BETWEEN 3 AND 3660 THEN -- deliveries are tried for a day, and a call may last one
        RAISE EXCEPTION 'keep_days must be 3 to 3660' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    FOR old IN
        SELECT part.relname FROM pg_inherits
        JOIN pg_class part ON part.oid = inhrelid
        WHERE inhparent IN ('events.event'::regclass, 'events.delivery'::regclass, 'events.attempt'::regclass,
                            'events.wake'::regclass, 'events.push_attempt'::regclass)
            AND part.relname ~ '_[0-9]{4}_[0-9]{2}_[0-9]{2}$' AND right(part.relname, 10) < oldest
    LOOP
        EXECUTE format('DROP TABLE events.%I', old.relname);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END
$_$;

ALTER FUNCTION events.drop_partitions(keep_days integer) OWNER TO belfry_owner;

--
-- Name: id_at(timestamp with time zone); Type: FUNCTION; Schema: events; Owner: belfry_owner
--

CREATE FUNCTION events.id_at(moment timestamp with time zone) RETURNS uuid
    LANGUAGE sql STABLE
    AS $$
    SELECT (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;

ALTER FUNCTION events.id_at(moment timestamp with time zone) OWNER TO belfry_owner;

--
-- Name: log_settings(text); Type: FUNCTION; Schema: events; Owner: belfry_owner
--

CREATE FUNCTION events.log_settings(partition text) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    EXECUTE format('ALTER TABLE events.%I SET (autovacuum_vacuum_insert_threshold = -1, '
                   'autovacuum_analyze_scale_factor = 1, autovacuum_analyze_threshold = 100000)', partition);
END
$$;

ALTER FUNCTION events.log_settings(partition text) OWNER TO belfry_owner;

--
-- Name: make_partition(text, text, timestamp without time zone); Type: FUNCTION; Schema: events; Owner: belfry_owner
--

CREATE FUNCTION events.make_partition(parent text, key text, day timestamp without time zone) RETURNS boolean
    LANGUAGE plpgsql
    AS $_$
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
$_$;

ALTER FUNCTION events.make_partition(parent text, key text, day timestamp without time zone) OWNER TO belfry_owner;

--
-- Name: make_partitions(integer); Type: FUNCTION; Schema: events; Owner: belfry_owner
--

CREATE FUNCTION events.make_partitions(days integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    today timestamp := date_trunc('day', now() AT TIME ZONE 'UTC');
    made  integer := 0;
    parent record;
BEGIN
    IF days NOT BETWEEN 1 AND 31 THEN
        RAISE EXCEPTION 'days must be 1 to 31' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('events.make_partitions', 0)); -- replicas start together
    FOR parent IN
        SELECT * FROM (VALUES ('event', 'id'), ('delivery', 'id'), ('attempt', 'delivery_id'), ('wake', 'call'),
                              ('push_attempt', 'call')) AS parents (name, key)
    LOOP
        FOR i IN -1 .. days LOOP
            made := made + events.make_partition(parent.name, parent.key, today + i * interval '1 day')::integer;
        END LOOP;
    END LOOP;
    RETURN made;
END
$$;

ALTER FUNCTION events.make_partitions(days integer) OWNER TO belfry_owner;

--
-- Name: new_id(); Type: FUNCTION; Schema: events; Owner: belfry_owner
--

CREATE FUNCTION events.new_id() RETURNS uuid
    LANGUAGE sql
    AS $$
    SELECT (lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') || '7'
            || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid
$$;

ALTER FUNCTION events.new_id() OWNER TO belfry_owner;

--
-- Name: wanted(uuid[]); Type: FUNCTION; Schema: events; Owner: belfry_owner
--

CREATE FUNCTION events.wanted(tenants uuid[]) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    RETURN QUERY
    SELECT given.id FROM (SELECT DISTINCT unnest(tenants) AS id) AS given
    WHERE EXISTS (SELECT FROM events.webhook WHERE webhook.tenant_id = given.id)
       OR EXISTS (SELECT FROM events.listener WHERE listener.tenant_id = given.id AND listener.until > now())
    ORDER BY given.id;
END
$$;

ALTER FUNCTION events.wanted(tenants uuid[]) OWNER TO belfry_owner;

--
-- Name: audit_is_append_only(); Type: FUNCTION; Schema: registry; Owner: belfry_owner
--

CREATE FUNCTION registry.audit_is_append_only() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'registry.audit is append-only' USING ERRCODE = 'insufficient_privilege';
END
$$;

ALTER FUNCTION registry.audit_is_append_only() OWNER TO belfry_owner;

--
-- Name: change_notify(); Type: FUNCTION; Schema: registry; Owner: belfry_owner
--

CREATE FUNCTION registry.change_notify() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    NOTIFY belfry_change;
    RETURN NULL;
END
$$;

ALTER FUNCTION registry.change_notify() OWNER TO belfry_owner;

--
-- Name: feed_epoch(); Type: FUNCTION; Schema: registry; Owner: belfry_owner
--

CREATE FUNCTION registry.feed_epoch() RETURNS bigint
    LANGUAGE sql STABLE
    AS $$
    SELECT hashtextextended(concat_ws('/', head.epoch, control.system_identifier,
                                      left(pg_walfile_name(pg_current_wal_lsn()), 8)), 0)
    FROM registry.feed_head head, pg_control_system() control
$$;

ALTER FUNCTION registry.feed_epoch() OWNER TO belfry_owner;

--
-- Name: new_id(); Type: FUNCTION; Schema: registry; Owner: belfry_owner
--

CREATE FUNCTION registry.new_id() RETURNS uuid
    LANGUAGE sql
    AS $$
    SELECT (lpad(to_hex(us / 1000), 12, '0') || '7' || lpad(to_hex(us % 1000 * 4096 / 1000), 3, '0')
            || substr(replace(gen_random_uuid()::text, '-', ''), 17))::uuid
    FROM (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint) AS now (us)
$$;

ALTER FUNCTION registry.new_id() OWNER TO belfry_owner;

--
-- Name: number_give_back(); Type: FUNCTION; Schema: registry; Owner: belfry_owner
--

CREATE FUNCTION registry.number_give_back() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    DELETE FROM registry.number WHERE tenant_id = OLD.tenant_id AND number = OLD.number;
    RETURN NULL;
END
$$;

ALTER FUNCTION registry.number_give_back() OWNER TO belfry_owner;

--
-- Name: number_take(); Type: FUNCTION; Schema: registry; Owner: belfry_owner
--

CREATE FUNCTION registry.number_take() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO registry.number (tenant_id, number) VALUES (NEW.tenant_id, NEW.number);
    RETURN NEW;
END
$$;

ALTER FUNCTION registry.number_take() OWNER TO belfry_owner;

SET default_tablespace = '';

--
-- Name: cdr; Type: TABLE; Schema: calls; Owner: belfry_owner
--

CREATE TABLE calls.cdr (
    call uuid NOT NULL,
    tenant_id uuid NOT NULL,
    sip_call_id text NOT NULL,
    caller text NOT NULL COLLATE pg_catalog."C",
    callee text NOT NULL COLLATE pg_catalog."C",
    answered_by text NOT NULL COLLATE pg_catalog."C",
    device text NOT NULL,
    user_agent text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ringing_at timestamp with time zone,
    answered_at timestamp with time zone,
    ended_at timestamp with time zone NOT NULL,
    setup_ms bigint NOT NULL,
    ring_ms bigint NOT NULL,
    talk_ms bigint NOT NULL,
    result text NOT NULL,
    code smallint NOT NULL,
    reason text NOT NULL,
    hung_up_by text NOT NULL,
    media jsonb NOT NULL,
    edge text NOT NULL,
    relay text NOT NULL,
    local_plan boolean NOT NULL,
    CONSTRAINT cdr_durations CHECK (((setup_ms >= 0) AND (ring_ms >= 0) AND (talk_ms >= 0))),
    CONSTRAINT cdr_hung_up_by_known CHECK ((hung_up_by = ANY (ARRAY[''::text, 'caller'::text, 'callee'::text, 'api'::text, 'timeout'::text, 'edge'::text]))),
    CONSTRAINT cdr_result_known CHECK ((result = ANY (ARRAY['answered'::text, 'busy'::text, 'no-answer'::text, 'cancelled'::text, 'refused'::text, 'failed'::text, 'lost'::text])))
)
PARTITION BY RANGE (call);

ALTER TABLE ONLY calls.cdr FORCE ROW LEVEL SECURITY;

ALTER TABLE calls.cdr OWNER TO belfry_owner;

--
-- Name: COLUMN cdr.result; Type: COMMENT; Schema: calls; Owner: belfry_owner
--

COMMENT ON COLUMN calls.cdr.result IS 'lost: the edge or its data went away in mid call; reason says which';

SET default_table_access_method = heap;

--
-- Name: cdr_default; Type: TABLE; Schema: calls; Owner: belfry_owner
--

CREATE TABLE calls.cdr_default (
    call uuid NOT NULL,
    tenant_id uuid NOT NULL,
    sip_call_id text NOT NULL,
    caller text NOT NULL COLLATE pg_catalog."C",
    callee text NOT NULL COLLATE pg_catalog."C",
    answered_by text NOT NULL COLLATE pg_catalog."C",
    device text NOT NULL,
    user_agent text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ringing_at timestamp with time zone,
    answered_at timestamp with time zone,
    ended_at timestamp with time zone NOT NULL,
    setup_ms bigint NOT NULL,
    ring_ms bigint NOT NULL,
    talk_ms bigint NOT NULL,
    result text NOT NULL,
    code smallint NOT NULL,
    reason text NOT NULL,
    hung_up_by text NOT NULL,
    media jsonb NOT NULL,
    edge text NOT NULL,
    relay text NOT NULL,
    local_plan boolean NOT NULL,
    CONSTRAINT cdr_durations CHECK (((setup_ms >= 0) AND (ring_ms >= 0) AND (talk_ms >= 0))),
    CONSTRAINT cdr_hung_up_by_known CHECK ((hung_up_by = ANY (ARRAY[''::text, 'caller'::text, 'callee'::text, 'api'::text, 'timeout'::text, 'edge'::text]))),
    CONSTRAINT cdr_result_known CHECK ((result = ANY (ARRAY['answered'::text, 'busy'::text, 'no-answer'::text, 'cancelled'::text, 'refused'::text, 'failed'::text, 'lost'::text])))
);

ALTER TABLE ONLY calls.cdr_default FORCE ROW LEVEL SECURITY;

ALTER TABLE calls.cdr_default OWNER TO belfry_owner;

--
-- Name: outbox; Type: TABLE; Schema: calls; Owner: belfry_owner
--

CREATE TABLE calls.outbox (
    "position" bigint NOT NULL,
    tenant_id uuid NOT NULL,
    call uuid NOT NULL,
    entry bytea NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT outbox_entry_size CHECK ((octet_length(entry) <= 32768))
);

ALTER TABLE ONLY calls.outbox FORCE ROW LEVEL SECURITY;

ALTER TABLE calls.outbox OWNER TO belfry_owner;

--
-- Name: COLUMN outbox.entry; Type: COMMENT; Schema: calls; Owner: belfry_owner
--

COMMENT ON COLUMN calls.outbox.entry IS 'an Entry of event.v1';

--
-- Name: outbox_position_seq; Type: SEQUENCE; Schema: calls; Owner: belfry_owner
--

ALTER TABLE calls.outbox ALTER COLUMN "position" ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME calls.outbox_position_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

--
-- Name: timeline; Type: TABLE; Schema: calls; Owner: belfry_owner
--

CREATE TABLE calls.timeline (
    call uuid NOT NULL,
    seq bigint NOT NULL,
    tenant_id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    kind text NOT NULL,
    number text NOT NULL COLLATE pg_catalog."C",
    device text NOT NULL,
    code smallint NOT NULL,
    text text NOT NULL,
    edge text NOT NULL,
    details jsonb,
    CONSTRAINT timeline_kind_known CHECK ((kind = ANY (ARRAY['started'::text, 'step'::text, 'branch'::text, 'ringing'::text, 'branch-ended'::text, 'answered'::text, 'ended'::text, 'transfer'::text, 'note'::text, 'waking'::text, 'woken'::text, 'wake-ended'::text, 'push.sent'::text, 'push.failed'::text])))
)
PARTITION BY RANGE (call);

ALTER TABLE ONLY calls.timeline FORCE ROW LEVEL SECURITY;

ALTER TABLE calls.timeline OWNER TO belfry_owner;

--
-- Name: timeline_default; Type: TABLE; Schema: calls; Owner: belfry_owner
--

CREATE TABLE calls.timeline_default (
    call uuid NOT NULL,
    seq bigint NOT NULL,
    tenant_id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    kind text NOT NULL,
    number text NOT NULL COLLATE pg_catalog."C",
    device text NOT NULL,
    code smallint NOT NULL,
    text text NOT NULL,
    edge text NOT NULL,
    details jsonb,
    CONSTRAINT timeline_kind_known CHECK ((kind = ANY (ARRAY['started'::text, 'step'::text, 'branch'::text, 'ringing'::text, 'branch-ended'::text, 'answered'::text, 'ended'::text, 'transfer'::text, 'note'::text, 'waking'::text, 'woken'::text, 'wake-ended'::text, 'push.sent'::text, 'push.failed'::text])))
);

ALTER TABLE ONLY calls.timeline_default FORCE ROW LEVEL SECURITY;

ALTER TABLE calls.timeline_default OWNER TO belfry_owner;

--
-- Name: attempt; Type: TABLE; Schema: events; Owner: belfry_owner
--

CREATE TABLE events.attempt (
    delivery_id uuid NOT NULL,
    number integer NOT NULL,
    tenant_id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    code smallint NOT NULL,
    error text NOT NULL,
    latency_ms integer NOT NULL,
    answer bytea NOT NULL,
    CONSTRAINT attempt_answer_size CHECK ((octet_length(answer) <= 1024))
)
PARTITION BY RANGE (delivery_id);

ALTER TABLE ONLY events.attempt FORCE ROW LEVEL SECURITY;

ALTER TABLE events.attempt OWNER TO belfry_owner;

--
-- Name: COLUMN attempt.code; Type: COMMENT; Schema: events; Owner: belfry_owner
--

COMMENT ON COLUMN events.attempt.code IS 'HTTP status; 0: there was no answer, and error says why';

--
-- Name: attempt_default; Type: TABLE; Schema: events; Owner: belfry_owner
--

CREATE TABLE events.attempt_default (
    delivery_id uuid NOT NULL,
    number integer NOT NULL,
    tenant_id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    code smallint NOT NULL,
    error text NOT NULL,
    latency_ms integer NOT NULL,
    answer bytea NOT NULL,
    CONSTRAINT attempt_answer_size CHECK ((octet_length(answer) <= 1024))
);

ALTER TABLE ONLY events.attempt_default FORCE ROW LEVEL SECURITY;

ALTER TABLE events.attempt_default OWNER TO belfry_owner;

--
-- Name: delivery; Type: TABLE; Schema: events; Owner: belfry_owner
--

CREATE TABLE events.delivery (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    webhook_id uuid NOT NULL,
    event_id uuid NOT NULL,
    "position" bigint NOT NULL,
    lane uuid NOT NULL,
    type text NOT NULL COLLATE pg_catalog."C",
    state text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    give_up_at timestamp with time zone NOT NULL,
    code smallint DEFAULT 0 NOT NULL,
    error text DEFAULT ''::text NOT NULL,
    replay_of uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    done_at timestamp with time zone NOT NULL,
    tried_at timestamp with time zone,
    latency_ms integer,
    answer bytea,
    CONSTRAINT delivery_answer_size CHECK ((octet_length(answer) <= 1024)),
    CONSTRAINT delivery_state_known CHECK ((state = ANY (ARRAY['delivered'::text, 'dead'::text, 'dropped'::text]))),
    CONSTRAINT delivery_tried CHECK ((((tried_at IS NULL) = (latency_ms IS NULL)) AND ((tried_at IS NULL) = (answer IS NULL))))
)
PARTITION BY RANGE (id);

ALTER TABLE ONLY events.delivery FORCE ROW LEVEL SECURITY;

ALTER TABLE events.delivery OWNER TO belfry_owner;

--
-- Name: COLUMN delivery.lane; Type: COMMENT; Schema: events; Owner: belfry_owner
--

COMMENT ON COLUMN events.delivery.lane IS 'the call, or of events without one the event: deliveries of a lane go one after the other';

--
-- Name: COLUMN delivery.state; Type: COMMENT; Schema: events; Owner: belfry_owner
--

COMMENT ON COLUMN events.delivery.state IS 'dead: given up after 24 h, refused for good, or its webhook answered 410; dropped: its webhook was deleted';

--
-- Name: COLUMN delivery.tried_at; Type: COMMENT; Schema: events; Owner: belfry_owner
--

COMMENT ON COLUMN events.delivery.tried_at IS 'of the attempt that ended it, with latency_ms and answer; null: none did, or its attempts are all in `attempt`';

--
-- Name: delivery_default; Type: TABLE; Schema: events; Owner: belfry_owner
--

CREATE TABLE events.delivery_default (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    webhook_id uuid NOT NULL,
    event_id uuid NOT NULL,
    "position" bigint NOT NULL,
    lane uuid NOT NULL,
    type text NOT NULL COLLATE pg_catalog."C",
    state text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    give_up_at timestamp with time zone NOT NULL,
    code smallint DEFAULT 0 NOT NULL,
    error text DEFAULT ''::text NOT NULL,
    replay_of uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    done_at timestamp with time zone NOT NULL,
    tried_at timestamp with time zone,
    latency_ms integer,
    answer bytea,
    CONSTRAINT delivery_answer_size CHECK ((octet_length(answer) <= 1024)),
    CONSTRAINT delivery_state_known CHECK ((state = ANY (ARRAY['delivered'::text, 'dead'::text, 'dropped'::text]))),
    CONSTRAINT delivery_tried CHECK ((((tried_at IS NULL) = (latency_ms IS NULL)) AND ((tried_at IS NULL) = (answer IS NULL))))
);

ALTER TABLE ONLY events.delivery_default FORCE ROW LEVEL SECURITY;

ALTER TABLE events.delivery_default OWNER TO belfry_owner;

--
-- Name: position; Type: SEQUENCE; Schema: events; Owner: belfry_owner
--

CREATE SEQUENCE events."position"
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER TABLE events."position" OWNER TO belfry_owner;

--
-- Name: event; Type: TABLE; Schema: events; Owner: belfry_owner
--

CREATE TABLE events.event (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    "position" bigint DEFAULT nextval('events."position"'::regclass) NOT NULL,
    type text NOT NULL COLLATE pg_catalog."C",
    call uuid,
    seq bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    numbers text[] NOT NULL COLLATE pg_catalog."C",
    body text NOT NULL,
    stored_at timestamp with time zone DEFAULT now() NOT NULL,
    tx xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT event_body_size CHECK ((octet_length(body) <= 32768)),
    CONSTRAINT event_type_form CHECK (((octet_length(type) <= 64) AND (type ~ '^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+$'::text)))
)
PARTITION BY RANGE (id);

ALTER TABLE ONLY events.event FORCE ROW LEVEL SECURITY;

ALTER TABLE events.event OWNER TO belfry_owner;

--
-- Name: COLUMN event."position"; Type: COMMENT; Schema: events; Owner: belfry_owner
--

COMMENT ON COLUMN events.event."position" IS 'order of storing; two transactions may commit in another one, so who resumes behind a position looks back a little';

--
-- Name: COLUMN event.body; Type: COMMENT; Schema: events; Owner: belfry_owner
--

COMMENT ON COLUMN events.event.body IS 'the envelope, byte for byte as it is signed and sent, today and when it is replayed';

--
-- Name: event_default; Type: TABLE; Schema: events; Owner: belfry_owner
--

CREATE TABLE events.event_default (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    "position" bigint DEFAULT nextval('events."position"'::regclass) NOT NULL,
    type text NOT NULL COLLATE pg_catalog."C",
    call uuid,
    seq bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    numbers text[] NOT NULL COLLATE pg_catalog."C",
    body text NOT NULL,
    stored_at timestamp with time zone DEFAULT now() NOT NULL,
    tx xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT event_body_size CHECK ((octet_length(body) <= 32768)),
    CONSTRAINT event_type_form CHECK (((octet_length(type) <= 64) AND (type ~ '^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+$'::text)))
);

ALTER TABLE ONLY events.event_default FORCE ROW LEVEL SECURITY;

ALTER TABLE events.event_default OWNER TO belfry_owner;

--
-- Name: idempotency; Type: TABLE; Schema: events; Owner: belfry_owner
--

CREATE TABLE events.idempotency (
    tenant_id uuid,
    key_id uuid NOT NULL,
    hash bytea NOT NULL,
    request bytea NOT NULL,
    status smallint NOT NULL,
    answer bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY events.idempotency FORCE ROW LEVEL SECURITY;

ALTER TABLE events.idempotency OWNER TO belfry_owner;

--
-- Name: listener; Type: TABLE; Schema: events; Owner: belfry_owner
--

CREATE TABLE events.listener (
    tenant_id uuid NOT NULL,
    until timestamp with time zone NOT NULL
);

ALTER TABLE ONLY events.listener FORCE ROW LEVEL SECURITY;

ALTER TABLE events.listener OWNER TO belfry_owner;

--
-- Name: COLUMN listener.until; Type: COMMENT; Schema: events; Owner: belfry_owner
--

COMMENT ON COLUMN events.listener.until IS 'its WebSockets were seen not longer ago than they may ask for what they missed';

--
-- Name: pending; Type: TABLE; Schema: events; Owner: belfry_owner
--

CREATE TABLE events.pending (
    webhook_id uuid NOT NULL,
    lane uuid NOT NULL,
    "position" bigint NOT NULL,
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    event_id uuid NOT NULL,
    type text NOT NULL COLLATE pg_catalog."C",
    owner uuid NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    next_attempt_at timestamp with time zone NOT NULL,
    give_up_at timestamp with time zone NOT NULL,
    code smallint DEFAULT 0 NOT NULL,
    error text DEFAULT ''::text NOT NULL,
    replay_of uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='5000', autovacuum_vacuum_cost_delay='0', autovacuum_analyze_scale_factor='0', autovacuum_analyze_threshold='1000000000');

ALTER TABLE ONLY events.pending FORCE ROW LEVEL SECURITY;

ALTER TABLE events.pending OWNER TO belfry_owner;

--
-- Name: TABLE pending; Type: COMMENT; Schema: events; Owner: belfry_owner
--

COMMENT ON TABLE events.pending IS 'deliveries that are not over; their ids are those of `delivery` afterwards';

--
-- Name: COLUMN pending.lane; Type: COMMENT; Schema: events; Owner: belfry_owner
--

COMMENT ON COLUMN events.pending.lane IS 'the call, or of events without one the event: deliveries of a lane go one after the other';

--
-- Name: COLUMN pending.next_attempt_at; Type: COMMENT; Schema: events; Owner: belfry_owner
--

COMMENT ON COLUMN events.pending.next_attempt_at IS 'far off while it is in memory; infinity: its webhook is paused';

--
-- Name: log; Type: VIEW; Schema: events; Owner: belfry_owner
--

CREATE VIEW events.log WITH (security_invoker='true') AS
 SELECT pending.id,
    pending.tenant_id,
    pending.webhook_id,
    pending.event_id,
    pending."position",
    pending.lane,
    pending.type,
    'pending'::text AS state,
    pending.attempts,
    pending.next_attempt_at,
    pending.give_up_at,
    pending.code,
    pending.error,
    pending.replay_of,
    pending.created_at,
    NULL::timestamp with time zone AS done_at
   FROM events.pending
UNION ALL
 SELECT delivery.id,
    delivery.tenant_id,
    delivery.webhook_id,
    delivery.event_id,
    delivery."position",
    delivery.lane,
    delivery.type,
    delivery.state,
    delivery.attempts,
    NULL::timestamp with time zone AS next_attempt_at,
    delivery.give_up_at,
    delivery.code,
    delivery.error,
    delivery.replay_of,
    delivery.created_at,
    delivery.done_at
   FROM events.delivery;

ALTER TABLE events.log OWNER TO belfry_owner;

--
-- Name: push_attempt; Type: TABLE; Schema: events; Owner: belfry_owner
--

CREATE TABLE events.push_attempt (
    call uuid NOT NULL,
    device uuid NOT NULL,
    number integer NOT NULL,
    tenant_id uuid NOT NULL,
    kind text NOT NULL,
    at timestamp with time zone NOT NULL,
    code smallint NOT NULL,
    result text NOT NULL,
    detail text NOT NULL,
    push_id text NOT NULL,
    latency_ms integer NOT NULL,
    receipt_at timestamp with time zone,
    CONSTRAINT push_attempt_kind_known CHECK ((kind = ANY (ARRAY['wake'::text, 'cancel'::text, 'test'::text]))),
    CONSTRAINT push_attempt_result_known CHECK ((result = ANY (ARRAY['sent'::text, 'retry'::text, 'token-dead'::text, 'dropped'::text, 'delivered'::text]))),
    CONSTRAINT push_attempt_sizes CHECK (((octet_length(detail) <= 1024) AND (octet_length(push_id) <= 255)))
)
PARTITION BY RANGE (call);

ALTER TABLE ONLY events.push_attempt FORCE ROW LEVEL SECURITY;

ALTER TABLE events.push_attempt OWNER TO belfry_owner;

--
-- Name: COLUMN push_attempt.push_id; Type: COMMENT; Schema: events; Owner: belfry_owner
--

COMMENT ON COLUMN events.push_attempt.push_id IS 'the provider''s: Expo ticket, FCM message name, apns-id';

--
-- Name: COLUMN push_attempt.receipt_at; Type: COMMENT; Schema: events; Owner: belfry_owner
--

COMMENT ON COLUMN events.push_attempt.receipt_at IS 'when to ask Expo for the receipt; null: nothing to ask';

--
-- Name: push_attempt_default; Type: TABLE; Schema: events; Owner: belfry_owner
--

CREATE TABLE events.push_attempt_default (
    call uuid NOT NULL,
    device uuid NOT NULL,
    number integer NOT NULL,
    tenant_id uuid NOT NULL,
    kind text NOT NULL,
    at timestamp with time zone NOT NULL,
    code smallint NOT NULL,
    result text NOT NULL,
    detail text NOT NULL,
    push_id text NOT NULL,
    latency_ms integer NOT NULL,
    receipt_at timestamp with time zone,
    CONSTRAINT push_attempt_kind_known CHECK ((kind = ANY (ARRAY['wake'::text, 'cancel'::text, 'test'::text]))),
    CONSTRAINT push_attempt_result_known CHECK ((result = ANY (ARRAY['sent'::text, 'retry'::text, 'token-dead'::text, 'dropped'::text, 'delivered'::text]))),
    CONSTRAINT push_attempt_sizes CHECK (((octet_length(detail) <= 1024) AND (octet_length(push_id) <= 255)))
);

ALTER TABLE ONLY events.push_attempt_default FORCE ROW LEVEL SECURITY;

ALTER TABLE events.push_attempt_default OWNER TO belfry_owner;

--
-- Name: push_credential; Type: TABLE; Schema: events; Owner: belfry_owner
--

CREATE TABLE events.push_credential (
    id uuid NOT NULL,
    tenant_id uuid,
    provider text NOT NULL,
    name text DEFAULT ''::text NOT NULL,
    sealed bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT push_credential_provider_known CHECK ((provider = ANY (ARRAY['expo'::text, 'fcm'::text, 'apns'::text])))
);

ALTER TABLE ONLY events.push_credential FORCE ROW LEVEL SECURITY;

ALTER TABLE events.push_credential OWNER TO belfry_owner;

--
-- Name: COLUMN push_credential.name; Type: COMMENT; Schema: events; Owner: belfry_owner
--

COMMENT ON COLUMN events.push_credential.name IS 'which app: APNs topic, FCM project; empty: any';

--
-- Name: COLUMN push_credential.sealed; Type: COMMENT; Schema: events; Owner: belfry_owner
--

COMMENT ON COLUMN events.push_credential.sealed IS 'sealed under BELFRY_SEAL_KEY: the id and a JSON object of the provider''s form';

--
-- Name: push_device; Type: TABLE; Schema: events; Owner: belfry_owner
--

CREATE TABLE events.push_device (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    number text NOT NULL COLLATE pg_catalog."C",
    provider text NOT NULL,
    platform text NOT NULL,
    device_id text NOT NULL,
    token text NOT NULL,
    param text DEFAULT ''::text NOT NULL,
    prid text DEFAULT ''::text NOT NULL,
    source text NOT NULL,
    state text DEFAULT 'alive'::text NOT NULL,
    why text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    pushed_at timestamp with time zone,
    extension uuid DEFAULT '00000000-0000-0000-0000-000000000000'::uuid NOT NULL,
    CONSTRAINT push_device_platform_known CHECK ((platform = ANY (ARRAY['ios'::text, 'android'::text, 'web'::text]))),
    CONSTRAINT push_device_provider_known CHECK ((provider = ANY (ARRAY['expo'::text, 'fcm'::text, 'apns'::text]))),
    CONSTRAINT push_device_sizes CHECK ((((octet_length(token) >= 1) AND (octet_length(token) <= 4096)) AND ((octet_length(device_id) >= 1) AND (octet_length(device_id) <= 255)) AND (octet_length(param) <= 255) AND (octet_length(prid) <= 4096))),
    CONSTRAINT push_device_source_known CHECK ((source = ANY (ARRAY['rest'::text, 'app'::text, 'sip'::text]))),
    CONSTRAINT push_device_state_known CHECK ((state = ANY (ARRAY['alive'::text, 'dead'::text])))
);

ALTER TABLE ONLY events.push_device FORCE ROW LEVEL SECURITY;

ALTER TABLE events.push_device OWNER TO belfry_owner;

--
-- Name: COLUMN push_device.state; Type: COMMENT; Schema: events; Owner: belfry_owner
--

COMMENT ON COLUMN events.push_device.state IS 'dead: the provider said that the token is no longer valid, `why` in its words';

--
-- Name: COLUMN push_device.extension; Type: COMMENT; Schema: events; Owner: belfry_owner
--

COMMENT ON COLUMN events.push_device.extension IS 'id of the extension (registry.extension): calls find a device by it; the nil UUID is nobody''s';

--
-- Name: push_line; Type: TABLE; Schema: events; Owner: belfry_owner
--

CREATE TABLE events.push_line (
    "position" bigint NOT NULL,
    tenant_id uuid NOT NULL,
    call uuid NOT NULL,
    line bytea NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT push_line_size CHECK ((octet_length(line) <= 2048))
);

ALTER TABLE ONLY events.push_line FORCE ROW LEVEL SECURITY;

ALTER TABLE events.push_line OWNER TO belfry_owner;

--
-- Name: COLUMN push_line.line; Type: COMMENT; Schema: events; Owner: belfry_owner
--

COMMENT ON COLUMN events.push_line.line IS 'a PushLine of call.v1';

--
-- Name: push_line_position_seq; Type: SEQUENCE; Schema: events; Owner: belfry_owner
--

ALTER TABLE events.push_line ALTER COLUMN "position" ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME events.push_line_position_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

--
-- Name: replica; Type: TABLE; Schema: events; Owner: belfry_owner
--

CREATE TABLE events.replica (
    id uuid NOT NULL,
    seen_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY events.replica FORCE ROW LEVEL SECURITY;

ALTER TABLE events.replica OWNER TO belfry_owner;

--
-- Name: wake; Type: TABLE; Schema: events; Owner: belfry_owner
--

CREATE TABLE events.wake (
    call uuid NOT NULL,
    device uuid NOT NULL,
    tenant_id uuid NOT NULL,
    number text NOT NULL COLLATE pg_catalog."C",
    body jsonb NOT NULL,
    until timestamp with time zone NOT NULL,
    owner uuid,
    state text DEFAULT 'waking'::text NOT NULL,
    why text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    ended_at timestamp with time zone,
    kind text DEFAULT 'wake'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    next_attempt_at timestamp with time zone DEFAULT now() NOT NULL,
    held boolean DEFAULT false NOT NULL,
    got boolean DEFAULT false NOT NULL,
    CONSTRAINT wake_body_size CHECK ((octet_length((body)::text) <= 8192)),
    CONSTRAINT wake_kind_known CHECK ((kind = ANY (ARRAY['wake'::text, 'test'::text]))),
    CONSTRAINT wake_state_known CHECK ((state = ANY (ARRAY['waking'::text, 'waiting'::text, 'cancelling'::text, 'over'::text])))
)
PARTITION BY RANGE (call);

ALTER TABLE ONLY events.wake FORCE ROW LEVEL SECURITY;

ALTER TABLE events.wake OWNER TO belfry_owner;

--
-- Name: COLUMN wake.body; Type: COMMENT; Schema: events; Owner: belfry_owner
--

COMMENT ON COLUMN events.wake.body IS 'what the push says: caller, callee, SIP Call-ID, wake token';

--
-- Name: COLUMN wake.state; Type: COMMENT; Schema: events; Owner: belfry_owner
--

COMMENT ON COLUMN events.wake.state IS 'waking: a push is to be sent; waiting: it was; cancelling: a cancel push is to be sent; over: nothing more';

--
-- Name: COLUMN wake.kind; Type: COMMENT; Schema: events; Owner: belfry_owner
--

COMMENT ON COLUMN events.wake.kind IS 'test: of no call, asked for by REST';

--
-- Name: COLUMN wake.next_attempt_at; Type: COMMENT; Schema: events; Owner: belfry_owner
--

COMMENT ON COLUMN events.wake.next_attempt_at IS 'when the owner looks for it here; far off while it holds it in memory';

--
-- Name: COLUMN wake.got; Type: COMMENT; Schema: events; Owner: belfry_owner
--

COMMENT ON COLUMN events.wake.got IS 'the device may have got the push: it was sent, or nobody knows. Else no cancel is needed';

--
-- Name: wake_default; Type: TABLE; Schema: events; Owner: belfry_owner
--

CREATE TABLE events.wake_default (
    call uuid NOT NULL,
    device uuid NOT NULL,
    tenant_id uuid NOT NULL,
    number text NOT NULL COLLATE pg_catalog."C",
    body jsonb NOT NULL,
    until timestamp with time zone NOT NULL,
    owner uuid,
    state text DEFAULT 'waking'::text NOT NULL,
    why text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    ended_at timestamp with time zone,
    kind text DEFAULT 'wake'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    next_attempt_at timestamp with time zone DEFAULT now() NOT NULL,
    held boolean DEFAULT false NOT NULL,
    got boolean DEFAULT false NOT NULL,
    CONSTRAINT wake_body_size CHECK ((octet_length((body)::text) <= 8192)),
    CONSTRAINT wake_kind_known CHECK ((kind = ANY (ARRAY['wake'::text, 'test'::text]))),
    CONSTRAINT wake_state_known CHECK ((state = ANY (ARRAY['waking'::text, 'waiting'::text, 'cancelling'::text, 'over'::text])))
);

ALTER TABLE ONLY events.wake_default FORCE ROW LEVEL SECURITY;

ALTER TABLE events.wake_default OWNER TO belfry_owner;

--
-- Name: webhook; Type: TABLE; Schema: events; Owner: belfry_owner
--

CREATE TABLE events.webhook (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    url text NOT NULL,
    types text[] NOT NULL COLLATE pg_catalog."C",
    status text DEFAULT 'active'::text NOT NULL,
    secret bytea NOT NULL,
    secret_before bytea,
    before_until timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    failures integer DEFAULT 0 NOT NULL,
    failing_since timestamp with time zone,
    open_until timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT webhook_before_whole CHECK (((secret_before IS NULL) = (before_until IS NULL))),
    CONSTRAINT webhook_status_known CHECK ((status = ANY (ARRAY['active'::text, 'paused'::text, 'gone'::text]))),
    CONSTRAINT webhook_types_count CHECK (((cardinality(types) >= 1) AND (cardinality(types) <= 32))),
    CONSTRAINT webhook_url_size CHECK (((octet_length(url) >= 1) AND (octet_length(url) <= 2048)))
);

ALTER TABLE ONLY events.webhook FORCE ROW LEVEL SECURITY;

ALTER TABLE events.webhook OWNER TO belfry_owner;

--
-- Name: COLUMN webhook.types; Type: COMMENT; Schema: events; Owner: belfry_owner
--

COMMENT ON COLUMN events.webhook.types IS 'event types, "call.*" for all of a noun, or "*"';

--
-- Name: COLUMN webhook.status; Type: COMMENT; Schema: events; Owner: belfry_owner
--

COMMENT ON COLUMN events.webhook.status IS 'gone: it answered 410; only its tenant makes it active again';

--
-- Name: COLUMN webhook.secret; Type: COMMENT; Schema: events; Owner: belfry_owner
--

COMMENT ON COLUMN events.webhook.secret IS 'sealed under BELFRY_SEAL_KEY: the webhook''s id and the secret';

--
-- Name: COLUMN webhook.secret_before; Type: COMMENT; Schema: events; Owner: belfry_owner
--

COMMENT ON COLUMN events.webhook.secret_before IS 'the one before, which signs too until before_until';

--
-- Name: COLUMN webhook.version; Type: COMMENT; Schema: events; Owner: belfry_owner
--

COMMENT ON COLUMN events.webhook.version IS 'grows with every change by REST: who has another one cached reads it anew';

--
-- Name: COLUMN webhook.open_until; Type: COMMENT; Schema: events; Owner: belfry_owner
--

COMMENT ON COLUMN events.webhook.open_until IS 'circuit breaker: until then nothing is sent, then one delivery tries';

--
-- Name: migration; Type: TABLE; Schema: public; Owner: belfry_owner
--

CREATE TABLE public.migration (
    version integer NOT NULL,
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE public.migration OWNER TO belfry_owner;

--
-- Name: api_key; Type: TABLE; Schema: registry; Owner: belfry_owner
--

CREATE TABLE registry.api_key (
    id uuid NOT NULL,
    tenant_id uuid,
    role text NOT NULL,
    name text DEFAULT ''::text NOT NULL,
    sha256 bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone,
    last_used timestamp with time zone,
    CONSTRAINT api_key_name_size CHECK ((octet_length(name) <= 64)),
    CONSTRAINT api_key_operator_has_no_tenant CHECK (((role = 'operator'::text) = (tenant_id IS NULL))),
    CONSTRAINT api_key_role_known CHECK ((role = ANY (ARRAY['operator'::text, 'admin'::text, 'reader'::text]))),
    CONSTRAINT api_key_sha256_size CHECK ((octet_length(sha256) = 32))
);

ALTER TABLE ONLY registry.api_key FORCE ROW LEVEL SECURITY;

ALTER TABLE registry.api_key OWNER TO belfry_owner;

--
-- Name: COLUMN api_key.last_used; Type: COMMENT; Schema: registry; Owner: belfry_owner
--

COMMENT ON COLUMN registry.api_key.last_used IS 'to the hour: written at most once an hour';

--
-- Name: app_key; Type: TABLE; Schema: registry; Owner: belfry_owner
--

CREATE TABLE registry.app_key (
    id uuid NOT NULL,
    kid text NOT NULL COLLATE pg_catalog."C",
    public bytea NOT NULL,
    sealed bytea NOT NULL,
    not_before timestamp with time zone NOT NULL,
    not_after timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT app_key_kid_form CHECK ((kid ~ '^[A-Za-z0-9_-]{1,32}$'::text)),
    CONSTRAINT app_key_public_size CHECK ((octet_length(public) = 32))
);

ALTER TABLE ONLY registry.app_key FORCE ROW LEVEL SECURITY;

ALTER TABLE registry.app_key OWNER TO belfry_owner;

--
-- Name: COLUMN app_key.sealed; Type: COMMENT; Schema: registry; Owner: belfry_owner
--

COMMENT ON COLUMN registry.app_key.sealed IS 'sealed under BELFRY_SEAL_KEY of the registry: the id and the private key in hex';

--
-- Name: COLUMN app_key.not_before; Type: COMMENT; Schema: registry; Owner: belfry_owner
--

COMMENT ON COLUMN registry.app_key.not_before IS 'it signs from here on, until the next one does';

--
-- Name: COLUMN app_key.not_after; Type: COMMENT; Schema: registry; Owner: belfry_owner
--

COMMENT ON COLUMN registry.app_key.not_after IS 'when its last token has expired; null: it has no successor yet';

--
-- Name: audit; Type: TABLE; Schema: registry; Owner: belfry_owner
--

CREATE TABLE registry.audit (
    id uuid NOT NULL,
    tenant_id uuid,
    at timestamp with time zone DEFAULT now() NOT NULL,
    key_id uuid,
    role text NOT NULL,
    request_id text NOT NULL,
    remote text NOT NULL,
    action text NOT NULL,
    target text NOT NULL,
    before jsonb,
    after jsonb
);

ALTER TABLE ONLY registry.audit FORCE ROW LEVEL SECURITY;

ALTER TABLE registry.audit OWNER TO belfry_owner;

--
-- Name: change; Type: TABLE; Schema: registry; Owner: belfry_owner
--

CREATE TABLE registry.change (
    seq bigint NOT NULL,
    tenant_id uuid NOT NULL,
    kind text NOT NULL,
    domain text COLLATE pg_catalog."C",
    number text COLLATE pg_catalog."C",
    at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT change_kind_known CHECK ((((kind = ANY (ARRAY['tenant'::text, 'app-keys'::text])) AND (domain IS NULL) AND (number IS NULL)) OR ((kind = 'domain'::text) AND (domain IS NOT NULL) AND (number IS NULL)) OR ((kind = ANY (ARRAY['extension'::text, 'group'::text])) AND (domain IS NULL) AND (number IS NOT NULL))))
);

ALTER TABLE ONLY registry.change FORCE ROW LEVEL SECURITY;

ALTER TABLE registry.change OWNER TO belfry_owner;

--
-- Name: domain; Type: TABLE; Schema: registry; Owner: belfry_owner
--

CREATE TABLE registry.domain (
    name text NOT NULL COLLATE pg_catalog."C",
    tenant_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT domain_name_form CHECK ((((octet_length(name) >= 1) AND (octet_length(name) <= 253)) AND (name = lower(name)) AND (name !~ '[^a-z0-9.-]'::text)))
);

ALTER TABLE ONLY registry.domain FORCE ROW LEVEL SECURITY;

ALTER TABLE registry.domain OWNER TO belfry_owner;

--
-- Name: extension; Type: TABLE; Schema: registry; Owner: belfry_owner
--

CREATE TABLE registry.extension (
    tenant_id uuid NOT NULL,
    number text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL,
    display_name text DEFAULT ''::text NOT NULL,
    max_contacts smallint DEFAULT 5 NOT NULL,
    ha1_md5 bytea NOT NULL,
    ha1_sha256 bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    do_not_disturb boolean DEFAULT false NOT NULL,
    forward_always text COLLATE pg_catalog."C",
    forward_busy text COLLATE pg_catalog."C",
    forward_no_answer text COLLATE pg_catalog."C",
    ring_seconds smallint DEFAULT 30 NOT NULL,
    id uuid DEFAULT registry.new_id() NOT NULL,
    CONSTRAINT extension_display_name_size CHECK ((octet_length(display_name) <= 128)),
    CONSTRAINT extension_forward_form CHECK (((forward_always ~ '^[0-9A-Za-z+][0-9A-Za-z._+-]{0,31}$'::text) AND (forward_busy ~ '^[0-9A-Za-z+][0-9A-Za-z._+-]{0,31}$'::text) AND (forward_no_answer ~ '^[0-9A-Za-z+][0-9A-Za-z._+-]{0,31}$'::text))),
    CONSTRAINT extension_ha1_size CHECK (((octet_length(ha1_md5) = 16) AND (octet_length(ha1_sha256) = 32))),
    CONSTRAINT extension_kind_known CHECK ((kind = ANY (ARRAY['softphone'::text, 'browser'::text, 'app'::text, 'door'::text]))),
    CONSTRAINT extension_max_contacts_range CHECK (((max_contacts >= 1) AND (max_contacts <= 20))),
    CONSTRAINT extension_number_form CHECK ((number ~ '^[0-9A-Za-z+][0-9A-Za-z._+-]{0,31}$'::text)),
    CONSTRAINT extension_ring_seconds_range CHECK (((ring_seconds >= 1) AND (ring_seconds <= 300)))
);

ALTER TABLE ONLY registry.extension FORCE ROW LEVEL SECURITY;

ALTER TABLE registry.extension OWNER TO belfry_owner;

--
-- Name: COLUMN extension.ha1_md5; Type: COMMENT; Schema: registry; Owner: belfry_owner
--

COMMENT ON COLUMN registry.extension.ha1_md5 IS 'MD5(number:realm:password); the password itself is never stored';

--
-- Name: COLUMN extension.forward_always; Type: COMMENT; Schema: registry; Owner: belfry_owner
--

COMMENT ON COLUMN registry.extension.forward_always IS 'this and the other two: a number, null when not set; whether it exists is found out when a call is planned';

--
-- Name: COLUMN extension.id; Type: COMMENT; Schema: registry; Owner: belfry_owner
--

COMMENT ON COLUMN registry.extension.id IS 'never changed; a number that is made again gets another, larger one';

--
-- Name: feed_head; Type: TABLE; Schema: registry; Owner: belfry_owner
--

CREATE TABLE registry.feed_head (
    only_row boolean DEFAULT true NOT NULL,
    epoch bigint NOT NULL,
    seq bigint DEFAULT 0 NOT NULL,
    CONSTRAINT feed_head_only_row_check CHECK (only_row)
)
WITH (fillfactor='10');

ALTER TABLE registry.feed_head OWNER TO belfry_owner;

--
-- Name: group_; Type: TABLE; Schema: registry; Owner: belfry_owner
--

CREATE TABLE registry.group_ (
    tenant_id uuid NOT NULL,
    number text NOT NULL COLLATE pg_catalog."C",
    display_name text DEFAULT ''::text NOT NULL,
    strategy text NOT NULL,
    ring_seconds smallint DEFAULT 30 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT group_display_name_size CHECK ((octet_length(display_name) <= 128)),
    CONSTRAINT group_number_form CHECK ((number ~ '^[0-9A-Za-z+][0-9A-Za-z._+-]{0,31}$'::text)),
    CONSTRAINT group_ring_seconds_range CHECK (((ring_seconds >= 1) AND (ring_seconds <= 300))),
    CONSTRAINT group_strategy_known CHECK ((strategy = ANY (ARRAY['all'::text, 'sequence'::text])))
);

ALTER TABLE ONLY registry.group_ FORCE ROW LEVEL SECURITY;

ALTER TABLE registry.group_ OWNER TO belfry_owner;

--
-- Name: COLUMN group_.ring_seconds; Type: COMMENT; Schema: registry; Owner: belfry_owner
--

COMMENT ON COLUMN registry.group_.ring_seconds IS 'strategy all: in total; sequence: each member';

--
-- Name: group_member; Type: TABLE; Schema: registry; Owner: belfry_owner
--

CREATE TABLE registry.group_member (
    tenant_id uuid NOT NULL,
    group_number text NOT NULL COLLATE pg_catalog."C",
    member text NOT NULL COLLATE pg_catalog."C",
    "position" smallint NOT NULL,
    CONSTRAINT group_member_position_range CHECK ((("position" >= 1) AND ("position" <= 100)))
);

ALTER TABLE ONLY registry.group_member FORCE ROW LEVEL SECURITY;

ALTER TABLE registry.group_member OWNER TO belfry_owner;

--
-- Name: idempotency; Type: TABLE; Schema: registry; Owner: belfry_owner
--

CREATE TABLE registry.idempotency (
    key_id uuid NOT NULL,
    hash bytea NOT NULL,
    tenant_id uuid,
    request bytea NOT NULL,
    status smallint NOT NULL,
    answer bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY registry.idempotency FORCE ROW LEVEL SECURITY;

ALTER TABLE registry.idempotency OWNER TO belfry_owner;

--
-- Name: number; Type: TABLE; Schema: registry; Owner: belfry_owner
--

CREATE TABLE registry.number (
    tenant_id uuid NOT NULL,
    number text NOT NULL COLLATE pg_catalog."C"
);

ALTER TABLE ONLY registry.number FORCE ROW LEVEL SECURITY;

ALTER TABLE registry.number OWNER TO belfry_owner;

--
-- Name: tenant; Type: TABLE; Schema: registry; Owner: belfry_owner
--

CREATE TABLE registry.tenant (
    id uuid NOT NULL,
    slug text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL,
    status text DEFAULT 'active'::text NOT NULL,
    realm text NOT NULL COLLATE pg_catalog."C",
    max_calls integer DEFAULT 0 NOT NULL,
    max_registrations integer DEFAULT 0 NOT NULL,
    calls_per_second integer DEFAULT 0 NOT NULL,
    requests_per_minute integer DEFAULT 0 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT tenant_limits_range CHECK ((((max_calls >= 0) AND (max_calls <= 1000000)) AND ((max_registrations >= 0) AND (max_registrations <= 1000000)) AND ((calls_per_second >= 0) AND (calls_per_second <= 1000000)) AND ((requests_per_minute >= 0) AND (requests_per_minute <= 1000000)))),
    CONSTRAINT tenant_name_size CHECK (((octet_length(name) >= 1) AND (octet_length(name) <= 128))),
    CONSTRAINT tenant_realm_size CHECK (((octet_length(realm) >= 1) AND (octet_length(realm) <= 253))),
    CONSTRAINT tenant_slug_form CHECK ((slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'::text)),
    CONSTRAINT tenant_status_known CHECK ((status = ANY (ARRAY['active'::text, 'suspended'::text])))
);

ALTER TABLE ONLY registry.tenant FORCE ROW LEVEL SECURITY;

ALTER TABLE registry.tenant OWNER TO belfry_owner;

--
-- Name: COLUMN tenant.realm; Type: COMMENT; Schema: registry; Owner: belfry_owner
--

COMMENT ON COLUMN registry.tenant.realm IS 'digest realm: the first domain, never changed afterwards, because every HA1 of the tenant depends on it';

--
-- Name: COLUMN tenant.max_calls; Type: COMMENT; Schema: registry; Owner: belfry_owner
--

COMMENT ON COLUMN registry.tenant.max_calls IS 'this and the other limits: 0 is no limit of its own';

--
-- Name: cdr_default; Type: TABLE ATTACH; Schema: calls; Owner: belfry_owner
--

ALTER TABLE ONLY calls.cdr ATTACH PARTITION calls.cdr_default DEFAULT;

--
-- Name: timeline_default; Type: TABLE ATTACH; Schema: calls; Owner: belfry_owner
--

ALTER TABLE ONLY calls.timeline ATTACH PARTITION calls.timeline_default DEFAULT;

--
-- Name: attempt_default; Type: TABLE ATTACH; Schema: events; Owner: belfry_owner
--

ALTER TABLE ONLY events.attempt ATTACH PARTITION events.attempt_default DEFAULT;

--
-- Name: delivery_default; Type: TABLE ATTACH; Schema: events; Owner: belfry_owner
--

ALTER TABLE ONLY events.delivery ATTACH PARTITION events.delivery_default DEFAULT;

--
-- Name: event_default; Type: TABLE ATTACH; Schema: events; Owner: belfry_owner
--

ALTER TABLE ONLY events.event ATTACH PARTITION events.event_default DEFAULT;

--
-- Name: push_attempt_default; Type: TABLE ATTACH; Schema: events; Owner: belfry_owner
--

ALTER TABLE ONLY events.push_attempt ATTACH PARTITION events.push_attempt_default DEFAULT;

--
-- Name: wake_default; Type: TABLE ATTACH; Schema: events; Owner: belfry_owner
--

ALTER TABLE ONLY events.wake ATTACH PARTITION events.wake_default DEFAULT;

--
-- Name: cdr cdr_pkey; Type: CONSTRAINT; Schema: calls; Owner: belfry_owner
--

ALTER TABLE ONLY calls.cdr
    ADD CONSTRAINT cdr_pkey PRIMARY KEY (call);

--
-- Name: cdr_default cdr_default_pkey; Type: CONSTRAINT; Schema: calls; Owner: belfry_owner
--

ALTER TABLE ONLY calls.cdr_default
    ADD CONSTRAINT cdr_default_pkey PRIMARY KEY (call);

--
-- Name: outbox outbox_pkey; Type: CONSTRAINT; Schema: calls; Owner: belfry_owner
--

ALTER TABLE ONLY calls.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY ("position");

--
-- Name: timeline timeline_pkey; Type: CONSTRAINT; Schema: calls; Owner: belfry_owner
--

ALTER TABLE ONLY calls.timeline
    ADD CONSTRAINT timeline_pkey PRIMARY KEY (call, seq);

--
-- Name: timeline_default timeline_default_pkey; Type: CONSTRAINT; Schema: calls; Owner: belfry_owner
--

ALTER TABLE ONLY calls.timeline_default
    ADD CONSTRAINT timeline_default_pkey PRIMARY KEY (call, seq);

--
-- Name: attempt attempt_pkey; Type: CONSTRAINT; Schema: events; Owner: belfry_owner
--

ALTER TABLE ONLY events.attempt
    ADD CONSTRAINT attempt_pkey PRIMARY KEY (delivery_id, number);

--
-- Name: attempt_default attempt_default_pkey; Type: CONSTRAINT; Schema: events; Owner: belfry_owner
--

ALTER TABLE ONLY events.attempt_default
    ADD CONSTRAINT attempt_default_pkey PRIMARY KEY (delivery_id, number);

--
-- Name: delivery delivery_pkey; Type: CONSTRAINT; Schema: events; Owner: belfry_owner
--

ALTER TABLE ONLY events.delivery
    ADD CONSTRAINT delivery_pkey PRIMARY KEY (webhook_id, id);

--
-- Name: delivery_default delivery_default_pkey; Type: CONSTRAINT; Schema: events; Owner: belfry_owner
--

ALTER TABLE ONLY events.delivery_default
    ADD CONSTRAINT delivery_default_pkey PRIMARY KEY (webhook_id, id);

--
-- Name: event event_pkey; Type: CONSTRAINT; Schema: events; Owner: belfry_owner
--

ALTER TABLE ONLY events.event
    ADD CONSTRAINT event_pkey PRIMARY KEY (id);

--
-- Name: event_default event_default_pkey; Type: CONSTRAINT; Schema: events; Owner: belfry_owner
--

ALTER TABLE ONLY events.event_default
    ADD CONSTRAINT event_default_pkey PRIMARY KEY (id);

--
-- Name: idempotency idempotency_key; Type: CONSTRAINT; Schema: events; Owner: belfry_owner
--

ALTER TABLE ONLY events.idempotency
    ADD CONSTRAINT idempotency_key UNIQUE NULLS NOT DISTINCT (tenant_id, key_id, hash);

--
-- Name: listener listener_pkey; Type: CONSTRAINT; Schema: events; Owner: belfry_owner
--

ALTER TABLE ONLY events.listener
    ADD CONSTRAINT listener_pkey PRIMARY KEY (tenant_id);

--
-- Name: pending pending_pkey; Type: CONSTRAINT; Schema: events; Owner: belfry_owner
--

ALTER TABLE ONLY events.pending
    ADD CONSTRAINT pending_pkey PRIMARY KEY (webhook_id, lane, "position");

--
-- Name: push_attempt push_attempt_pkey; Type: CONSTRAINT; Schema: events; Owner: belfry_owner
--

ALTER TABLE ONLY events.push_attempt
    ADD CONSTRAINT push_attempt_pkey PRIMARY KEY (call, device, number);

--
-- Name: push_attempt_default push_attempt_default_pkey; Type: CONSTRAINT; Schema: events; Owner: belfry_owner
--

ALTER TABLE ONLY events.push_attempt_default
    ADD CONSTRAINT push_attempt_default_pkey PRIMARY KEY (call, device, number);

--
-- Name: push_credential push_credential_key; Type: CONSTRAINT; Schema: events; Owner: belfry_owner
--

ALTER TABLE ONLY events.push_credential
    ADD CONSTRAINT push_credential_key UNIQUE NULLS NOT DISTINCT (tenant_id, provider, name);

--
-- Name: push_credential push_credential_pkey; Type: CONSTRAINT; Schema: events; Owner: belfry_owner
--

ALTER TABLE ONLY events.push_credential
    ADD CONSTRAINT push_credential_pkey PRIMARY KEY (id);

--
-- Name: push_device push_device_key; Type: CONSTRAINT; Schema: events; Owner: belfry_owner
--

ALTER TABLE ONLY events.push_device
    ADD CONSTRAINT push_device_key UNIQUE (tenant_id, number, device_id, provider);

--
-- Name: push_device push_device_pkey; Type: CONSTRAINT; Schema: events; Owner: belfry_owner
--

ALTER TABLE ONLY events.push_device
    ADD CONSTRAINT push_device_pkey PRIMARY KEY (id);

--
-- Name: push_line push_line_pkey; Type: CONSTRAINT; Schema: events; Owner: belfry_owner
--

ALTER TABLE ONLY events.push_line
    ADD CONSTRAINT push_line_pkey PRIMARY KEY ("position");

--
-- Name: replica replica_pkey; Type: CONSTRAINT; Schema: events; Owner: belfry_owner
--

ALTER TABLE ONLY events.replica
    ADD CONSTRAINT replica_pkey PRIMARY KEY (id);

--
-- Name: wake wake_pkey; Type: CONSTRAINT; Schema: events; Owner: belfry_owner
--

ALTER TABLE ONLY events.wake
    ADD CONSTRAINT wake_pkey PRIMARY KEY (call, device);

--
-- Name: wake_default wake_default_pkey; Type: CONSTRAINT; Schema: events; Owner: belfry_owner
--

ALTER TABLE ONLY events.wake_default
    ADD CONSTRAINT wake_default_pkey PRIMARY KEY (call, device);

--
-- Name: webhook webhook_pkey; Type: CONSTRAINT; Schema: events; Owner: belfry_owner
--

ALTER TABLE ONLY events.webhook
    ADD CONSTRAINT webhook_pkey PRIMARY KEY (id);

--
-- Name: migration migration_pkey; Type: CONSTRAINT; Schema: public; Owner: belfry_owner
--

ALTER TABLE ONLY public.migration
    ADD CONSTRAINT migration_pkey PRIMARY KEY (version);

--
-- Name: api_key api_key_pkey; Type: CONSTRAINT; Schema: registry; Owner: belfry_owner
--

ALTER TABLE ONLY registry.api_key
    ADD CONSTRAINT api_key_pkey PRIMARY KEY (id);

--
-- Name: api_key api_key_sha256_key; Type: CONSTRAINT; Schema: registry; Owner: belfry_owner
--

ALTER TABLE ONLY registry.api_key
    ADD CONSTRAINT api_key_sha256_key UNIQUE (sha256);

--
-- Name: app_key app_key_kid_key; Type: CONSTRAINT; Schema: registry; Owner: belfry_owner
--

ALTER TABLE ONLY registry.app_key
    ADD CONSTRAINT app_key_kid_key UNIQUE (kid);

--
-- Name: app_key app_key_pkey; Type: CONSTRAINT; Schema: registry; Owner: belfry_owner
--

ALTER TABLE ONLY registry.app_key
    ADD CONSTRAINT app_key_pkey PRIMARY KEY (id);

--
-- Name: audit audit_pkey; Type: CONSTRAINT; Schema: registry; Owner: belfry_owner
--

ALTER TABLE ONLY registry.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (id);

--
-- Name: change change_pkey; Type: CONSTRAINT; Schema: registry; Owner: belfry_owner
--

ALTER TABLE ONLY registry.change
    ADD CONSTRAINT change_pkey PRIMARY KEY (seq);

--
-- Name: domain domain_pkey; Type: CONSTRAINT; Schema: registry; Owner: belfry_owner
--

ALTER TABLE ONLY registry.domain
    ADD CONSTRAINT domain_pkey PRIMARY KEY (name);

--
-- Name: extension extension_pkey; Type: CONSTRAINT; Schema: registry; Owner: belfry_owner
--

ALTER TABLE ONLY registry.extension
    ADD CONSTRAINT extension_pkey PRIMARY KEY (tenant_id, number);

--
-- Name: feed_head feed_head_pkey; Type: CONSTRAINT; Schema: registry; Owner: belfry_owner
--

ALTER TABLE ONLY registry.feed_head
    ADD CONSTRAINT feed_head_pkey PRIMARY KEY (only_row);

--
-- Name: group_member group_member_pkey; Type: CONSTRAINT; Schema: registry; Owner: belfry_owner
--

ALTER TABLE ONLY registry.group_member
    ADD CONSTRAINT group_member_pkey PRIMARY KEY (tenant_id, group_number, member);

--
-- Name: group_ group_pkey; Type: CONSTRAINT; Schema: registry; Owner: belfry_owner
--

ALTER TABLE ONLY registry.group_
    ADD CONSTRAINT group_pkey PRIMARY KEY (tenant_id, number);

--
-- Name: idempotency idempotency_pkey; Type: CONSTRAINT; Schema: registry; Owner: belfry_owner
--

ALTER TABLE ONLY registry.idempotency
    ADD CONSTRAINT idempotency_pkey PRIMARY KEY (key_id, hash);

--
-- Name: number number_pkey; Type: CONSTRAINT; Schema: registry; Owner: belfry_owner
--

ALTER TABLE ONLY registry.number
    ADD CONSTRAINT number_pkey PRIMARY KEY (tenant_id, number);

--
-- Name: tenant tenant_pkey; Type: CONSTRAINT; Schema: registry; Owner: belfry_owner
--

ALTER TABLE ONLY registry.tenant
    ADD CONSTRAINT tenant_pkey PRIMARY KEY (id);

--
-- Name: tenant tenant_slug_key; Type: CONSTRAINT; Schema: registry; Owner: belfry_owner
--

ALTER TABLE ONLY registry.tenant
    ADD CONSTRAINT tenant_slug_key UNIQUE (slug);

--
-- Name: cdr_answered_by_idx; Type: INDEX; Schema: calls; Owner: belfry_owner
--

CREATE INDEX cdr_answered_by_idx ON ONLY calls.cdr USING btree (tenant_id, answered_by, call) WHERE ((answered_by <> ''::text) AND (answered_by <> callee));

--
-- Name: cdr_callee_idx; Type: INDEX; Schema: calls; Owner: belfry_owner
--

CREATE INDEX cdr_callee_idx ON ONLY calls.cdr USING btree (tenant_id, callee, call);

--
-- Name: cdr_caller_idx; Type: INDEX; Schema: calls; Owner: belfry_owner
--

CREATE INDEX cdr_caller_idx ON ONLY calls.cdr USING btree (tenant_id, caller, call);

--
-- Name: cdr_default_tenant_id_answered_by_call_idx; Type: INDEX; Schema: calls; Owner: belfry_owner
--

CREATE INDEX cdr_default_tenant_id_answered_by_call_idx ON calls.cdr_default USING btree (tenant_id, answered_by, call) WHERE ((answered_by <> ''::text) AND (answered_by <> callee));

--
-- Name: cdr_tenant_idx; Type: INDEX; Schema: calls; Owner: belfry_owner
--

CREATE INDEX cdr_tenant_idx ON ONLY calls.cdr USING btree (tenant_id, call);

--
-- Name: cdr_default_tenant_id_call_idx; Type: INDEX; Schema: calls; Owner: belfry_owner
--

CREATE INDEX cdr_default_tenant_id_call_idx ON calls.cdr_default USING btree (tenant_id, call);

--
-- Name: cdr_default_tenant_id_callee_call_idx; Type: INDEX; Schema: calls; Owner: belfry_owner
--

CREATE INDEX cdr_default_tenant_id_callee_call_idx ON calls.cdr_default USING btree (tenant_id, callee, call);

--
-- Name: cdr_default_tenant_id_caller_call_idx; Type: INDEX; Schema: calls; Owner: belfry_owner
--

CREATE INDEX cdr_default_tenant_id_caller_call_idx ON calls.cdr_default USING btree (tenant_id, caller, call);

--
-- Name: timeline_began_idx; Type: INDEX; Schema: calls; Owner: belfry_owner
--

CREATE INDEX timeline_began_idx ON ONLY calls.timeline USING btree (call) WHERE (seq = 1);

--
-- Name: timeline_default_call_idx; Type: INDEX; Schema: calls; Owner: belfry_owner
--

CREATE INDEX timeline_default_call_idx ON calls.timeline_default USING btree (call) WHERE (seq = 1);

--
-- Name: delivery_tenant_idx; Type: INDEX; Schema: events; Owner: belfry_owner
--

CREATE INDEX delivery_tenant_idx ON ONLY events.delivery USING btree (tenant_id, id);

--
-- Name: delivery_default_tenant_id_id_idx; Type: INDEX; Schema: events; Owner: belfry_owner
--

CREATE INDEX delivery_default_tenant_id_id_idx ON events.delivery_default USING btree (tenant_id, id);

--
-- Name: event_tenant_idx; Type: INDEX; Schema: events; Owner: belfry_owner
--

CREATE INDEX event_tenant_idx ON ONLY events.event USING btree (tenant_id, "position");

--
-- Name: event_default_tenant_id_position_idx; Type: INDEX; Schema: events; Owner: belfry_owner
--

CREATE INDEX event_default_tenant_id_position_idx ON events.event_default USING btree (tenant_id, "position");

--
-- Name: event_tx_idx; Type: INDEX; Schema: events; Owner: belfry_owner
--

CREATE INDEX event_tx_idx ON ONLY events.event USING btree (tx);

--
-- Name: event_default_tx_idx; Type: INDEX; Schema: events; Owner: belfry_owner
--

CREATE INDEX event_default_tx_idx ON events.event_default USING btree (tx);

--
-- Name: idempotency_age_idx; Type: INDEX; Schema: events; Owner: belfry_owner
--

CREATE INDEX idempotency_age_idx ON events.idempotency USING btree (created_at);

--
-- Name: pending_due_idx; Type: INDEX; Schema: events; Owner: belfry_owner
--

CREATE INDEX pending_due_idx ON events.pending USING btree (owner, next_attempt_at);

--
-- Name: pending_tenant_idx; Type: INDEX; Schema: events; Owner: belfry_owner
--

CREATE INDEX pending_tenant_idx ON events.pending USING btree (tenant_id, id);

--
-- Name: push_attempt_device_idx; Type: INDEX; Schema: events; Owner: belfry_owner
--

CREATE INDEX push_attempt_device_idx ON ONLY events.push_attempt USING btree (device, call DESC, number DESC);

--
-- Name: push_attempt_default_device_call_number_idx; Type: INDEX; Schema: events; Owner: belfry_owner
--

CREATE INDEX push_attempt_default_device_call_number_idx ON events.push_attempt_default USING btree (device, call DESC, number DESC);

--
-- Name: push_attempt_receipt_idx; Type: INDEX; Schema: events; Owner: belfry_owner
--

CREATE INDEX push_attempt_receipt_idx ON ONLY events.push_attempt USING btree (receipt_at) WHERE (receipt_at IS NOT NULL);

--
-- Name: push_attempt_default_receipt_at_idx; Type: INDEX; Schema: events; Owner: belfry_owner
--

CREATE INDEX push_attempt_default_receipt_at_idx ON events.push_attempt_default USING btree (receipt_at) WHERE (receipt_at IS NOT NULL);

--
-- Name: push_device_number_idx; Type: INDEX; Schema: events; Owner: belfry_owner
--

CREATE INDEX push_device_number_idx ON events.push_device USING btree (tenant_id, number) WHERE (state = 'alive'::text);

--
-- Name: push_device_token_idx; Type: INDEX; Schema: events; Owner: belfry_owner
--

CREATE INDEX push_device_token_idx ON events.push_device USING btree (tenant_id, provider, md5(token));

--
-- Name: wake_due_idx; Type: INDEX; Schema: events; Owner: belfry_owner
--

CREATE INDEX wake_due_idx ON ONLY events.wake USING btree (owner, next_attempt_at) WHERE (state = ANY (ARRAY['waking'::text, 'cancelling'::text]));

--
-- Name: wake_default_owner_next_attempt_at_idx; Type: INDEX; Schema: events; Owner: belfry_owner
--

CREATE INDEX wake_default_owner_next_attempt_at_idx ON events.wake_default USING btree (owner, next_attempt_at) WHERE (state = ANY (ARRAY['waking'::text, 'cancelling'::text]));

--
-- Name: webhook_tenant_idx; Type: INDEX; Schema: events; Owner: belfry_owner
--

CREATE INDEX webhook_tenant_idx ON events.webhook USING btree (tenant_id, id);

--
-- Name: api_key_tenant_idx; Type: INDEX; Schema: registry; Owner: belfry_owner
--

CREATE INDEX api_key_tenant_idx ON registry.api_key USING btree (tenant_id, id);

--
-- Name: audit_tenant_idx; Type: INDEX; Schema: registry; Owner: belfry_owner
--

CREATE INDEX audit_tenant_idx ON registry.audit USING btree (tenant_id, id);

--
-- Name: domain_tenant_idx; Type: INDEX; Schema: registry; Owner: belfry_owner
--

CREATE INDEX domain_tenant_idx ON registry.domain USING btree (tenant_id, name);

--
-- Name: group_member_extension_idx; Type: INDEX; Schema: registry; Owner: belfry_owner
--

CREATE INDEX group_member_extension_idx ON registry.group_member USING btree (tenant_id, member);

--
-- Name: idempotency_age_idx; Type: INDEX; Schema: registry; Owner: belfry_owner
--

CREATE INDEX idempotency_age_idx ON registry.idempotency USING btree (created_at);

--
-- Name: idempotency_tenant_idx; Type: INDEX; Schema: registry; Owner: belfry_owner
--

CREATE INDEX idempotency_tenant_idx ON registry.idempotency USING btree (tenant_id);

--
-- Name: cdr_default_pkey; Type: INDEX ATTACH; Schema: calls; Owner: belfry_owner
--

ALTER INDEX calls.cdr_pkey ATTACH PARTITION calls.cdr_default_pkey;

--
-- Name: cdr_default_tenant_id_answered_by_call_idx; Type: INDEX ATTACH; Schema: calls; Owner: belfry_owner
--

ALTER INDEX calls.cdr_answered_by_idx ATTACH PARTITION calls.cdr_default_tenant_id_answered_by_call_idx;

--
-- Name: cdr_default_tenant_id_call_idx; Type: INDEX ATTACH; Schema: calls; Owner: belfry_owner
--

ALTER INDEX calls.cdr_tenant_idx ATTACH PARTITION calls.cdr_default_tenant_id_call_idx;

--
-- Name: cdr_default_tenant_id_callee_call_idx; Type: INDEX ATTACH; Schema: calls; Owner: belfry_owner
--

ALTER INDEX calls.cdr_callee_idx ATTACH PARTITION calls.cdr_default_tenant_id_callee_call_idx;

--
-- Name: cdr_default_tenant_id_caller_call_idx; Type: INDEX ATTACH; Schema: calls; Owner: belfry_owner
--

ALTER INDEX calls.cdr_caller_idx ATTACH PARTITION calls.cdr_default_tenant_id_caller_call_idx;

--
-- Name: timeline_default_call_idx; Type: INDEX ATTACH; Schema: calls; Owner: belfry_owner
--

ALTER INDEX calls.timeline_began_idx ATTACH PARTITION calls.timeline_default_call_idx;

--
-- Name: timeline_default_pkey; Type: INDEX ATTACH; Schema: calls; Owner: belfry_owner
--

ALTER INDEX calls.timeline_pkey ATTACH PARTITION calls.timeline_default_pkey;

--
-- Name: attempt_default_pkey; Type: INDEX ATTACH; Schema: events; Owner: belfry_owner
--

ALTER INDEX events.attempt_pkey ATTACH PARTITION events.attempt_default_pkey;

--
-- Name: delivery_default_pkey; Type: INDEX ATTACH; Schema: events; Owner: belfry_owner
--

ALTER INDEX events.delivery_pkey ATTACH PARTITION events.delivery_default_pkey;

--
-- Name: delivery_default_tenant_id_id_idx; Type: INDEX ATTACH; Schema: events; Owner: belfry_owner
--

ALTER INDEX events.delivery_tenant_idx ATTACH PARTITION events.delivery_default_tenant_id_id_idx;

--
-- Name: event_default_pkey; Type: INDEX ATTACH; Schema: events; Owner: belfry_owner
--

ALTER INDEX events.event_pkey ATTACH PARTITION events.event_default_pkey;

--
-- Name: event_default_tenant_id_position_idx; Type: INDEX ATTACH; Schema: events; Owner: belfry_owner
--

ALTER INDEX events.event_tenant_idx ATTACH PARTITION events.event_default_tenant_id_position_idx;

--
-- Name: event_default_tx_idx; Type: INDEX ATTACH; Schema: events; Owner: belfry_owner
--

ALTER INDEX events.event_tx_idx ATTACH PARTITION events.event_default_tx_idx;

--
-- Name: push_attempt_default_device_call_number_idx; Type: INDEX ATTACH; Schema: events; Owner: belfry_owner
--

ALTER INDEX events.push_attempt_device_idx ATTACH PARTITION events.push_attempt_default_device_call_number_idx;

--
-- Name: push_attempt_default_pkey; Type: INDEX ATTACH; Schema: events; Owner: belfry_owner
--

ALTER INDEX events.push_attempt_pkey ATTACH PARTITION events.push_attempt_default_pkey;

--
-- Name: push_attempt_default_receipt_at_idx; Type: INDEX ATTACH; Schema: events; Owner: belfry_owner
--

ALTER INDEX events.push_attempt_receipt_idx ATTACH PARTITION events.push_attempt_default_receipt_at_idx;

--
-- Name: wake_default_owner_next_attempt_at_idx; Type: INDEX ATTACH; Schema: events; Owner: belfry_owner
--

ALTER INDEX events.wake_due_idx ATTACH PARTITION events.wake_default_owner_next_attempt_at_idx;

--
-- Name: wake_default_pkey; Type: INDEX ATTACH; Schema: events; Owner: belfry_owner
--

ALTER INDEX events.wake_pkey ATTACH PARTITION events.wake_default_pkey;

--
-- Name: audit audit_append_only; Type: TRIGGER; Schema: registry; Owner: belfry_owner
--

CREATE TRIGGER audit_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON registry.audit FOR EACH STATEMENT EXECUTE FUNCTION registry.audit_is_append_only();

--
-- Name: change change_notify; Type: TRIGGER; Schema: registry; Owner: belfry_owner
--

CREATE TRIGGER change_notify AFTER INSERT ON registry.change FOR EACH STATEMENT EXECUTE FUNCTION registry.change_notify();

--
-- Name: extension number_give_back; Type: TRIGGER; Schema: registry; Owner: belfry_owner
--

CREATE TRIGGER number_give_back AFTER DELETE ON registry.extension FOR EACH ROW EXECUTE FUNCTION registry.number_give_back();

--
-- Name: group_ number_give_back; Type: TRIGGER; Schema: registry; Owner: belfry_owner
--

CREATE TRIGGER number_give_back AFTER DELETE ON registry.group_ FOR EACH ROW EXECUTE FUNCTION registry.number_give_back();

--
-- Name: extension number_take; Type: TRIGGER; Schema: registry; Owner: belfry_owner
--

CREATE TRIGGER number_take BEFORE INSERT ON registry.extension FOR EACH ROW EXECUTE FUNCTION registry.number_take();

--
-- Name: group_ number_take; Type: TRIGGER; Schema: registry; Owner: belfry_owner
--

CREATE TRIGGER number_take BEFORE INSERT ON registry.group_ FOR EACH ROW EXECUTE FUNCTION registry.number_take();

--
-- Name: api_key api_key_tenant_fkey; Type: FK CONSTRAINT; Schema: registry; Owner: belfry_owner
--

ALTER TABLE ONLY registry.api_key
    ADD CONSTRAINT api_key_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES registry.tenant(id) ON DELETE CASCADE;

--
-- Name: domain domain_tenant_fkey; Type: FK CONSTRAINT; Schema: registry; Owner: belfry_owner
--

ALTER TABLE ONLY registry.domain
    ADD CONSTRAINT domain_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES registry.tenant(id) ON DELETE CASCADE;

--
-- Name: extension extension_tenant_fkey; Type: FK CONSTRAINT; Schema: registry; Owner: belfry_owner
--

ALTER TABLE ONLY registry.extension
    ADD CONSTRAINT extension_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES registry.tenant(id) ON DELETE CASCADE;

--
-- Name: group_member group_member_extension_fkey; Type: FK CONSTRAINT; Schema: registry; Owner: belfry_owner
--

ALTER TABLE ONLY registry.group_member
    ADD CONSTRAINT group_member_extension_fkey FOREIGN KEY (tenant_id, member) REFERENCES registry.extension(tenant_id, number) ON DELETE CASCADE;

--
-- Name: group_member group_member_group_fkey; Type: FK CONSTRAINT; Schema: registry; Owner: belfry_owner
--

ALTER TABLE ONLY registry.group_member
    ADD CONSTRAINT group_member_group_fkey FOREIGN KEY (tenant_id, group_number) REFERENCES registry.group_(tenant_id, number) ON DELETE CASCADE;

--
-- Name: group_ group_tenant_fkey; Type: FK CONSTRAINT; Schema: registry; Owner: belfry_owner
--

ALTER TABLE ONLY registry.group_
    ADD CONSTRAINT group_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES registry.tenant(id) ON DELETE CASCADE;

--
-- Name: idempotency idempotency_key_fkey; Type: FK CONSTRAINT; Schema: registry; Owner: belfry_owner
--

ALTER TABLE ONLY registry.idempotency
    ADD CONSTRAINT idempotency_key_fkey FOREIGN KEY (key_id) REFERENCES registry.api_key(id) ON DELETE CASCADE;

--
-- Name: idempotency idempotency_tenant_fkey; Type: FK CONSTRAINT; Schema: registry; Owner: belfry_owner
--

ALTER TABLE ONLY registry.idempotency
    ADD CONSTRAINT idempotency_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES registry.tenant(id) ON DELETE CASCADE;

--
-- Name: number number_tenant_fkey; Type: FK CONSTRAINT; Schema: registry; Owner: belfry_owner
--

ALTER TABLE ONLY registry.number
    ADD CONSTRAINT number_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES registry.tenant(id) ON DELETE CASCADE;

--
-- Name: cdr; Type: ROW SECURITY; Schema: calls; Owner: belfry_owner
--

ALTER TABLE calls.cdr ENABLE ROW LEVEL SECURITY;

--
-- Name: cdr_default; Type: ROW SECURITY; Schema: calls; Owner: belfry_owner
--

ALTER TABLE calls.cdr_default ENABLE ROW LEVEL SECURITY;

--
-- Name: outbox; Type: ROW SECURITY; Schema: calls; Owner: belfry_owner
--

ALTER TABLE calls.outbox ENABLE ROW LEVEL SECURITY;

--
-- Name: cdr_default system_only; Type: POLICY; Schema: calls; Owner: belfry_owner
--

CREATE POLICY system_only ON calls.cdr_default USING ((( SELECT current_setting('belfry.scope'::text, true) AS current_setting) = 'system'::text));

--
-- Name: timeline_default system_only; Type: POLICY; Schema: calls; Owner: belfry_owner
--

CREATE POLICY system_only ON calls.timeline_default USING ((( SELECT current_setting('belfry.scope'::text, true) AS current_setting) = 'system'::text));

--
-- Name: cdr tenant_scope; Type: POLICY; Schema: calls; Owner: belfry_owner
--

CREATE POLICY tenant_scope ON calls.cdr USING (((( SELECT current_setting('belfry.scope'::text, true) AS current_setting) = 'system'::text) OR (tenant_id = ( SELECT (NULLIF(current_setting('belfry.tenant_id'::text, true), ''::text))::uuid AS "nullif"))));

--
-- Name: outbox tenant_scope; Type: POLICY; Schema: calls; Owner: belfry_owner
--

CREATE POLICY tenant_scope ON calls.outbox USING (((( SELECT current_setting('belfry.scope'::text, true) AS current_setting) = 'system'::text) OR (tenant_id = ( SELECT (NULLIF(current_setting('belfry.tenant_id'::text, true), ''::text))::uuid AS "nullif"))));

--
-- Name: timeline tenant_scope; Type: POLICY; Schema: calls; Owner: belfry_owner
--

CREATE POLICY tenant_scope ON calls.timeline USING (((( SELECT current_setting('belfry.scope'::text, true) AS current_setting) = 'system'::text) OR (tenant_id = ( SELECT (NULLIF(current_setting('belfry.tenant_id'::text, true), ''::text))::uuid AS "nullif"))));

--
-- Name: timeline; Type: ROW SECURITY; Schema: calls; Owner: belfry_owner
--

ALTER TABLE calls.timeline ENABLE ROW LEVEL SECURITY;

--
-- Name: timeline_default; Type: ROW SECURITY; Schema: calls; Owner: belfry_owner
--

ALTER TABLE calls.timeline_default ENABLE ROW LEVEL SECURITY;

--
-- Name: attempt; Type: ROW SECURITY; Schema: events; Owner: belfry_owner
--

ALTER TABLE events.attempt ENABLE ROW LEVEL SECURITY;

--
-- Name: attempt_default; Type: ROW SECURITY; Schema: events; Owner: belfry_owner
--

ALTER TABLE events.attempt_default ENABLE ROW LEVEL SECURITY;

--
-- Name: delivery; Type: ROW SECURITY; Schema: events; Owner: belfry_owner
--

ALTER TABLE events.delivery ENABLE ROW LEVEL SECURITY;

--
-- Name: delivery_default; Type: ROW SECURITY; Schema: events; Owner: belfry_owner
--

ALTER TABLE events.delivery_default ENABLE ROW LEVEL SECURITY;

--
-- Name: event; Type: ROW SECURITY; Schema: events; Owner: belfry_owner
--

ALTER TABLE events.event ENABLE ROW LEVEL SECURITY;

--
-- Name: event_default; Type: ROW SECURITY; Schema: events; Owner: belfry_owner
--

ALTER TABLE events.event_default ENABLE ROW LEVEL SECURITY;

--
-- Name: idempotency; Type: ROW SECURITY; Schema: events; Owner: belfry_owner
--

ALTER TABLE events.idempotency ENABLE ROW LEVEL SECURITY;

--
-- Name: listener; Type: ROW SECURITY; Schema: events; Owner: belfry_owner
--

ALTER TABLE events.listener ENABLE ROW LEVEL SECURITY;

--
-- Name: pending; Type: ROW SECURITY; Schema: events; Owner: belfry_owner
--

ALTER TABLE events.pending ENABLE ROW LEVEL SECURITY;

--
-- Name: push_attempt; Type: ROW SECURITY; Schema: events; Owner: belfry_owner
--

ALTER TABLE events.push_attempt ENABLE ROW LEVEL SECURITY;

--
-- Name: push_attempt_default; Type: ROW SECURITY; Schema: events; Owner: belfry_owner
--

ALTER TABLE events.push_attempt_default ENABLE ROW LEVEL SECURITY;

--
-- Name: push_credential; Type: ROW SECURITY; Schema: events; Owner: belfry_owner
--

ALTER TABLE events.push_credential ENABLE ROW LEVEL SECURITY;

--
-- Name: push_device; Type: ROW SECURITY; Schema: events; Owner: belfry_owner
--

ALTER TABLE events.push_device ENABLE ROW LEVEL SECURITY;

--
-- Name: push_line; Type: ROW SECURITY; Schema: events; Owner: belfry_owner
--

ALTER TABLE events.push_line ENABLE ROW LEVEL SECURITY;

--
-- Name: replica; Type: ROW SECURITY; Schema: events; Owner: belfry_owner
--

ALTER TABLE events.replica ENABLE ROW LEVEL SECURITY;

--
-- Name: attempt_default system_only; Type: POLICY; Schema: events; Owner: belfry_owner
--

CREATE POLICY system_only ON events.attempt_default USING ((( SELECT current_setting('belfry.scope'::text, true) AS current_setting) = 'system'::text));

--
-- Name: delivery_default system_only; Type: POLICY; Schema: events; Owner: belfry_owner
--

CREATE POLICY system_only ON events.delivery_default USING ((( SELECT current_setting('belfry.scope'::text, true) AS current_setting) = 'system'::text));

--
-- Name: event_default system_only; Type: POLICY; Schema: events; Owner: belfry_owner
--

CREATE POLICY system_only ON events.event_default USING ((( SELECT current_setting('belfry.scope'::text, true) AS current_setting) = 'system'::text));

--
-- Name: push_attempt_default system_only; Type: POLICY; Schema: events; Owner: belfry_owner
--

CREATE POLICY system_only ON events.push_attempt_default USING ((( SELECT current_setting('belfry.scope'::text, true) AS current_setting) = 'system'::text));

--
-- Name: replica system_only; Type: POLICY; Schema: events; Owner: belfry_owner
--

CREATE POLICY system_only ON events.replica USING ((( SELECT current_setting('belfry.scope'::text, true) AS current_setting) = 'system'::text));

--
-- Name: wake_default system_only; Type: POLICY; Schema: events; Owner: belfry_owner
--

CREATE POLICY system_only ON events.wake_default USING ((( SELECT current_setting('belfry.scope'::text, true) AS current_setting) = 'system'::text));

--
-- Name: attempt tenant_scope; Type: POLICY; Schema: events; Owner: belfry_owner
--

CREATE POLICY tenant_scope ON events.attempt USING (((( SELECT current_setting('belfry.scope'::text, true) AS current_setting) = 'system'::text) OR (tenant_id = ( SELECT (NULLIF(current_setting('belfry.tenant_id'::text, true), ''::text))::uuid AS "nullif"))));

--
-- Name: delivery tenant_scope; Type: POLICY; Schema: events; Owner: belfry_owner
--

CREATE POLICY tenant_scope ON events.delivery USING (((( SELECT current_setting('belfry.scope'::text, true) AS current_setting) = 'system'::text) OR (tenant_id = ( SELECT (NULLIF(current_setting('belfry.tenant_id'::text, true), ''::text))::uuid AS "nullif"))));

--
-- Name: event tenant_scope; Type: POLICY; Schema: events; Owner: belfry_owner
--

CREATE POLICY tenant_scope ON events.event USING (((( SELECT current_setting('belfry.scope'::text, true) AS current_setting) = 'system'::text) OR (tenant_id = ( SELECT (NULLIF(current_setting('belfry.tenant_id'::text, true), ''::text))::uuid AS "nullif"))));

--
-- Name: idempotency tenant_scope; Type: POLICY; Schema: events; Owner: belfry_owner
--

CREATE POLICY tenant_scope ON events.idempotency USING (((( SELECT current_setting('belfry.scope'::text, true) AS current_setting) = 'system'::text) OR (tenant_id = ( SELECT (NULLIF(current_setting('belfry.tenant_id'::text, true), ''::text))::uuid AS "nullif"))));

--
-- Name: listener tenant_scope; Type: POLICY; Schema: events; Owner: belfry_owner
--

CREATE POLICY tenant_scope ON events.listener USING (((( SELECT current_setting('belfry.scope'::text, true) AS current_setting) = 'system'::text) OR (tenant_id = ( SELECT (NULLIF(current_setting('belfry.tenant_id'::text, true), ''::text))::uuid AS "nullif"))));

--
-- Name: pending tenant_scope; Type: POLICY; Schema: events; Owner: belfry_owner
--

CREATE POLICY tenant_scope ON events.pending USING (((( SELECT current_setting('belfry.scope'::text, true) AS current_setting) = 'system'::text) OR (tenant_id = ( SELECT (NULLIF(current_setting('belfry.tenant_id'::text, true), ''::text))::uuid AS "nullif"))));

--
-- Name: push_attempt tenant_scope; Type: POLICY; Schema: events; Owner: belfry_owner
--

CREATE POLICY tenant_scope ON events.push_attempt USING (((( SELECT current_setting('belfry.scope'::text, true) AS current_setting) = 'system'::text) OR (tenant_id = ( SELECT (NULLIF(current_setting('belfry.tenant_id'::text, true), ''::text))::uuid AS "nullif"))));

--
-- Name: push_credential tenant_scope; Type: POLICY; Schema: events; Owner: belfry_owner
--

CREATE POLICY tenant_scope ON events.push_credential USING (((( SELECT current_setting('belfry.scope'::text, true) AS current_setting) = 'system'::text) OR (tenant_id = ( SELECT (NULLIF(current_setting('belfry.tenant_id'::text, true), ''::text))::uuid AS "nullif"))));

--
-- Name: push_device tenant_scope; Type: POLICY; Schema: events; Owner: belfry_owner
--

CREATE POLICY tenant_scope ON events.push_device USING (((( SELECT current_setting('belfry.scope'::text, true) AS current_setting) = 'system'::text) OR (tenant_id = ( SELECT (NULLIF(current_setting('belfry.tenant_id'::text, true), ''::text))::uuid AS "nullif"))));

--
-- Name: push_line tenant_scope; Type: POLICY; Schema: events; Owner: belfry_owner
--

CREATE POLICY tenant_scope ON events.push_line USING (((( SELECT current_setting('belfry.scope'::text, true) AS current_setting) = 'system'::text) OR (tenant_id = ( SELECT (NULLIF(current_setting('belfry.tenant_id'::text, true), ''::text))::uuid AS "nullif"))));

--
-- Name: wake tenant_scope; Type: POLICY; Schema: events; Owner: belfry_owner
--

CREATE POLICY tenant_scope ON events.wake USING (((( SELECT current_setting('belfry.scope'::text, true) AS current_setting) = 'system'::text) OR (tenant_id = ( SELECT (NULLIF(current_setting('belfry.tenant_id'::text, true), ''::text))::uuid AS "nullif"))));

--
-- Name: webhook tenant_scope; Type: POLICY; Schema: events; Owner: belfry_owner
--

CREATE POLICY tenant_scope ON events.webhook USING (((( SELECT current_setting('belfry.scope'::text, true) AS current_setting) = 'system'::text) OR (tenant_id = ( SELECT (NULLIF(current_setting('belfry.tenant_id'::text, true), ''::text))::uuid AS "nullif"))));

--
-- Name: wake; Type: ROW SECURITY; Schema: events; Owner: belfry_owner
--

ALTER TABLE events.wake ENABLE ROW LEVEL SECURITY;

--
-- Name: wake_default; Type: ROW SECURITY; Schema: events; Owner: belfry_owner
--

ALTER TABLE events.wake_default ENABLE ROW LEVEL SECURITY;

--
-- Name: webhook; Type: ROW SECURITY; Schema: events; Owner: belfry_owner
--

ALTER TABLE events.webhook ENABLE ROW LEVEL SECURITY;

--
-- Name: app_key anybody_reads; Type: POLICY; Schema: registry; Owner: belfry_owner
--

CREATE POLICY anybody_reads ON registry.app_key FOR SELECT USING (((( SELECT current_setting('belfry.scope'::text, true) AS current_setting) = 'system'::text) OR (( SELECT NULLIF(current_setting('belfry.tenant_id'::text, true), ''::text) AS "nullif") IS NOT NULL)));

--
-- Name: api_key; Type: ROW SECURITY; Schema: registry; Owner: belfry_owner
--

ALTER TABLE registry.api_key ENABLE ROW LEVEL SECURITY;

--
-- Name: app_key; Type: ROW SECURITY; Schema: registry; Owner: belfry_owner
--

ALTER TABLE registry.app_key ENABLE ROW LEVEL SECURITY;

--
-- Name: audit; Type: ROW SECURITY; Schema: registry; Owner: belfry_owner
--

ALTER TABLE registry.audit ENABLE ROW LEVEL SECURITY;

--
-- Name: change; Type: ROW SECURITY; Schema: registry; Owner: belfry_owner
--

ALTER TABLE registry.change ENABLE ROW LEVEL SECURITY;

--
-- Name: domain; Type: ROW SECURITY; Schema: registry; Owner: belfry_owner
--

ALTER TABLE registry.domain ENABLE ROW LEVEL SECURITY;

--
-- Name: extension; Type: ROW SECURITY; Schema: registry; Owner: belfry_owner
--

ALTER TABLE registry.extension ENABLE ROW LEVEL SECURITY;

--
-- Name: group_; Type: ROW SECURITY; Schema: registry; Owner: belfry_owner
--

ALTER TABLE registry.group_ ENABLE ROW LEVEL SECURITY;

--
-- Name: group_member; Type: ROW SECURITY; Schema: registry; Owner: belfry_owner
--

ALTER TABLE registry.group_member ENABLE ROW LEVEL SECURITY;

--
-- Name: idempotency; Type: ROW SECURITY; Schema: registry; Owner: belfry_owner
--

ALTER TABLE registry.idempotency ENABLE ROW LEVEL SECURITY;

--
-- Name: number; Type: ROW SECURITY; Schema: registry; Owner: belfry_owner
--

ALTER TABLE registry.number ENABLE ROW LEVEL SECURITY;

--
-- Name: app_key system_writes; Type: POLICY; Schema: registry; Owner: belfry_owner
--

CREATE POLICY system_writes ON registry.app_key USING ((( SELECT current_setting('belfry.scope'::text, true) AS current_setting) = 'system'::text));

--
-- Name: tenant; Type: ROW SECURITY; Schema: registry; Owner: belfry_owner
--

ALTER TABLE registry.tenant ENABLE ROW LEVEL SECURITY;

--
-- Name: api_key tenant_scope; Type: POLICY; Schema: registry; Owner: belfry_owner
--

CREATE POLICY tenant_scope ON registry.api_key USING (((( SELECT current_setting('belfry.scope'::text, true) AS current_setting) = 'system'::text) OR (tenant_id = ( SELECT (NULLIF(current_setting('belfry.tenant_id'::text, true), ''::text))::uuid AS "nullif"))));

--
-- Name: audit tenant_scope; Type: POLICY; Schema: registry; Owner: belfry_owner
--

CREATE POLICY tenant_scope ON registry.audit USING (((( SELECT current_setting('belfry.scope'::text, true) AS current_setting) = 'system'::text) OR (tenant_id = ( SELECT (NULLIF(current_setting('belfry.tenant_id'::text, true), ''::text))::uuid AS "nullif"))));

--
-- Name: change tenant_scope; Type: POLICY; Schema: registry; Owner: belfry_owner
--

CREATE POLICY tenant_scope ON registry.change USING (((( SELECT current_setting('belfry.scope'::text, true) AS current_setting) = 'system'::text) OR (tenant_id = ( SELECT (NULLIF(current_setting('belfry.tenant_id'::text, true), ''::text))::uuid AS "nullif"))));

--
-- Name: domain tenant_scope; Type: POLICY; Schema: registry; Owner: belfry_owner
--

CREATE POLICY tenant_scope ON registry.domain USING (((( SELECT current_setting('belfry.scope'::text, true) AS current_setting) = 'system'::text) OR (tenant_id = ( SELECT (NULLIF(current_setting('belfry.tenant_id'::text, true), ''::text))::uuid AS "nullif"))));

--
-- Name: extension tenant_scope; Type: POLICY; Schema: registry; Owner: belfry_owner
--

CREATE POLICY tenant_scope ON registry.extension USING (((( SELECT current_setting('belfry.scope'::text, true) AS current_setting) = 'system'::text) OR (tenant_id = ( SELECT (NULLIF(current_setting('belfry.tenant_id'::text, true), ''::text))::uuid AS "nullif"))));

--
-- Name: group_ tenant_scope; Type: POLICY; Schema: registry; Owner: belfry_owner
--

CREATE POLICY tenant_scope ON registry.group_ USING (((( SELECT current_setting('belfry.scope'::text, true) AS current_setting) = 'system'::text) OR (tenant_id = ( SELECT (NULLIF(current_setting('belfry.tenant_id'::text, true), ''::text))::uuid AS "nullif"))));

--
-- Name: group_member tenant_scope; Type: POLICY; Schema: registry; Owner: belfry_owner
--

CREATE POLICY tenant_scope ON registry.group_member USING (((( SELECT current_setting('belfry.scope'::text, true) AS current_setting) = 'system'::text) OR (tenant_id = ( SELECT (NULLIF(current_setting('belfry.tenant_id'::text, true), ''::text))::uuid AS "nullif"))));

--
-- Name: idempotency tenant_scope; Type: POLICY; Schema: registry; Owner: belfry_owner
--

CREATE POLICY tenant_scope ON registry.idempotency USING (((( SELECT current_setting('belfry.scope'::text, true) AS current_setting) = 'system'::text) OR (tenant_id = ( SELECT (NULLIF(current_setting('belfry.tenant_id'::text, true), ''::text))::uuid AS "nullif"))));

--
-- Name: number tenant_scope; Type: POLICY; Schema: registry; Owner: belfry_owner
--

CREATE POLICY tenant_scope ON registry.number USING (((( SELECT current_setting('belfry.scope'::text, true) AS current_setting) = 'system'::text) OR (tenant_id = ( SELECT (NULLIF(current_setting('belfry.tenant_id'::text, true), ''::text))::uuid AS "nullif"))));

--
-- Name: tenant tenant_scope; Type: POLICY; Schema: registry; Owner: belfry_owner
--

CREATE POLICY tenant_scope ON registry.tenant USING (((( SELECT current_setting('belfry.scope'::text, true) AS current_setting) = 'system'::text) OR (id = ( SELECT (NULLIF(current_setting('belfry.tenant_id'::text, true), ''::text))::uuid AS "nullif"))));

--
-- Name: SCHEMA calls; Type: ACL; Schema: -; Owner: belfry_owner
--

GRANT USAGE ON SCHEMA calls TO belfry_calls;

--
-- Name: SCHEMA events; Type: ACL; Schema: -; Owner: belfry_owner
--

GRANT USAGE ON SCHEMA events TO belfry_events;
GRANT USAGE ON SCHEMA events TO belfry_calls;

--
-- Name: SCHEMA registry; Type: ACL; Schema: -; Owner: belfry_owner
--

GRANT USAGE ON SCHEMA registry TO belfry_registry;

--
-- Name: FUNCTION drop_partitions(keep_months integer); Type: ACL; Schema: calls; Owner: belfry_owner
--

REVOKE ALL ON FUNCTION calls.drop_partitions(keep_months integer) FROM PUBLIC;
GRANT ALL ON FUNCTION calls.drop_partitions(keep_months integer) TO belfry_calls;

--
-- Name: FUNCTION make_partition(parent text, month timestamp without time zone); Type: ACL; Schema: calls; Owner: belfry_owner
--

REVOKE ALL ON FUNCTION calls.make_partition(parent text, month timestamp without time zone) FROM PUBLIC;

--
-- Name: FUNCTION make_partitions(months integer); Type: ACL; Schema: calls; Owner: belfry_owner
--

REVOKE ALL ON FUNCTION calls.make_partitions(months integer) FROM PUBLIC;
GRANT ALL ON FUNCTION calls.make_partitions(months integer) TO belfry_calls;

--
-- Name: FUNCTION drop_partitions(keep_days integer); Type: ACL; Schema: events; Owner: belfry_owner
--

REVOKE ALL ON FUNCTION events.drop_partitions(keep_days integer) FROM PUBLIC;
GRANT ALL ON FUNCTION events.drop_partitions(keep_days integer) TO belfry_events;

--
-- Name: FUNCTION log_settings(partition text); Type: ACL; Schema: events; Owner: belfry_owner
--

REVOKE ALL ON FUNCTION events.log_settings(partition text) FROM PUBLIC;

--
-- Name: FUNCTION make_partition(parent text, key text, day timestamp without time zone); Type: ACL; Schema: events; Owner: belfry_owner
--

REVOKE ALL ON FUNCTION events.make_partition(parent text, key text, day timestamp without time zone) FROM PUBLIC;

--
-- Name: FUNCTION make_partitions(days integer); Type: ACL; Schema: events; Owner: belfry_owner
--

REVOKE ALL ON FUNCTION events.make_partitions(days integer) FROM PUBLIC;
GRANT ALL ON FUNCTION events.make_partitions(days integer) TO belfry_events;

--
-- Name: FUNCTION wanted(tenants uuid[]); Type: ACL; Schema: events; Owner: belfry_owner
--

REVOKE ALL ON FUNCTION events.wanted(tenants uuid[]) FROM PUBLIC;
GRANT ALL ON FUNCTION events.wanted(tenants uuid[]) TO belfry_calls;

--
-- Name: TABLE cdr; Type: ACL; Schema: calls; Owner: belfry_owner
--

GRANT SELECT,INSERT ON TABLE calls.cdr TO belfry_calls;

--
-- Name: TABLE outbox; Type: ACL; Schema: calls; Owner: belfry_owner
--

GRANT SELECT,INSERT,DELETE ON TABLE calls.outbox TO belfry_calls;

--
-- Name: TABLE timeline; Type: ACL; Schema: calls; Owner: belfry_owner
--

GRANT SELECT,INSERT ON TABLE calls.timeline TO belfry_calls;

--
-- Name: TABLE attempt; Type: ACL; Schema: events; Owner: belfry_owner
--

GRANT SELECT,INSERT ON TABLE events.attempt TO belfry_events;

--
-- Name: TABLE delivery; Type: ACL; Schema: events; Owner: belfry_owner
--

GRANT SELECT,INSERT ON TABLE events.delivery TO belfry_events;

--
-- Name: SEQUENCE "position"; Type: ACL; Schema: events; Owner: belfry_owner
--

GRANT USAGE ON SEQUENCE events."position" TO belfry_events;

--
-- Name: TABLE event; Type: ACL; Schema: events; Owner: belfry_owner
--

GRANT SELECT,INSERT ON TABLE events.event TO belfry_events;

--
-- Name: TABLE idempotency; Type: ACL; Schema: events; Owner: belfry_owner
--

GRANT SELECT,INSERT,DELETE ON TABLE events.idempotency TO belfry_events;

--
-- Name: TABLE listener; Type: ACL; Schema: events; Owner: belfry_owner
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE events.listener TO belfry_events;

--
-- Name: TABLE pending; Type: ACL; Schema: events; Owner: belfry_owner
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE events.pending TO belfry_events;

--
-- Name: TABLE log; Type: ACL; Schema: events; Owner: belfry_owner
--

GRANT SELECT ON TABLE events.log TO belfry_events;

--
-- Name: TABLE push_attempt; Type: ACL; Schema: events; Owner: belfry_owner
--

GRANT SELECT,INSERT ON TABLE events.push_attempt TO belfry_events;

--
-- Name: COLUMN push_attempt.result; Type: ACL; Schema: events; Owner: belfry_owner
--

GRANT UPDATE(result) ON TABLE events.push_attempt TO belfry_events;

--
-- Name: COLUMN push_attempt.detail; Type: ACL; Schema: events; Owner: belfry_owner
--

GRANT UPDATE(detail) ON TABLE events.push_attempt TO belfry_events;

--
-- Name: COLUMN push_attempt.receipt_at; Type: ACL; Schema: events; Owner: belfry_owner
--

GRANT UPDATE(receipt_at) ON TABLE events.push_attempt TO belfry_events;

--
-- Name: TABLE push_credential; Type: ACL; Schema: events; Owner: belfry_owner
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE events.push_credential TO belfry_events;

--
-- Name: TABLE push_device; Type: ACL; Schema: events; Owner: belfry_owner
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE events.push_device TO belfry_events;

--
-- Name: TABLE push_line; Type: ACL; Schema: events; Owner: belfry_owner
--

GRANT SELECT,INSERT,DELETE ON TABLE events.push_line TO belfry_events;

--
-- Name: TABLE replica; Type: ACL; Schema: events; Owner: belfry_owner
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE events.replica TO belfry_events;

--
-- Name: TABLE wake; Type: ACL; Schema: events; Owner: belfry_owner
--

GRANT SELECT,INSERT ON TABLE events.wake TO belfry_events;

--
-- Name: COLUMN wake.until; Type: ACL; Schema: events; Owner: belfry_owner
--

GRANT UPDATE(until) ON TABLE events.wake TO belfry_events;

--
-- Name: COLUMN wake.owner; Type: ACL; Schema: events; Owner: belfry_owner
--

GRANT UPDATE(owner) ON TABLE events.wake TO belfry_events;

--
-- Name: COLUMN wake.state; Type: ACL; Schema: events; Owner: belfry_owner
--

GRANT UPDATE(state) ON TABLE events.wake TO belfry_events;

--
-- Name: COLUMN wake.why; Type: ACL; Schema: events; Owner: belfry_owner
--

GRANT UPDATE(why) ON TABLE events.wake TO belfry_events;

--
-- Name: COLUMN wake.ended_at; Type: ACL; Schema: events; Owner: belfry_owner
--

GRANT UPDATE(ended_at) ON TABLE events.wake TO belfry_events;

--
-- Name: COLUMN wake.attempts; Type: ACL; Schema: events; Owner: belfry_owner
--

GRANT UPDATE(attempts) ON TABLE events.wake TO belfry_events;

--
-- Name: COLUMN wake.next_attempt_at; Type: ACL; Schema: events; Owner: belfry_owner
--

GRANT UPDATE(next_attempt_at) ON TABLE events.wake TO belfry_events;

--
-- Name: COLUMN wake.held; Type: ACL; Schema: events; Owner: belfry_owner
--

GRANT UPDATE(held) ON TABLE events.wake TO belfry_events;

--
-- Name: COLUMN wake.got; Type: ACL; Schema: events; Owner: belfry_owner
--

GRANT UPDATE(got) ON TABLE events.wake TO belfry_events;

--
-- Name: TABLE webhook; Type: ACL; Schema: events; Owner: belfry_owner
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE events.webhook TO belfry_events;

--
-- Name: TABLE api_key; Type: ACL; Schema: registry; Owner: belfry_owner
--

GRANT SELECT,INSERT,DELETE ON TABLE registry.api_key TO belfry_registry;

--
-- Name: COLUMN api_key.last_used; Type: ACL; Schema: registry; Owner: belfry_owner
--

GRANT UPDATE(last_used) ON TABLE registry.api_key TO belfry_registry;

--
-- Name: TABLE app_key; Type: ACL; Schema: registry; Owner: belfry_owner
--

GRANT SELECT,INSERT,DELETE ON TABLE registry.app_key TO belfry_registry;

--
-- Name: COLUMN app_key.not_after; Type: ACL; Schema: registry; Owner: belfry_owner
--

GRANT UPDATE(not_after) ON TABLE registry.app_key TO belfry_registry;

--
-- Name: TABLE audit; Type: ACL; Schema: registry; Owner: belfry_owner
--

GRANT SELECT,INSERT ON TABLE registry.audit TO belfry_registry;

--
-- Name: TABLE change; Type: ACL; Schema: registry; Owner: belfry_owner
--

GRANT SELECT,INSERT,DELETE ON TABLE registry.change TO belfry_registry;

--
-- Name: TABLE domain; Type: ACL; Schema: registry; Owner: belfry_owner
--

GRANT SELECT,INSERT,DELETE ON TABLE registry.domain TO belfry_registry;

--
-- Name: TABLE extension; Type: ACL; Schema: registry; Owner: belfry_owner
--

GRANT SELECT,INSERT,DELETE ON TABLE registry.extension TO belfry_registry;

--
-- Name: COLUMN extension.kind; Type: ACL; Schema: registry; Owner: belfry_owner
--

GRANT UPDATE(kind) ON TABLE registry.extension TO belfry_registry;

--
-- Name: COLUMN extension.display_name; Type: ACL; Schema: registry; Owner: belfry_owner
--

GRANT UPDATE(display_name) ON TABLE registry.extension TO belfry_registry;

--
-- Name: COLUMN extension.max_contacts; Type: ACL; Schema: registry; Owner: belfry_owner
--

GRANT UPDATE(max_contacts) ON TABLE registry.extension TO belfry_registry;

--
-- Name: COLUMN extension.ha1_md5; Type: ACL; Schema: registry; Owner: belfry_owner
--

GRANT UPDATE(ha1_md5) ON TABLE registry.extension TO belfry_registry;

--
-- Name: COLUMN extension.ha1_sha256; Type: ACL; Schema: registry; Owner: belfry_owner
--

GRANT UPDATE(ha1_sha256) ON TABLE registry.extension TO belfry_registry;

--
-- Name: COLUMN extension.updated_at; Type: ACL; Schema: registry; Owner: belfry_owner
--

GRANT UPDATE(updated_at) ON TABLE registry.extension TO belfry_registry;

--
-- Name: COLUMN extension.do_not_disturb; Type: ACL; Schema: registry; Owner: belfry_owner
--

GRANT UPDATE(do_not_disturb) ON TABLE registry.extension TO belfry_registry;

--
-- Name: COLUMN extension.forward_always; Type: ACL; Schema: registry; Owner: belfry_owner
--

GRANT UPDATE(forward_always) ON TABLE registry.extension TO belfry_registry;

--
-- Name: COLUMN extension.forward_busy; Type: ACL; Schema: registry; Owner: belfry_owner
--

GRANT UPDATE(forward_busy) ON TABLE registry.extension TO belfry_registry;

--
-- Name: COLUMN extension.forward_no_answer; Type: ACL; Schema: registry; Owner: belfry_owner
--

GRANT UPDATE(forward_no_answer) ON TABLE registry.extension TO belfry_registry;

--
-- Name: COLUMN extension.ring_seconds; Type: ACL; Schema: registry; Owner: belfry_owner
--

GRANT UPDATE(ring_seconds) ON TABLE registry.extension TO belfry_registry;

--
-- Name: TABLE feed_head; Type: ACL; Schema: registry; Owner: belfry_owner
--

GRANT SELECT ON TABLE registry.feed_head TO belfry_registry;

--
-- Name: COLUMN feed_head.seq; Type: ACL; Schema: registry; Owner: belfry_owner
--

GRANT UPDATE(seq) ON TABLE registry.feed_head TO belfry_registry;

--
-- Name: TABLE group_; Type: ACL; Schema: registry; Owner: belfry_owner
--

GRANT SELECT,INSERT,DELETE ON TABLE registry.group_ TO belfry_registry;

--
-- Name: COLUMN group_.display_name; Type: ACL; Schema: registry; Owner: belfry_owner
--

GRANT UPDATE(display_name) ON TABLE registry.group_ TO belfry_registry;

--
-- Name: COLUMN group_.strategy; Type: ACL; Schema: registry; Owner: belfry_owner
--

GRANT UPDATE(strategy) ON TABLE registry.group_ TO belfry_registry;

--
-- Name: COLUMN group_.ring_seconds; Type: ACL; Schema: registry; Owner: belfry_owner
--

GRANT UPDATE(ring_seconds) ON TABLE registry.group_ TO belfry_registry;

--
-- Name: COLUMN group_.updated_at; Type: ACL; Schema: registry; Owner: belfry_owner
--

GRANT UPDATE(updated_at) ON TABLE registry.group_ TO belfry_registry;

--
-- Name: TABLE group_member; Type: ACL; Schema: registry; Owner: belfry_owner
--

GRANT SELECT,INSERT,DELETE ON TABLE registry.group_member TO belfry_registry;

--
-- Name: TABLE idempotency; Type: ACL; Schema: registry; Owner: belfry_owner
--

GRANT SELECT,INSERT,DELETE ON TABLE registry.idempotency TO belfry_registry;

--
-- Name: TABLE number; Type: ACL; Schema: registry; Owner: belfry_owner
--

GRANT SELECT,INSERT,DELETE ON TABLE registry.number TO belfry_registry;

--
-- Name: TABLE tenant; Type: ACL; Schema: registry; Owner: belfry_owner
--

GRANT SELECT,INSERT,DELETE ON TABLE registry.tenant TO belfry_registry;

--
-- Name: COLUMN tenant.name; Type: ACL; Schema: registry; Owner: belfry_owner
--

GRANT UPDATE(name) ON TABLE registry.tenant TO belfry_registry;

--
-- Name: COLUMN tenant.status; Type: ACL; Schema: registry; Owner: belfry_owner
--

GRANT UPDATE(status) ON TABLE registry.tenant TO belfry_registry;

--
-- Name: COLUMN tenant.max_calls; Type: ACL; Schema: registry; Owner: belfry_owner
--

GRANT UPDATE(max_calls) ON TABLE registry.tenant TO belfry_registry;

--
-- Name: COLUMN tenant.max_registrations; Type: ACL; Schema: registry; Owner: belfry_owner
--

GRANT UPDATE(max_registrations) ON TABLE registry.tenant TO belfry_registry;

--
-- Name: COLUMN tenant.calls_per_second; Type: ACL; Schema: registry; Owner: belfry_owner
--

GRANT UPDATE(calls_per_second) ON TABLE registry.tenant TO belfry_registry;

--
-- Name: COLUMN tenant.requests_per_minute; Type: ACL; Schema: registry; Owner: belfry_owner
--

GRANT UPDATE(requests_per_minute) ON TABLE registry.tenant TO belfry_registry;

--
-- Name: COLUMN tenant.updated_at; Type: ACL; Schema: registry; Owner: belfry_owner
--

GRANT UPDATE(updated_at) ON TABLE registry.tenant TO belfry_registry;

--
-- PostgreSQL database dump complete
--
