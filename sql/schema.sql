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
    CONSTRAINT timeline_kind_known CHECK ((kind = ANY (ARRAY['started'::text, 'step'::text, 'branch'::text, 'ringing'::text, 'branch-ended'::text, 'answered'::text, 'ended'::text, 'transfer'::text, 'note'::text])))
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
    CONSTRAINT timeline_kind_known CHECK ((kind = ANY (ARRAY['started'::text, 'step'::text, 'branch'::text, 'ringing'::text, 'branch-ended'::text, 'answered'::text, 'ended'::text, 'transfer'::text, 'note'::text])))
);

ALTER TABLE ONLY calls.timeline_default FORCE ROW LEVEL SECURITY;

ALTER TABLE calls.timeline_default OWNER TO belfry_owner;

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
    CONSTRAINT change_kind_known CHECK ((((kind = 'tenant'::text) AND (domain IS NULL) AND (number IS NULL)) OR ((kind = 'domain'::text) AND (domain IS NOT NULL) AND (number IS NULL)) OR ((kind = ANY (ARRAY['extension'::text, 'group'::text])) AND (domain IS NULL) AND (number IS NOT NULL))))
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
-- Name: api_key; Type: ROW SECURITY; Schema: registry; Owner: belfry_owner
--

ALTER TABLE registry.api_key ENABLE ROW LEVEL SECURITY;

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
-- Name: TABLE cdr; Type: ACL; Schema: calls; Owner: belfry_owner
--

GRANT SELECT,INSERT ON TABLE calls.cdr TO belfry_calls;

--
-- Name: TABLE timeline; Type: ACL; Schema: calls; Owner: belfry_owner
--

GRANT SELECT,INSERT ON TABLE calls.timeline TO belfry_calls;

--
-- Name: TABLE api_key; Type: ACL; Schema: registry; Owner: belfry_owner
--

GRANT SELECT,INSERT,DELETE ON TABLE registry.api_key TO belfry_registry;

--
-- Name: COLUMN api_key.last_used; Type: ACL; Schema: registry; Owner: belfry_owner
--

GRANT UPDATE(last_used) ON TABLE registry.api_key TO belfry_registry;

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
