-- Who may do what, who did what, and answers kept for repeated requests.

CREATE TABLE registry.api_key (
    id         uuid PRIMARY KEY,
    tenant_id  uuid,
    role       text NOT NULL,
    name       text NOT NULL DEFAULT '',
    sha256     bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    last_used  timestamptz,
    CONSTRAINT api_key_sha256_key UNIQUE (sha256),
    CONSTRAINT api_key_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES registry.tenant (id) ON DELETE CASCADE,
    CONSTRAINT api_key_role_known CHECK (role IN ('operator', 'admin', 'reader')),
    CONSTRAINT api_key_operator_has_no_tenant CHECK ((role = 'operator') = (tenant_id IS NULL)),
    CONSTRAINT api_key_name_size CHECK (octet_length(name) <= 64),
    CONSTRAINT api_key_sha256_size CHECK (octet_length(sha256) = 32)
);
CREATE INDEX api_key_tenant_idx ON registry.api_key (tenant_id, id);
COMMENT ON COLUMN registry.api_key.last_used IS 'to the hour: written at most once an hour';

-- Append-only, and it outlives its tenant: hence no foreign key.
CREATE TABLE registry.audit (
    id         uuid PRIMARY KEY,
    tenant_id  uuid,
    at         timestamptz NOT NULL DEFAULT now(),
    key_id     uuid,
    role       text NOT NULL,
    request_id text NOT NULL,
    remote     text NOT NULL,
    action     text NOT NULL,
    target     text NOT NULL,
    before     jsonb,
    after      jsonb
);
CREATE INDEX audit_tenant_idx ON registry.audit (tenant_id, id);

CREATE FUNCTION registry.audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'registry.audit is append-only' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON registry.audit
    FOR EACH STATEMENT EXECUTE FUNCTION registry.audit_is_append_only();

-- `answer` is sealed under a key made of the bearer and the Idempotency-Key, neither of which is stored.
CREATE TABLE registry.idempotency (
    key_id     uuid NOT NULL,
    hash       bytea NOT NULL,
    tenant_id  uuid,
    request    bytea NOT NULL,
    status     smallint NOT NULL,
    answer     bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT idempotency_pkey PRIMARY KEY (key_id, hash),
    CONSTRAINT idempotency_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES registry.tenant (id) ON DELETE CASCADE,
    CONSTRAINT idempotency_key_fkey FOREIGN KEY (key_id) REFERENCES registry.api_key (id) ON DELETE CASCADE
);
CREATE INDEX idempotency_age_idx ON registry.idempotency (created_at);
CREATE INDEX idempotency_tenant_idx ON registry.idempotency (tenant_id);

ALTER TABLE registry.api_key ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_scope ON registry.api_key USING (
    (SELECT current_setting('belfry.scope', true)) = 'system'
    OR tenant_id = (SELECT nullif(current_setting('belfry.tenant_id', true), '')::uuid));

ALTER TABLE registry.audit ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_scope ON registry.audit USING (
    (SELECT current_setting('belfry.scope', true)) = 'system'
    OR tenant_id = (SELECT nullif(current_setting('belfry.tenant_id', true), '')::uuid));

ALTER TABLE registry.idempotency ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_scope ON registry.idempotency USING (
    (SELECT current_setting('belfry.scope', true)) = 'system'
    OR tenant_id = (SELECT nullif(current_setting('belfry.tenant_id', true), '')::uuid));

GRANT SELECT, INSERT, DELETE ON registry.api_key TO belfry_registry;
GRANT UPDATE (last_used) ON registry.api_key TO belfry_registry;
GRANT SELECT, INSERT ON registry.audit TO belfry_registry;
GRANT SELECT, INSERT, DELETE ON registry.idempotency TO belfry_registry;
