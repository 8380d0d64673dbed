-- Tenants in bulk, past the registry's REST: tenant d owns the domain t<d, 6 digits><suffix> and has the extensions 100,
-- 101, ... whose password is always the same. psql variables: domains, extensions, suffix, password.
-- Nothing of it goes through the change feed; instead the epoch is renewed, which sends every edge for a new snapshot.
BEGIN;
SET LOCAL belfry.scope = 'system';

CREATE TEMPORARY TABLE bench_tenant ON COMMIT DROP AS
SELECT (lpad(to_hex(1700000000000 + d), 12, '0') || '7' || substr(hash, 1, 3) || '8' || substr(hash, 4, 15))::uuid AS id,
       't' || lpad(d::text, 6, '0') AS slug, 't' || lpad(d::text, 6, '0') || :'suffix' AS domain
FROM generate_series(0, :domains - 1) d, LATERAL (SELECT md5(d::text) AS hash) random; -- as UUIDv7 is: time, then randomness

INSERT INTO registry.tenant (id, slug, name, realm, requests_per_minute) SELECT id, slug, slug, domain, 1000000 FROM bench_tenant;
INSERT INTO registry.domain (name, tenant_id) SELECT domain, id FROM bench_tenant;
INSERT INTO registry.extension (tenant_id, number, kind, ha1_md5, ha1_sha256)
SELECT id, number, 'softphone', decode(md5(number || ':' || domain || ':' || :'password'), 'hex'),
       sha256(convert_to(number || ':' || domain || ':' || :'password', 'UTF8'))
FROM bench_tenant, LATERAL (SELECT (100 + e)::text AS number FROM generate_series(0, :extensions - 1) e) numbers;

UPDATE registry.feed_head SET epoch = hashtextextended(gen_random_uuid()::text, 0);
COMMIT;
-- Here, not by autovacuum while something is measured.
VACUUM ANALYZE registry.tenant, registry.domain, registry.extension;
