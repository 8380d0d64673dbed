-- Most calls are of tenants to whom nobody listens: their events need not be told, stored and thrown away. call-control asks, in the transaction
-- that would write them into its outbox, whose are wanted: those of tenants with a webhook, or with a WebSocket that is open or may come back
-- for what it missed. A webhook and a listener stand here before their owner is told that they are good.

CREATE TABLE events.listener (
    tenant_id uuid NOT NULL,
    until     timestamptz NOT NULL,
    CONSTRAINT listener_pkey PRIMARY KEY (tenant_id)
);
COMMENT ON COLUMN events.listener.until IS 'its WebSockets were seen not longer ago than they may ask for what they missed';

ALTER TABLE events.listener ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_scope ON events.listener USING (
    (SELECT current_setting('belfry.scope', true)) = 'system'
    OR tenant_id = (SELECT nullif(current_setting('belfry.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON events.listener TO belfry_events;

-- Of these tenants those whose events somebody wants. For callers of system scope.
CREATE FUNCTION events.wanted(tenants uuid[]) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
AS $$
    SELECT given.id FROM (SELECT DISTINCT unnest(tenants) AS id) AS given
    WHERE EXISTS (SELECT FROM events.webhook WHERE webhook.tenant_id = given.id)
       OR EXISTS (SELECT FROM events.listener WHERE listener.tenant_id = given.id AND listener.until > now())
    ORDER BY given.id
$$;
REVOKE ALL ON FUNCTION events.wanted(uuid[]) FROM PUBLIC;
GRANT USAGE ON SCHEMA events TO belfry_calls;
GRANT EXECUTE ON FUNCTION events.wanted(uuid[]) TO belfry_calls;
