-- An extension has an id of its own: a number that is deleted and made again is another extension, and what belonged to the
-- one before it (push devices, registrations, app tokens) is none of its.

-- A UUIDv7 by the database's clock, to the microsecond: what is made later has a larger one, whichever replica makes it.
CREATE FUNCTION registry.new_id() RETURNS uuid LANGUAGE sql VOLATILE AS $$
    SELECT (lpad(to_hex(us / 1000), 12, '0') || '7' || lpad(to_hex(us % 1000 * 4096 / 1000), 3, '0')
            || substr(replace(gen_random_uuid()::text, '-', ''), 17))::uuid
    FROM (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint) AS now (us)
$$;

ALTER TABLE registry.extension ADD COLUMN id uuid NOT NULL DEFAULT registry.new_id();
COMMENT ON COLUMN registry.extension.id IS 'never changed; a number that is made again gets another, larger one';
