# shellcheck shell=bash
# The instance's own PostgreSQL: made once, reached by its unix socket only.

PG_BIN=/usr/lib/postgresql/15/bin

# The owner, and a role for each service; RUN/secrets/<role>.pgpass is the password.
POSTGRES_ROLES='belfry_owner belfry_registry belfry_calls belfry_events'

# postgres_create: the cluster's files, put in place when they are whole. Nothing here ever removes a cluster.
postgres_create() {
    local new=$RUN/postgres.new
    umask 077
    if [ -e "$RUN/postgres/PG_VERSION" ]; then return 0; fi
    rm -rf "$new"
    "$PG_BIN/initdb" -D "$new" -U postgres --locale=C.UTF-8 --encoding=UTF8 --data-checksums \
        --auth-local=peer --auth-host=reject --no-instructions
    # what initdb wrote there is not read: deploy/config/postgres is
    rm -f "$new"/{postgresql,pg_hba,pg_ident}.conf
    mv -T "$new" "$RUN/postgres"
    note "new cluster in $RUN/postgres"
}

psql_as_superuser() { psql -X -q -At -v ON_ERROR_STOP=1 -h "$SOCK" -U postgres "$@"; }

# postgres_migrate: a step: roles, database, and the schema's newest version.
postgres_migrate() {
    local missing applied
    missing=$(psql_as_superuser -d postgres <<SQL
SELECT r FROM unnest(string_to_array('$POSTGRES_ROLES', ' ')) r
    WHERE NOT EXISTS (SELECT FROM pg_authid WHERE rolname = r AND rolpassword IS NOT NULL)
UNION ALL SELECT 'the database' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'belfry');
SQL
    )
    [ -z "$missing" ] || postgres_bootstrap
    applied=$(PGHOST=$SOCK PGDATABASE=belfry PGUSER=belfry_owner PGPASSWORD=$(<"$RUN/secrets/belfry_owner.pgpass") \
        bash "$ROOT/sql/migrate")
    printf '%s\n' "$applied"
    note "$(grep -c 'applying' <<<"$applied" || true) migrations applied"
}

# The passwords go over the socket, never on a command line.
postgres_bootstrap() {
    local role
    {
        for role in $POSTGRES_ROLES; do
            cat <<SQL
\\set password \`cat '$RUN/secrets/$role.pgpass'\`
SELECT 'CREATE ROLE $role LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '$role') \\gexec
ALTER ROLE $role LOGIN PASSWORD :'password';
SQL
        done
        cat <<SQL
ALTER ROLE belfry_owner CREATEROLE;
SELECT 'CREATE DATABASE belfry OWNER belfry_owner' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'belfry') \\gexec
REVOKE ALL ON DATABASE belfry FROM PUBLIC;
GRANT CONNECT ON DATABASE belfry TO ${POSTGRES_ROLES// /, };
SQL
    } | psql_as_superuser -d postgres
}
