-- Webhooks: repeated REST requests, and a delivery log that is looked through.

-- `answer` is sealed under a key made of the bearer and the Idempotency-Key, neither of which is stored. An operator's key may
-- say the same key for two tenants: they are two requests. No tenant: what is the operator's.
CREATE TABLE events.idempotency (
    tenant_id  uuid,
    key_id     uuid NOT NULL,
    hash       bytea NOT NULL,
    request    bytea NOT NULL,
    status     smallint NOT NULL,
    answer     bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT idempotency_key UNIQUE NULLS NOT DISTINCT (tenant_id, key_id, hash)
);
CREATE INDEX idempotency_age_idx ON events.idempotency (created_at);

ALTER TABLE events.idempotency ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_scope ON events.idempotency USING (
    (SELECT current_setting('belfry.scope', true)) = 'system'
    OR tenant_id = (SELECT nullif(current_setting('belfry.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, DELETE ON events.idempotency TO belfry_events;

COMMENT ON COLUMN events.delivery.state IS
    'dead: given up after 24 h, refused for good, or its webhook answered 410; dropped: its webhook was deleted';
COMMENT ON COLUMN events.delivery.next_attempt_at IS
    'far off while it is in memory; infinity: its webhook is paused';
