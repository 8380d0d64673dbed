-- The system of record: tenants, their domains and extensions.
--
-- Row-level security is enabled and forced on every tenant table: a transaction sees one tenant's rows (setting
-- belfry.tenant_id) or, when belfry.scope is 'system', all of them. Without either it sees nothing. The sub-selects in the
-- policies make PostgreSQL read the settings once a statement instead of once a row.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'belfry_registry') THEN
        CREATE ROLE belfry_registry LOGIN;
    END IF;
END
$$;

CREATE SCHEMA registry;
GRANT USAGE ON SCHEMA registry TO belfry_registry;

CREATE TABLE registry.tenant (
    id                  uuid PRIMARY KEY,
    slug                text COLLATE "C" NOT NULL,
    name                text NOT NULL,
    status              text NOT NULL DEFAULT 'active',
    realm               text COLLATE "C" NOT NULL,
    max_calls           integer NOT NULL DEFAULT 0,
    max_registrations   integer NOT NULL DEFAULT 0,
    calls_per_second    integer NOT NULL DEFAULT 0,
    requests_per_minute integer NOT NULL DEFAULT 0,
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT tenant_slug_key UNIQUE (slug),
    CONSTRAINT tenant_slug_form CHECK (slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
    CONSTRAINT tenant_name_size CHECK (octet_length(name) BETWEEN 1 AND 128),
    CONSTRAINT tenant_status_known CHECK (status IN ('active', 'suspended')),
    CONSTRAINT tenant_realm_size CHECK (octet_length(realm) BETWEEN 1 AND 253),
    CONSTRAINT tenant_limits_range CHECK (max_calls BETWEEN 0 AND 1000000 AND max_registrations BETWEEN 0 AND 1000000
        AND calls_per_second BETWEEN 0 AND 1000000 AND requests_per_minute BETWEEN 0 AND 1000000)
);
COMMENT ON COLUMN registry.tenant.realm IS
    'digest realm: the first domain, never changed afterwards, because every HA1 of the tenant depends on it';
COMMENT ON COLUMN registry.tenant.max_calls IS 'this and the other limits: 0 is no limit of its own';

CREATE TABLE registry.domain (
    name       text COLLATE "C" NOT NULL,
    tenant_id  uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT domain_pkey PRIMARY KEY (name),
    CONSTRAINT domain_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES registry.tenant (id) ON DELETE CASCADE,
    CONSTRAINT domain_name_form CHECK (octet_length(name) BETWEEN 1 AND 253 AND name = lower(name) AND name !~ '[^a-z0-9.-]')
);
CREATE INDEX domain_tenant_idx ON registry.domain (tenant_id, name);

CREATE TABLE registry.extension (
    tenant_id    uuid NOT NULL,
    number       text COLLATE "C" NOT NULL,
    kind         text NOT NULL,
    display_name text NOT NULL DEFAULT '',
    max_contacts smallint NOT NULL DEFAULT 5,
    ha1_md5      bytea NOT NULL,
    ha1_sha256   bytea NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT extension_pkey PRIMARY KEY (tenant_id, number),
    CONSTRAINT extension_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES registry.tenant (id) ON DELETE CASCADE,
    CONSTRAINT extension_number_form CHECK (number ~ '^[0-9A-Za-z+][0-9A-Za-z._+-]{0,31}$'),
    CONSTRAINT extension_kind_known CHECK (kind IN ('softphone', 'browser', 'app', 'door')),
    CONSTRAINT extension_display_name_size CHECK (octet_length(display_name) <= 128),
    CONSTRAINT extension_max_contacts_range CHECK (max_contacts BETWEEN 1 AND 20),
    CONSTRAINT extension_ha1_size CHECK (octet_length(ha1_md5) = 16 AND octet_length(ha1_sha256) = 32)
);
COMMENT ON COLUMN registry.extension.ha1_md5 IS 'MD5(number:realm:password); the password itself is never stored';

ALTER TABLE registry.tenant ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_scope ON registry.tenant USING (
    (SELECT current_setting('belfry.scope', true)) = 'system'
    OR id = (SELECT nullif(current_setting('belfry.tenant_id', true), '')::uuid));

ALTER TABLE registry.domain ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_scope ON registry.domain USING (
    (SELECT current_setting('belfry.scope', true)) = 'system'
    OR tenant_id = (SELECT nullif(current_setting('belfry.tenant_id', true), '')::uuid));

ALTER TABLE registry.extension ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_scope ON registry.extension USING (
    (SELECT current_setting('belfry.scope', true)) = 'system'
    OR tenant_id = (SELECT nullif(current_setting('belfry.tenant_id', true), '')::uuid));

GRANT SELECT, INSERT, DELETE ON registry.tenant TO belfry_registry;
GRANT UPDATE (name, status, max_calls, max_registrations, calls_per_second, requests_per_minute, updated_at)
    ON registry.tenant TO belfry_registry;
GRANT SELECT, INSERT, DELETE ON registry.domain TO belfry_registry;
GRANT SELECT, INSERT, DELETE ON registry.extension TO belfry_registry;
GRANT UPDATE (kind, display_name, max_contacts, ha1_md5, ha1_sha256, updated_at) ON registry.extension TO belfry_registry;
