-- Groups of extensions, and where an extension's calls go.

ALTER TABLE registry.extension
    ADD COLUMN do_not_disturb    boolean NOT NULL DEFAULT false,
    ADD COLUMN forward_always    text COLLATE "C",
    ADD COLUMN forward_busy      text COLLATE "C",
    ADD COLUMN forward_no_answer text COLLATE "C",
    ADD COLUMN ring_seconds      smallint NOT NULL DEFAULT 30,
    ADD CONSTRAINT extension_forward_form CHECK (
        forward_always ~ '^[0-9A-Za-z+][0-9A-Za-z._+-]{0,31}$'
        AND forward_busy ~ '^[0-9A-Za-z+][0-9A-Za-z._+-]{0,31}$'
        AND forward_no_answer ~ '^[0-9A-Za-z+][0-9A-Za-z._+-]{0,31}$'),
    ADD CONSTRAINT extension_ring_seconds_range CHECK (ring_seconds BETWEEN 1 AND 300);
COMMENT ON COLUMN registry.extension.forward_always IS
    'this and the other two: a number, null when not set; whether it exists is found out when a call is planned';

CREATE TABLE registry.group_ (
    tenant_id    uuid NOT NULL,
    number       text COLLATE "C" NOT NULL,
    display_name text NOT NULL DEFAULT '',
    strategy     text NOT NULL,
    ring_seconds smallint NOT NULL DEFAULT 30,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT group_pkey PRIMARY KEY (tenant_id, number),
    CONSTRAINT group_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES registry.tenant (id) ON DELETE CASCADE,
    CONSTRAINT group_number_form CHECK (number ~ '^[0-9A-Za-z+][0-9A-Za-z._+-]{0,31}$'),
    CONSTRAINT group_display_name_size CHECK (octet_length(display_name) <= 128),
    CONSTRAINT group_strategy_known CHECK (strategy IN ('all', 'sequence')),
    CONSTRAINT group_ring_seconds_range CHECK (ring_seconds BETWEEN 1 AND 300)
);
COMMENT ON COLUMN registry.group_.ring_seconds IS 'strategy all: in total; sequence: each member';

-- A deleted extension leaves its groups; a group that nobody is left in stays.
CREATE TABLE registry.group_member (
    tenant_id    uuid NOT NULL,
    group_number text COLLATE "C" NOT NULL,
    member       text COLLATE "C" NOT NULL,
    position     smallint NOT NULL,
    CONSTRAINT group_member_pkey PRIMARY KEY (tenant_id, group_number, member),
    CONSTRAINT group_member_group_fkey FOREIGN KEY (tenant_id, group_number)
        REFERENCES registry.group_ (tenant_id, number) ON DELETE CASCADE,
    CONSTRAINT group_member_extension_fkey FOREIGN KEY (tenant_id, member)
        REFERENCES registry.extension (tenant_id, number) ON DELETE CASCADE,
    CONSTRAINT group_member_position_range CHECK (position BETWEEN 1 AND 100)
);
CREATE INDEX group_member_extension_idx ON registry.group_member (tenant_id, member);

-- A number is an extension or a group, never both, whoever writes at the same time: whatever takes one has its row here.
CREATE TABLE registry.number (
    tenant_id uuid NOT NULL,
    number    text COLLATE "C" NOT NULL,
    CONSTRAINT number_pkey PRIMARY KEY (tenant_id, number),
    CONSTRAINT number_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES registry.tenant (id) ON DELETE CASCADE
);

CREATE FUNCTION registry.number_take() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO registry.number (tenant_id, number) VALUES (NEW.tenant_id, NEW.number);
    RETURN NEW;
END
$$;
CREATE FUNCTION registry.number_give_back() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM registry.number WHERE tenant_id = OLD.tenant_id AND number = OLD.number;
    RETURN NULL;
END
$$;
CREATE TRIGGER number_take BEFORE INSERT ON registry.extension
    FOR EACH ROW EXECUTE FUNCTION registry.number_take();
CREATE TRIGGER number_give_back AFTER DELETE ON registry.extension
    FOR EACH ROW EXECUTE FUNCTION registry.number_give_back();
CREATE TRIGGER number_take BEFORE INSERT ON registry.group_
    FOR EACH ROW EXECUTE FUNCTION registry.number_take();
CREATE TRIGGER number_give_back AFTER DELETE ON registry.group_
    FOR EACH ROW EXECUTE FUNCTION registry.number_give_back();

-- Nobody writes extensions now: making the triggers locked the table until this transaction ends. Row-level security binds
-- the owner too, hence the scope.
SET LOCAL belfry.scope = 'system';
INSERT INTO registry.number (tenant_id, number) SELECT tenant_id, number FROM registry.extension;

ALTER TABLE registry.group_ ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_scope ON registry.group_ USING (
    (SELECT current_setting('belfry.scope', true)) = 'system'
    OR tenant_id = (SELECT nullif(current_setting('belfry.tenant_id', true), '')::uuid));

ALTER TABLE registry.group_member ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_scope ON registry.group_member USING (
    (SELECT current_setting('belfry.scope', true)) = 'system'
    OR tenant_id = (SELECT nullif(current_setting('belfry.tenant_id', true), '')::uuid));

ALTER TABLE registry.number ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_scope ON registry.number USING (
    (SELECT current_setting('belfry.scope', true)) = 'system'
    OR tenant_id = (SELECT nullif(current_setting('belfry.tenant_id', true), '')::uuid));

ALTER TABLE registry.change
    DROP CONSTRAINT change_kind_known,
    ADD CONSTRAINT change_kind_known CHECK (
        (kind = 'tenant' AND domain IS NULL AND number IS NULL)
        OR (kind = 'domain' AND domain IS NOT NULL AND number IS NULL)
        OR (kind IN ('extension', 'group') AND domain IS NULL AND number IS NOT NULL));

GRANT UPDATE (do_not_disturb, forward_always, forward_busy, forward_no_answer, ring_seconds)
    ON registry.extension TO belfry_registry;
GRANT SELECT, INSERT, DELETE ON registry.group_ TO belfry_registry;
GRANT UPDATE (display_name, strategy, ring_seconds, updated_at) ON registry.group_ TO belfry_registry;
GRANT SELECT, INSERT, DELETE ON registry.group_member TO belfry_registry;
GRANT SELECT, INSERT, DELETE ON registry.number TO belfry_registry;
