-- The same users as loadtest/seed.sql makes for the registry. psql variables: domains, extensions, suffix, password.
INSERT INTO domain (domain) SELECT 't' || lpad(d::text, 6, '0') || :'suffix' FROM generate_series(0, :domains - 1) d;

INSERT INTO subscriber (username, domain, ha1)
SELECT (100 + e)::text, name, md5((100 + e)::text || ':' || name || ':' || :'password')
FROM (SELECT 't' || lpad(d::text, 6, '0') || :'suffix' AS name FROM generate_series(0, :domains - 1) d) domains,
     generate_series(0, :extensions - 1) e;

ANALYZE;
