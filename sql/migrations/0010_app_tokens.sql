-- App tokens: the keys that the tenant-registry signs them with. And how event-fanout finds what was committed since it
-- last looked.

CREATE TABLE registry.app_key (
    id         uuid PRIMARY KEY,
    kid        text COLLATE "C" NOT NULL,
    public     bytea NOT NULL,
    sealed     bytea NOT NULL,
    not_before timestamptz NOT NULL,
    not_after  timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT app_key_kid_key UNIQUE (kid),
    CONSTRAINT app_key_kid_form CHECK (kid ~ '^[A-Za-z0-9_-]{1,32}$'),
    CONSTRAINT app_key_public_size CHECK (octet_length(public) = 32)
);
COMMENT ON COLUMN registry.app_key.sealed IS 'sealed under BELFRY_SEAL_KEY of the registry: the id and the private key in hex';
COMMENT ON COLUMN registry.app_key.not_before IS 'it signs from here on, until the next one does';
COMMENT ON COLUMN registry.app_key.not_after IS 'when its last token has expired; null: it has no successor yet';

ALTER TABLE registry.app_key ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
-- Whoever makes a token for a tenant reads the key; which tenant asks does not matter.
CREATE POLICY anybody_reads ON registry.app_key FOR SELECT USING (
    (SELECT current_setting('belfry.scope', true)) = 'system'
    OR (SELECT nullif(current_setting('belfry.tenant_id', true), '')) IS NOT NULL);
CREATE POLICY system_writes ON registry.app_key USING ((SELECT current_setting('belfry.scope', true)) = 'system');
GRANT SELECT, INSERT, DELETE ON registry.app_key TO belfry_registry;
GRANT UPDATE (not_after) ON registry.app_key TO belfry_registry;

-- A change of these keys concerns no tenant: its tenant_id is the nil UUID.
ALTER TABLE registry.change
    DROP CONSTRAINT change_kind_known,
    ADD CONSTRAINT change_kind_known CHECK (
        (kind IN ('tenant', 'app-keys') AND domain IS NULL AND number IS NULL)
        OR (kind = 'domain' AND domain IS NOT NULL AND number IS NULL)
        OR (kind IN ('extension', 'group') AND domain IS NULL AND number IS NOT NULL));

-- The transaction that stored an event: what is below a snapshot's xmin is finished, so who has read everything from one
-- xmin to the next has missed nothing, in whatever order transactions commit.
ALTER TABLE events.event ADD COLUMN tx xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE INDEX event_tx_idx ON events.event (tx);
