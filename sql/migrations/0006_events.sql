-- What tenants are told: events, webhooks and their deliveries, push devices, waking. Written by event-fanout.
--
-- Events, deliveries and attempts are partitioned by day over their ids, whose first 48 bits are a Unix time in ms, and are
-- dropped by days. A call's events have the call's time in their ids, so that the same one told twice has the same id.
--
-- Order per webhook and call: a lane. All pending deliveries of a lane belong to one replica (`owner`), which has them in its
-- memory and sends one after the other. Nobody polls for what goes well; next_attempt_at is when the owner looks for it in
-- the table: far off while it is in memory. The owner of what is pending is in `replica`; when its seen_at is old, another
-- replica takes over everything it owned, whole lanes at once.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'belfry_events') THEN
        CREATE ROLE belfry_events LOGIN;
    END IF;
END
$$;

CREATE SCHEMA events;
GRANT USAGE ON SCHEMA events TO belfry_events;

-- ---- events

-- A UUIDv7, for what is made here.
CREATE FUNCTION events.new_id() RETURNS uuid LANGUAGE sql VOLATILE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') || '7'
            || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid
$$;

CREATE SEQUENCE events.position;
GRANT USAGE ON SEQUENCE events.position TO belfry_events;

CREATE TABLE events.event (
    id        uuid NOT NULL,
    tenant_id uuid NOT NULL,
    position  bigint NOT NULL DEFAULT nextval('events.position'),
    type      text COLLATE "C" NOT NULL,
    call      uuid,
    seq       bigint NOT NULL,
    at        timestamptz NOT NULL,
    numbers   text[] COLLATE "C" NOT NULL,
    body      text NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT event_pkey PRIMARY KEY (id),
    CONSTRAINT event_type_form CHECK (octet_length(type) <= 64 AND type ~ '^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+$'),
    CONSTRAINT event_body_size CHECK (octet_length(body) <= 32768)
) PARTITION BY RANGE (id);
CREATE TABLE events.event_default PARTITION OF events.event DEFAULT;
CREATE INDEX event_tenant_idx ON events.event (tenant_id, position);
COMMENT ON COLUMN events.event.body IS 'the envelope, byte for byte as it is signed and sent, today and when it is replayed';
COMMENT ON COLUMN events.event.position IS
    'order of storing; two transactions may commit in another one, so who resumes behind a position looks back a little';

-- ---- webhooks

CREATE TABLE events.webhook (
    id              uuid PRIMARY KEY,
    tenant_id       uuid NOT NULL,
    url             text NOT NULL,
    types           text[] COLLATE "C" NOT NULL,
    status          text NOT NULL DEFAULT 'active',
    secret          bytea NOT NULL,
    secret_before   bytea,
    before_until    timestamptz,
    version         integer NOT NULL DEFAULT 1,
    failures        integer NOT NULL DEFAULT 0,
    failing_since   timestamptz,
    open_until      timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT webhook_url_size CHECK (octet_length(url) BETWEEN 1 AND 2048),
    CONSTRAINT webhook_types_count CHECK (cardinality(types) BETWEEN 1 AND 32),
    CONSTRAINT webhook_status_known CHECK (status IN ('active', 'paused', 'gone')),
    CONSTRAINT webhook_before_whole CHECK ((secret_before IS NULL) = (before_until IS NULL))
);
CREATE INDEX webhook_tenant_idx ON events.webhook (tenant_id, id);
COMMENT ON COLUMN events.webhook.types IS 'event types, "call.*" for all of a noun, or "*"';
COMMENT ON COLUMN events.webhook.status IS 'gone: it answered 410; only its tenant makes it active again';
COMMENT ON COLUMN events.webhook.secret IS 'sealed under BELFRY_SEAL_KEY: the webhook''s id and the secret';
COMMENT ON COLUMN events.webhook.secret_before IS 'the one before, which signs too until before_until';
COMMENT ON COLUMN events.webhook.version IS 'grows with every change by REST: who has another one cached reads it anew';
COMMENT ON COLUMN events.webhook.open_until IS 'circuit breaker: until then nothing is sent, then one delivery tries';

