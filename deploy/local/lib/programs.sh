# shellcheck shell=bash disable=SC2034,SC2153 # other parts use what is set here; EDGES, RELAYS, CONTROLS, FANOUTS come from there
# The programs of an instance: which, how many of each, where they listen, and what each one is started from.
#
# Copy n of a program has the ports of the first + COPY_PORTS x (n-1). Its name is the program's, from the second on with -n.

# Start order. `copies` is a number or the variable that has it; `stop` the signal for an orderly end; `ready` how to ask
# (wait.sh; http: on 127.0.0.1, listen: and tcp: on LISTEN, all with a port of the next column); `ports` are PORT_BASE plus;
# `reload` the signal that has it take other files of RUN/etc and go on with its connections, where there is one.
#   program          copies    stop  ready              ports           reload
PROGRAMS=$(
    cat <<'TXT'
postgres         1         INT   postgres           -
redis            1         TERM  redis              -
tenant-registry  1         TERM  http:2:/ready      1,2
event-fanout     FANOUTS   TERM  http:6:/ready      5,6,7
call-control     CONTROLS  TERM  http:4:/ready      3,4
rtpengine        RELAYS    TERM  http:21:/ping      20,21
coturn           1         TERM  tcp:78             78,49
kamailio         EDGES     TERM  http:10:/ready     10,11,60,61,62
nginx            1         TERM  listen:80:/health  80,43,44,45     HUP
TXT
)
COPIES_MAX=4
COPY_PORTS=100

# The table once more, as PROGRAM_FIELD[program:column], for it is asked all the time. [program:row] is its place in the order.
declare -A PROGRAM_FIELD
place=0
while read -r -a row; do
    PROGRAM_FIELD[${row[0]}:row]=$((++place))
    for column in "${!row[@]}"; do PROGRAM_FIELD[${row[0]}:$((column + 1))]=${row[column]}; done
done <<<"$PROGRAMS"

# program_names [PROGRAM]: of all, or of the copies of one.
# shellcheck disable=SC2120 # other parts name one
program_names() {
    local program copies n
    while read -r program copies _; do
        [ "${1:-$program}" = "$program" ] || continue
        for ((n = 1; n <= copies; n++)); do program_name "$program" "$n"; done
    done <<<"$PROGRAMS"
}

program_name() { if [ "$2" -eq 1 ]; then echo "$1"; else echo "$1-$2"; fi; }
program_of() { echo "${1%-[2-9]}"; }
copy_of() { if [[ $1 =~ -([2-9])$ ]]; then echo "${BASH_REMATCH[1]}"; else echo 1; fi; }

# program_field NAME N: a column of its row.
program_field() { echo "${PROGRAM_FIELD[${1%-[2-9]}:$2]:-}"; }

# program_priority NAME: supervisor stops the largest first.
program_priority() { echo $((10 + 10 * $(program_field "$1" row))); }

# port PLUS [COPY]
port() { echo $((PORT_BASE + $1 + COPY_PORTS * (${2:-1} - 1))); }

program_ports() {
    local plus
    for plus in $(program_field "$1" 5 | tr ',-' '  '); do port "$plus" "$(copy_of "$1")"; done
}

# ---- addresses of copy n ----------------------------------------------------------------------------------------------
# On the loopback every edge and relay has an address of its own, as machines do.
copy_address() { if [ "$LISTEN" = 127.0.0.1 ]; then echo "127.0.0.$1"; else echo "$LISTEN"; fi; }

# each COUNT FUNCTION: what FUNCTION says of copies 1 to COUNT, separated by spaces.
each() {
    local n words=()
    for ((n = 1; n <= $1; n++)); do words+=("$("$2" "$n")"); done
    echo "${words[*]}"
}

edge_sip() { echo "$(copy_address "$1"):$(port 60 "$1")"; }
edge_sips() { echo "$(copy_address "$1"):$(port 61 "$1")"; }
edge_ws_host() { echo 127.0.0.1; }
edge_internal_host() { echo "127.0.1.$1"; }
edge_internal() { echo "$(edge_internal_host "$1"):$(port 62 "$1")"; }
EDGE_PEERS=127.0.1.0/24
edge_admin() { echo "http://127.0.0.1:$(port 10 "$1")"; }
edge_ctl() { echo "unixs:$SOCK/$(program_name kamailio "$1").ctl"; }
edge_bus() { echo "ipc://$SOCK/edge-$1.bus"; }
relay_ng() { echo "udp:127.0.0.1:$(port 20 "$1")"; }
relay_admin() { echo "http://127.0.0.1:$(port 21 "$1")"; }
calls_admin() { echo "http://127.0.0.1:$(port 4 "$1")"; }
fanout_admin() { echo "http://127.0.0.1:$(port 6 "$1")"; }
fanout_sockets() { echo "ws://127.0.0.1:$(port 7 "$1")/v1/events"; }
fanout_bus() { echo "ipc://$SOCK/$(program_name event-fanout "$1").bus"; }
calls_bus() { echo "ipc://$SOCK/$(program_name call-control "$1").bus"; }

