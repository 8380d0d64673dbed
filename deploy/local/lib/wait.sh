# shellcheck shell=bash
# Whether programs are ready to serve, by asking them.

# program_ready NAME: says nothing; true when it serves.
program_ready() {
    local check how plus path host=127.0.0.1
    check=$(program_field "$1" 4)
    case $check in
    postgres) "$PG_BIN/pg_isready" -q -h "$SOCK" -U postgres -d postgres ;;
    redis) [ "$(redis-cli -s "$SOCK/redis.sock" ping 2>/dev/null)" = PONG ] ;;
    tcp:*) (exec 3<>"/dev/tcp/$LISTEN/$(port "${check#tcp:}")") 2>/dev/null ;;
    http:* | listen:*)
        IFS=: read -r how plus path <<<"$check"
        [ "$how" = http ] || host=$LISTEN
        curl -fsS --noproxy '*' --max-time 2 -o /dev/null "http://$host:$(port "$plus" "$(copy_of "$1")")$path" 2>/dev/null
        ;;
    esac
}

# programs_ready SECONDS NAME...: waits for all of them.
programs_ready() {
    local deadline=$((SECONDS + $1)) name
    shift
    for name; do
        until program_ready "$name"; do
            if [ $SECONDS -ge $deadline ]; then not_ready "$name"; fi
            sleep 0.1
        done
    done
}

not_ready() {
    tail -n 20 "$RUN/log/$1.log" 2>/dev/null || true
    control status || true
    die "$1 is not ready" "its last lines are above, all of them in $RUN/log/$1.log; correct the cause and run \`make up\` again"
}
