-- call-control asks this for each batch of a call's events. A function in SQL is planned anew each time it is called, which took most of its
-- time; one in PL/pgSQL is planned once a connection.
CREATE OR REPLACE FUNCTION events.wanted(tenants uuid[]) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
AS $$
BEGIN
    RETURN QUERY
    SELECT given.id FROM (SELECT DISTINCT unnest(tenants) AS id) AS given
    WHERE EXISTS (SELECT FROM events.webhook WHERE webhook.tenant_id = given.id)
       OR EXISTS (SELECT FROM events.listener WHERE listener.tenant_id = given.id AND listener.until > now())
    ORDER BY given.id;
END
$$;