# relay_rtp_ports COPY: the whole range on an address of its own; relays that share an address share the range.
RTP_PLUS=1000
RTP_COUNT=2000
relay_rtp_ports() {
    local shares=1 share=0
    if [ "$(copy_address 1)" = "$(copy_address 2)" ]; then shares=$RELAYS share=$(($1 - 1)); fi
    # even, because a stream takes an even port and the odd one after it
    local size=$((RTP_COUNT / shares / 2 * 2)) first
    first=$((PORT_BASE + RTP_PLUS + share * size))
    echo "$first $((first + size - 1))"
}

# program_urls: how every program is asked whether it is ready, and a relay how many calls it has: name=url each, for call-control.
program_urls() {
    local name kind plus path
    # shellcheck disable=SC2119
    for name in $(program_names); do
        IFS=: read -r kind plus path <<<"$(program_field "$name" 4)"
        case $name in rtpengine*) path='/metrics#rtpengine_sessions{type="own"}' ;; esac
        case $kind in
        http) echo "$name=http://127.0.0.1:$(port "$plus" "$(copy_of "$name")")$path" ;;
        listen) echo "$name=http://$LISTEN:$(port "$plus")$path" ;;
        tcp) echo "$name=tcp://$LISTEN:$(port "$plus")" ;;
        postgres) echo "$name=unix://$SOCK/.s.PGSQL.5432" ;;
        redis) echo "$name=unix://$SOCK/redis.sock" ;;
        esac
    done
}

# TURN on the loopback may speak with the relays there, and with nothing else of this machine (turn_peers).
TURN_PLUS=800
TURN_COUNT=100
turn_name() { echo "${BELFRY_TURN_NAME:-turn.localhost}"; }
turn_urls() {
    local place
    place=$LISTEN:$(port 78)
    echo "stun:$place turn:$place?transport=udp turn:$place?transport=tcp" \
        "turns:$(turn_name):$(port 49)?transport=tcp turns:$(turn_name):$(port 43)?transport=tcp"
}

# ---- what a program is started from ------------------------------------------------------------------------------------
program_command() {
    case $(program_of "$1") in
    postgres) echo "$PG_BIN/postgres -D $RUN/postgres -c config_file=$RUN/etc/postgres/postgresql.conf" ;;
    redis) echo "/usr/bin/redis-server $RUN/etc/redis/redis.conf" ;;
    tenant-registry | call-control | event-fanout) echo "$RUN/bin/belfry-$(program_of "$1")" ;;
    rtpengine) echo "/usr/bin/rtpengine --config-file=$RUN/etc/$1/rtpengine.conf" ;;
    kamailio)
        # -m: MiB, taken as they are used; -x, -X: Debian's default memory manager searches long lists under load, these do not (docs/benchmarks.md)
        echo "/usr/sbin/kamailio -DD -E -m 2048 -M 16 -x tlsf -X tlsf -f $RUN/etc/kamailio/kamailio.cfg -Y $SOCK" \
            "-L /usr/lib/$(uname -m)-linux-gnu/kamailio/modules/:$RUN/modules/"
        ;;
    coturn) echo "/usr/bin/turnserver -c $RUN/etc/coturn/turnserver.conf" ;;
    nginx) echo "/usr/sbin/nginx -e stderr -p $RUN/etc/nginx/ -c $RUN/etc/nginx/nginx.conf" ;;
    esac
}

# Its files, beside its part of supervisord.conf and its env file.
program_files() {
    case $(program_of "$1") in
    postgres) echo "$PG_BIN/postgres" "$RUN"/etc/postgres/* ;;
    redis) echo /usr/bin/redis-server "$RUN"/etc/redis/* ;;
    tenant-registry | call-control | event-fanout) echo "$RUN/bin/belfry-$(program_of "$1")" ;;
    rtpengine) echo /usr/bin/rtpengine "$RUN/etc/$1"/* ;;
    kamailio) echo /usr/sbin/kamailio "$RUN"/modules/*.so "$RUN"/etc/kamailio/*.cfg "$RUN"/etc/kamailio/*/*.cfg ;;
    coturn) echo /usr/bin/turnserver "$RUN"/etc/coturn/* ;;
    nginx) echo /usr/sbin/nginx "$RUN"/etc/nginx/* ;;
    esac
}

# program_stamp NAME: two words: the first changes when the program has to take other files or start again, the second when only
# starting again does.
program_stamp() {
    local started files
    started=$({
        sed -n "/^\[program:$1\]/,/^$/p" "$RUN/supervisord.conf"
        cat "$RUN/bin/leash" "$RUN/env/$1.env" "$(program_binary "$1")"
    } | sha256sum)
    # shellcheck disable=SC2046 # a list of files
    files=$({ cat $(program_files "$1"); } | sha256sum)
    echo "${started%% *}-${files%% *} ${started%% *}"
}

program_binary() { local files; read -r files _ <<<"$(program_files "$1")"; echo "$files"; }
