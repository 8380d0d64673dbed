# shellcheck shell=bash
# The programs of an instance and their watcher.

# Start order, and what stops each one in an orderly way. The last column is its readiness check (wait.sh).
#   program          stop signal  ready
PROGRAMS=$(
    cat <<'TXT'
postgres         INT   postgres
redis            TERM  redis
tenant-registry  TERM  http:127.0.0.1:2:/ready
rtpengine        TERM  http:127.0.0.1:21:/ping
kamailio         TERM  http:127.0.0.1:10:/ready
nginx            QUIT  http:LISTEN:80:/health
TXT
)

program_names() { awk '{ print $1 }' <<<"$PROGRAMS"; }

program_command() {
    case $1 in
    postgres) echo "$PG_BIN/postgres -D $RUN/postgres -c config_file=$RUN/etc/postgres/postgresql.conf" ;;
    redis) echo "/usr/bin/redis-server $RUN/etc/redis/redis.conf" ;;
    tenant-registry) echo "$RUN/bin/belfry-tenant-registry" ;;
    rtpengine) echo "/usr/bin/rtpengine --config-file=$RUN/etc/rtpengine/rtpengine.conf" ;;
    kamailio)
        # -x, -X: Debian's default memory manager searches long lists under load; these do not (docs/benchmarks.md)
        echo "/usr/sbin/kamailio -DD -E -m 512 -M 16 -x fm -X tlsf -f $RUN/etc/kamailio/kamailio.cfg -Y $SOCK" \
            "-L /usr/lib/$(uname -m)-linux-gnu/kamailio/modules/:$RUN/modules/"
        ;;
    nginx) echo "/usr/sbin/nginx -e stderr -p $RUN/etc/nginx/ -c $RUN/etc/nginx/nginx.conf" ;;
    esac
}

# What a running program was started from, beside its part of supervisord.conf and its env file.
program_files() {
    case $1 in
    postgres) echo "$PG_BIN/postgres" "$RUN"/etc/postgres/* ;;
    redis) echo /usr/bin/redis-server "$RUN"/etc/redis/* ;;
    tenant-registry) echo "$RUN/bin/belfry-tenant-registry" ;;
    rtpengine) echo /usr/bin/rtpengine "$RUN"/etc/rtpengine/* ;;
    kamailio) echo /usr/sbin/kamailio "$RUN"/modules/*.so "$RUN"/etc/kamailio/*.cfg "$RUN"/etc/kamailio/*/*.cfg ;;
    nginx) echo /usr/sbin/nginx "$RUN"/etc/nginx/* ;;
    esac
}

supervisor_configure() {
    local name signal priority=10
    {
        fill_all "$ROOT/deploy/config/supervisor/supervisord.conf"
        while read -r name signal _; do
            fill_all "$ROOT/deploy/config/supervisor/program.conf" NAME="$name" STOPSIGNAL="$signal" \
                PRIORITY="$((priority += 10))" COMMAND="$(program_command "$name")"
        done <<<"$PROGRAMS"
    } | write "$RUN/supervisord.conf"
}

# program_stamp NAME: one line that changes when the program has to be started again.
program_stamp() {
    # shellcheck disable=SC2046 # a list of files
    {
        sed -n "/^\[program:$1\]/,/^$/p" "$RUN/supervisord.conf"
        cat "$RUN/bin/leash" "$RUN/env/$1.env" $(program_files "$1")
    } | sha256sum
}

supervisor_runs() { [ -e "$RUN/pid/supervisor.hold" ] && ! flock -n "$RUN/pid/supervisor.hold" true; }

control() { supervisorctl -c "$RUN/supervisord.conf" "$@"; }

# The watcher holds a lock as long as it lives; its programs hold their own (leash).
supervisor_start() {
    local head
    head=$(sed '/^\[program:/,$d' "$RUN/supervisord.conf" | sha256sum)
    if supervisor_runs; then
        if [ "$head" = "$(cat "$RUN/stamp/supervisor" 2>/dev/null)" ]; then return 0; fi
        supervisor_stop
    fi
    "$RUN/bin/leash" "$RUN" --sweep
    ports_free
    rm -f "$RUN"/stamp/* "$RUN/log/restarts.log"
    (
        # nothing of this shell may stay open in a program that outlives it: a pipe would never end, a lock never go
        exec 8>>"$RUN/pid/supervisor.hold" 3>&- 9>&-
        flock -n 8
        env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 HOME="$RUN" \
            /usr/bin/supervisord -c "$RUN/supervisord.conf"
    )
    printf '%s\n' "$head" >"$RUN/stamp/supervisor"
}

supervisor_stop() {
    local deadline=$((SECONDS + 60))
    control shutdown || true
    until flock -w 1 "$RUN/pid/supervisor.hold" true; do
        [ $SECONDS -lt $deadline ] || die "the programs did not stop within a minute" "see $RUN/log/supervisord.log"
    done
}

# programs_start NAME...: starts those that do not run, restarts those whose files changed, leaves the others alone.
programs_start() {
    local name stamp states changed=() starting=()
    states=$(control status) || true
    for name; do
        stamp=$(program_stamp "$name")
        if [ "$stamp" != "$(cat "$RUN/stamp/$name" 2>/dev/null)" ]; then
            changed+=("$name")
        elif ! grep -Eq "^$name +(RUNNING|STARTING|BACKOFF)" <<<"$states"; then
            starting+=("$name")
        fi
    done
    if [ ${#changed[@]} -gt 0 ]; then programs_replace "${changed[@]}"; fi
    starting+=("${changed[@]}")
    if [ ${#starting[@]} -eq 0 ]; then
        note "unchanged"
        return 0
    fi
    # `all` starts them side by side; one after the other each takes its startsecs
    if [ $# -gt 1 ]; then control start all || true; else control start "$1" || true; fi
    for name in ${changed[@]+"${changed[@]}"}; do program_stamp "$name" >"$RUN/stamp/$name"; done
    note "started ${starting[*]}"
}

# Stops what runs of these and has supervisor take their new settings.
programs_replace() {
    control stop "$@" || true
    control reread || true
    control update "$@" || true
}

# ports_free: before the first start: a port that somebody else has is named here, not in a program's log.
ports_free() {
    local port taken
    taken=$(awk 'FNR > 1 && ($4 == "0A" || FILENAME ~ /udp/) { split($2, a, ":"); print a[2] }' /proc/net/tcp /proc/net/udp)
    for port in 1 2 10 20 21 60 80; do
        port=$((PORT_BASE + port))
        if grep -qix "$(printf '%04x' "$port")" <<<"$taken"; then
            die "port $port is taken by another program" \
                "stop that one (ss -lptun 'sport = :$port' names it), or choose other ports: make up PORT_BASE=20000"
        fi
    done
}