CREATE TABLE events.replica (
    id      uuid PRIMARY KEY,
    seen_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE events.delivery (
    id              uuid NOT NULL,
    tenant_id       uuid NOT NULL,
    webhook_id      uuid NOT NULL,
    event_id        uuid NOT NULL,
    position        bigint NOT NULL,
    lane            uuid NOT NULL,
    type            text COLLATE "C" NOT NULL,
    state           text NOT NULL DEFAULT 'pending',
    owner           uuid,
    attempts        integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL,
    give_up_at      timestamptz NOT NULL,
    code            smallint NOT NULL DEFAULT 0,
    error           text NOT NULL DEFAULT '',
    replay_of       uuid,
    created_at      timestamptz NOT NULL DEFAULT now(),
    done_at         timestamptz,
    CONSTRAINT delivery_pkey PRIMARY KEY (id),
    CONSTRAINT delivery_state_known CHECK (state IN ('pending', 'delivered', 'dead', 'dropped')),
    CONSTRAINT delivery_owned CHECK ((owner IS NOT NULL) = (state = 'pending')),
    CONSTRAINT delivery_done CHECK ((done_at IS NULL) = (state = 'pending'))
) PARTITION BY RANGE (id);
CREATE TABLE events.delivery_default PARTITION OF events.delivery DEFAULT;
CREATE INDEX delivery_tenant_idx ON events.delivery (tenant_id, id);
CREATE INDEX delivery_webhook_idx ON events.delivery (webhook_id, id);
CREATE INDEX delivery_due_idx ON events.delivery (owner, next_attempt_at) WHERE state = 'pending';
CREATE INDEX delivery_lane_idx ON events.delivery (webhook_id, lane, position) WHERE state = 'pending';
COMMENT ON COLUMN events.delivery.lane IS 'the call, or of events without one the event: deliveries of a lane go one after the other';
COMMENT ON COLUMN events.delivery.state IS 'dead: given up after 24 h, or refused for good; dropped: its webhook was deleted';

-- One line for each time a delivery was tried.
CREATE TABLE events.attempt (
    delivery_id uuid NOT NULL,
    number      integer NOT NULL,
    tenant_id   uuid NOT NULL,
    at          timestamptz NOT NULL,
    code        smallint NOT NULL,
    error       text NOT NULL,
    latency_ms  integer NOT NULL,
    answer      bytea NOT NULL,
    CONSTRAINT attempt_pkey PRIMARY KEY (delivery_id, number),
    CONSTRAINT attempt_answer_size CHECK (octet_length(answer) <= 1024)
) PARTITION BY RANGE (delivery_id);
CREATE TABLE events.attempt_default PARTITION OF events.attempt DEFAULT;
COMMENT ON COLUMN events.attempt.code IS 'HTTP status; 0: there was no answer, and error says why';

-- ---- push

-- The operator's have no tenant; a tenant's own come first.
CREATE TABLE events.push_credential (
    id         uuid PRIMARY KEY,
    tenant_id  uuid,
    provider   text NOT NULL,
    name       text NOT NULL DEFAULT '',
    sealed     bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT push_credential_provider_known CHECK (provider IN ('expo', 'fcm', 'apns')),
    CONSTRAINT push_credential_key UNIQUE NULLS NOT DISTINCT (tenant_id, provider, name)
);
COMMENT ON COLUMN events.push_credential.name IS 'which app: APNs topic, FCM project; empty: any';
COMMENT ON COLUMN events.push_credential.sealed IS 'sealed under BELFRY_SEAL_KEY: the id and a JSON object of the provider''s form';

CREATE TABLE events.push_device (
    id         uuid PRIMARY KEY,
    tenant_id  uuid NOT NULL,
    number     text COLLATE "C" NOT NULL,
    provider   text NOT NULL,
    platform   text NOT NULL,
    device_id  text NOT NULL,
    token      text NOT NULL,
    param      text NOT NULL DEFAULT '',
    prid       text NOT NULL DEFAULT '',
    source     text NOT NULL,
    state      text NOT NULL DEFAULT 'alive',
    why        text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    pushed_at  timestamptz,
    CONSTRAINT push_device_key UNIQUE (tenant_id, number, device_id, provider),
    CONSTRAINT push_device_provider_known CHECK (provider IN ('expo', 'fcm', 'apns')),
    CONSTRAINT push_device_platform_known CHECK (platform IN ('ios', 'android', 'web')),
    CONSTRAINT push_device_source_known CHECK (source IN ('rest', 'app', 'sip')),
    CONSTRAINT push_device_state_known CHECK (state IN ('alive', 'dead')),
    CONSTRAINT push_device_sizes CHECK (octet_length(token) BETWEEN 1 AND 4096 AND octet_length(device_id) BETWEEN 1 AND 255
        AND octet_length(param) <= 255 AND octet_length(prid) <= 4096)
);
CREATE INDEX push_device_number_idx ON events.push_device (tenant_id, number) WHERE state = 'alive';
-- A phone that changes hands: the same token of another number is the same device.
CREATE INDEX push_device_token_idx ON events.push_device (tenant_id, provider, md5(token));
COMMENT ON COLUMN events.push_device.state IS 'dead: the provider said that the token is no longer valid, `why` in its words';

-- One push to one device for one call: the call and the device are its key, so a wake told twice is one push.
CREATE TABLE events.wake (
    call        uuid NOT NULL,
    device      uuid NOT NULL,
    tenant_id   uuid NOT NULL,
    number      text COLLATE "C" NOT NULL,
    body        jsonb NOT NULL,
    until       timestamptz NOT NULL,
    owner       uuid,
    state       text NOT NULL DEFAULT 'waking',
    why         text NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL DEFAULT now(),
    ended_at    timestamptz,
    CONSTRAINT wake_pkey PRIMARY KEY (call, device),
    CONSTRAINT wake_state_known CHECK (state IN ('waking', 'registered', 'cancelling', 'over')),
    CONSTRAINT wake_body_size CHECK (octet_length(body::text) <= 8192)
) PARTITION BY RANGE (call);
CREATE TABLE events.wake_default PARTITION OF events.wake DEFAULT;
CREATE INDEX wake_open_idx ON events.wake (owner, until) WHERE state IN ('waking', 'cancelling');
COMMENT ON COLUMN events.wake.body IS 'what the push says: caller, callee, SIP Call-ID, wake token';
COMMENT ON COLUMN events.wake.state IS 'cancelling: a cancel push is to be sent; over: it was, or none was needed';

-- One line for each request to a provider that concerned this push.
CREATE TABLE events.push_attempt (
    call       uuid NOT NULL,
    device     uuid NOT NULL,
    number     integer NOT NULL,
    tenant_id  uuid NOT NULL,
    kind       text NOT NULL,
    at         timestamptz NOT NULL,
    code       smallint NOT NULL,
    result     text NOT NULL,
    detail     text NOT NULL,
    push_id    text NOT NULL,
    latency_ms integer NOT NULL,
    receipt_at timestamptz,
    CONSTRAINT push_attempt_pkey PRIMARY KEY (call, device, number),
    CONSTRAINT push_attempt_kind_known CHECK (kind IN ('wake', 'cancel')),
    CONSTRAINT push_attempt_result_known CHECK (result IN ('sent', 'retry', 'token-dead', 'dropped', 'delivered')),
    CONSTRAINT push_attempt_sizes CHECK (octet_length(detail) <= 1024 AND octet_length(push_id) <= 255)
) PARTITION BY RANGE (call);
CREATE TABLE events.push_attempt_default PARTITION OF events.push_attempt DEFAULT;
CREATE INDEX push_attempt_receipt_idx ON events.push_attempt (receipt_at) WHERE receipt_at IS NOT NULL;
COMMENT ON COLUMN events.push_attempt.push_id IS 'the provider''s: Expo ticket, FCM message name, apns-id';
COMMENT ON COLUMN events.push_attempt.receipt_at IS 'when to ask Expo for the receipt; null: nothing to ask';

-- ---- who sees what

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['event', 'webhook', 'delivery', 'attempt', 'push_credential', 'push_device', 'wake',
                                'push_attempt'] LOOP
        EXECUTE format('ALTER TABLE events.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY tenant_scope ON events.%I USING ('
                       '(SELECT current_setting(''belfry.scope'', true)) = ''system'' '
                       'OR tenant_id = (SELECT nullif(current_setting(''belfry.tenant_id'', true), '''')::uuid))', name);
    END LOOP;
    -- A partition is reached by its own name, too. Replicas are nobody's.
    FOREACH name IN ARRAY ARRAY['event_default', 'delivery_default', 'attempt_default', 'wake_default',
                                'push_attempt_default', 'replica'] LOOP
        EXECUTE format('ALTER TABLE events.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY system_only ON events.%I USING '
                       '((SELECT current_setting(''belfry.scope'', true)) = ''system'')', name);
    END LOOP;
END
$$;

GRANT SELECT, INSERT ON events.event, events.attempt TO belfry_events;
GRANT SELECT, INSERT, UPDATE, DELETE ON events.webhook, events.replica, events.push_credential, events.push_device
    TO belfry_events;
GRANT SELECT, INSERT ON events.delivery TO belfry_events;
GRANT UPDATE (state, owner, attempts, next_attempt_at, code, error, done_at) ON events.delivery TO belfry_events;
GRANT SELECT, INSERT ON events.wake, events.push_attempt TO belfry_events;
GRANT UPDATE (owner, state, why, ended_at) ON events.wake TO belfry_events;
GRANT UPDATE (result, detail, receipt_at) ON events.push_attempt TO belfry_events;

-- ---- days

-- The smallest id of a moment.
CREATE FUNCTION events.id_at(moment timestamptz) RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;

-- Makes the day that begins at `day` (UTC). Rows of it that wait in the default partition move over: in the system scope, or
-- they are not seen.
CREATE FUNCTION events.make_partition(parent text, key text, day timestamp) RETURNS boolean
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
    EXECUTE format('WITH moved AS (DELETE FROM events.%I WHERE %I >= $1 AND %I < $2 RETURNING *) '
                   'INSERT INTO events.%I SELECT * FROM moved', parent || '_default', key, key, name) USING low, high;
    EXECUTE format('ALTER TABLE events.%I ATTACH PARTITION events.%I FOR VALUES FROM (%L) TO (%L)', parent, name, low, high);
    EXECUTE format('ALTER TABLE events.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY system_only ON events.%I USING '
                   '((SELECT current_setting(''belfry.scope'', true)) = ''system'')', name);
    RETURN true;
END
$$;

-- Yesterday (a call that began before midnight), today and the next `days`. Returns how many it made. Runs as the owner: the
-- service may not make tables.
CREATE FUNCTION events.make_partitions(days integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
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

-- Drops the days that ended more than `keep_days` days ago. Returns how many partitions it dropped.
CREATE FUNCTION events.drop_partitions(keep_days integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
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
$$;
REVOKE ALL ON FUNCTION events.make_partition(text, text, timestamp) FROM PUBLIC;
REVOKE ALL ON FUNCTION events.make_partitions(integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION events.drop_partitions(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION events.make_partitions(integer), events.drop_partitions(integer) TO belfry_events;
