# shellcheck shell=bash
# An instance: its directory, ports, owner, secrets, and the files in it that are made from deploy/config.

# instance_place: RUN as an absolute path that every configuration language takes unquoted.
instance_place() {
    [[ $RUN == /* ]] || RUN=$ROOT/$RUN
    RUN=$(realpath -m "$RUN")
    [[ $RUN =~ ^/[A-Za-z0-9._/+@-]+$ ]] ||
        die "RUN=$RUN has characters that a configuration file would have to quote" "choose a path of letters, digits and . _ - + @"
}

# instance_check_settings: what the Makefile or a person handed over.
instance_check_settings() {
    if ! [[ $PORT_BASE =~ ^[0-9]{4,5}$ ]] || ((PORT_BASE < 1024 || PORT_BASE > 29000)); then
        die "PORT_BASE=$PORT_BASE is not within 1024..29000" "choose one whose next 3000 ports are free, for example PORT_BASE=20000"
    fi
    [[ $LISTEN =~ ^([0-9]{1,3}\.){3}[0-9]{1,3}$ ]] ||
        die "LISTEN=$LISTEN is not an IPv4 address" "give an address of this machine that phones reach, for example LISTEN=192.168.1.10"
    local name
    for name in BELFRY_FLOOD_REQUESTS BELFRY_BAN_FAILURES BELFRY_BAN_SECONDS BELFRY_TLS_CONNECTIONS BELFRY_SILENCE_SECONDS; do
        [[ ${!name:-1} =~ ^[1-9][0-9]{0,6}$ ]] || die "$name=${!name} is not a number" "a whole number from 1 to 9999999"
    done
    [[ ${BELFRY_TRUSTED_SOURCES:-} =~ ^[0-9./,]*$ ]] ||
        die "BELFRY_TRUSTED_SOURCES=$BELFRY_TRUSTED_SOURCES is not a list of addresses" "IPv4 addresses or subnets, separated by commas"
    [[ ${BELFRY_PHONE_FRAMES:-} =~ ^[A-Za-z0-9\'./:*\ -]*$ ]] ||
        die "BELFRY_PHONE_FRAMES=$BELFRY_PHONE_FRAMES is not a list of sites" "for example BELFRY_PHONE_FRAMES='https://intranet.example'"
    [[ ${BELFRY_TURN_PEERS:-} =~ ^[0-9.,-]*$ ]] ||
        die "BELFRY_TURN_PEERS=$BELFRY_TURN_PEERS is not a list of addresses" "IPv4 addresses or ranges (10.0.0.1-10.0.0.9), separated by commas"
    [[ ${BELFRY_TURN_NAME:-turn.localhost} =~ ^turn\.[a-z0-9.-]*[a-z0-9]$ ]] ||
        die "BELFRY_TURN_NAME=$BELFRY_TURN_NAME is no name that begins with turn." "for example BELFRY_TURN_NAME=turn.acme.example"
    local least
    for name in EDGES RELAYS CONTROLS FANOUTS; do
        least=1
        if [ "$name" = CONTROLS ] || [ "$name" = FANOUTS ]; then least=0; fi
        [[ ${!name:-1} =~ ^[$least-$COPIES_MAX]$ ]] || die "$name=${!name} is not within $least..$COPIES_MAX" "for example $name=2"
    done
    case $BUILD in
    release | debug | asan | tsan) ;;
    *) die "BUILD=$BUILD is unknown" "use release, debug, asan or tsan" ;;
    esac
}

# instance_counts: how many edges, relays, call-controls and event-fanouts: what the caller says, else as many as there are, else one.
instance_counts() {
    local name saved
    for name in EDGES RELAYS CONTROLS FANOUTS; do
        saved=$(sed -n "s/^$name=//p" "$RUN/instance.env" 2>/dev/null) || true
        [ -n "${!name:-}" ] || printf -v "$name" %s "${saved:-1}"
    done
}

# instance_user: whose processes they are. Root runs nothing as root.
instance_user() {
    if [ "$(id -u)" -ne 0 ]; then
        id -un
    elif [ -d "$RUN" ] && [ "$(stat -c %U "$RUN")" != root ]; then
        stat -c %U "$RUN"
    elif [ -n "${SUDO_USER:-}" ] && [ "$SUDO_USER" != root ]; then
        printf '%s\n' "$SUDO_USER"
    else
        echo belfry
    fi
}

# instance_account: a step of root: the account and the empty instance directory that belongs to it.
instance_account() {
    local user=$1
    if ! getent passwd "$user" >/dev/null; then
        useradd --system --user-group --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin "$user"
        note "created the system user $user"
    fi
    if [ ! -d "$RUN" ]; then
        mkdir -p "$(dirname "$RUN")"
        install -d -m 0750 -o "$user" -g "$(id -gn "$user")" "$RUN"
    fi
    # an empty folder made for the purpose, by mktemp -d for example
    if [ -z "$(ls -A "$RUN")" ]; then chown "$user:$(id -gn "$user")" "$RUN"; fi
    [ "$(stat -c %U "$RUN")" = "$user" ] ||
        die "$RUN belongs to $(stat -c %U "$RUN"), and $user must own it" "remove it, or choose another RUN"
}

# instance_saved: the settings that RUN was last started with; down, status and logs need no PORT_BASE.
instance_saved() {
    EDGES=1 RELAYS=1 CONTROLS=1 FANOUTS=1
    [ -e "$RUN/instance.env" ] || return 0
    # shellcheck disable=SC1091
    . "$RUN/instance.env"
}

# instance_sockets: sets TLS, the folder of certificates.sh, and SOCK, the sockets' folder by a path short enough for a socket's address (107 bytes, of which
# supervisor's own temporary name takes 24).
instance_sockets() {
    TLS=$RUN/tls
    SOCK=$RUN/sock
    if [ ${#SOCK} -gt 80 ]; then
        SOCK=/tmp/belfry-$(printf '%s' "$RUN" | sha256sum | cut -c1-16)
    fi
}

instance_make_folders() {
    umask 077
    mkdir -p "$RUN"/{bin,env,etc,log,modules,pid,redis,secrets,stamp,tmp}
    if [ "$SOCK" = "$RUN/sock" ]; then
        mkdir -p "$SOCK"
    else
        mkdir -m 0700 "$SOCK" 2>/dev/null || true
        if [ ! -O "$SOCK" ] || [ -L "$SOCK" ]; then
            die "$SOCK belongs to somebody else" "choose a shorter RUN, so that its sockets need no folder in /tmp"
        fi
        ln -sfn "$SOCK" "$RUN/sock"
    fi
    chmod 0700 "$RUN/secrets"
    write "$RUN/instance.env" <<TXT
PORT_BASE=$PORT_BASE
LISTEN=$LISTEN
BUILD=$BUILD
EDGES=$EDGES
RELAYS=$RELAYS
CONTROLS=$CONTROLS
FANOUTS=$FANOUTS
TXT
    local role
    for role in $POSTGRES_ROLES; do secret "$role.pgpass"; done
    secret edge.secret
    secret seal.key
    secret registry-seal.key
    secret wake.key
    secret turn.secret
}

# secret NAME: 192 random bits in RUN/secrets/NAME, made once.
secret() {
    local file=$RUN/secrets/$1
    [ ! -s "$file" ] || return 0
    openssl rand -hex 24 >"$file.new"
    mv "$file.new" "$file"
}

# write FILE: the text on stdin becomes FILE, in one step, and only when that changes it. Most of a second `up` is such
# looking, and each process that it takes is felt.
write() {
    local text
    text=$(cat)
    if [ ! -e "$1" ] || [ "$text" != "$(<"$1")" ]; then
        (umask 077 && printf '%s\n' "$text" >"$1.new")
        mv "$1.new" "$1"
    fi
}

# copy FROM TO [MODE]: the same of a file.
copy() {
    if ! cmp -s "$1" "$2"; then
        install -m "${3:-0600}" "$1" "$2.new"
        mv "$2.new" "$2"
    fi
}

# fill FILE NAME=VALUE...: FILE with every @NAME@ replaced; one that nobody gave is an error.
fill() {
    local text pair file=$1
    shift
    text=$(<"$file")
    for pair; do text=${text//"@${pair%%=*}@"/"${pair#*=}"}; done
    if [[ $text =~ @[A-Z_]+@ ]]; then
        die "$file wants ${BASH_REMATCH[0]}, which nothing fills in" "correct it, or add it to fill_all in deploy/local/lib/instance.sh"
    fi
    printf '%s\n' "$text"
}

# fill_all FILE NAME=VALUE...: with what concerns the whole instance.
fill_all() { fill "$1" "${INSTANCE_VALUES[@]}" "${@:2}"; }

# instance_values: what fill_all fills in; found out once, for each $(...) is a process.
instance_values() {
    INSTANCE_VALUES=(RUN="$RUN" SOCK="$SOCK" LISTEN="$LISTEN" USER="$(id -un)" NAMES=NAMES REGISTRY_PORT="$(port 1)"
        REGISTRY_ADMIN_PORT="$(port 2)" CALLS_SERVERS="$(calls_servers 'max_fails=1 fail_timeout=5s')"
        CALLS_PATIENT_SERVERS="$(calls_servers max_fails=0)" CALLS_ABSENT="$(calls_absent)"
        FANOUT_SERVERS="$(fanout_servers 5)" SOCKET_SERVERS="$(fanout_servers 7)" FANOUT_ABSENT="$(fanout_absent)"
        GATEWAY_PORT="$(port 80)" TLS_PORT="$(port 43)" HTTPS_PORT="$(port 44)" TURN_HOP_PORT="$(port 45)" TURN_TLS_PORT="$(port 49)"
        EDGE_SERVERS="$(edge_servers)" PHONE_FRAMES="${BELFRY_PHONE_FRAMES:-'self'}")
}

# calls_servers OPTIONS: the gateway's choice. nginx wants at least one, also when nothing is ever sent there.
calls_servers() {
    local n
    if [ "$CONTROLS" -eq 0 ]; then echo "server 127.0.0.1:$(port 3) down;"; fi
    for ((n = 1; n <= CONTROLS; n++)); do echo "server 127.0.0.1:$(port 3 "$n") $1;"; done
}

calls_absent() { if [ "$CONTROLS" -eq 0 ]; then echo 'return 503;'; fi; }

# fanout_servers PORT: REST or WebSockets of all copies.
fanout_servers() {
    local n
    if [ "$FANOUTS" -eq 0 ]; then echo "server 127.0.0.1:$(port "$1") down;"; fi
    for ((n = 1; n <= FANOUTS; n++)); do echo "server 127.0.0.1:$(port "$1" "$n") max_fails=0;"; done
}

edge_servers() {
    local n
    for ((n = 1; n <= EDGES; n++)); do echo "server $(edge_ws_host):$(port 11 "$n") max_fails=1 fail_timeout=2s;"; done
}

fanout_absent() { if [ "$FANOUTS" -eq 0 ]; then echo 'return 503;'; fi; }

# instance_configure: a step: RUN/etc and RUN/env from deploy/config and the settings, RUN/bin and RUN/modules from the build.
instance_configure() {
    umask 077
    local folder file name
    instance_values
    for folder in postgres redis nginx; do
        mkdir -p "$RUN/etc/$folder"
        for file in "$ROOT/deploy/config/$folder"/*.conf; do
            fill_all "$file" | write "$RUN/etc/$folder/${file##*/}"
        done
    done
    turn_configure
    for name in $(program_names rtpengine); do relay_configure "$name" "$(copy_of "$name")"; done
    while IFS= read -r file; do
        mkdir -p "$RUN/etc/kamailio/${file%/*}"
        copy "$ROOT/deploy/config/kamailio/$file" "$RUN/etc/kamailio/$file"
    done < <(cd "$ROOT/deploy/config/kamailio" && find . -name '*.cfg')
    for file in "$HERE/leash" "$HERE/watch" "$O"/bin/belfry-* "$O/bin/belfryctl"; do copy "$file" "$RUN/bin/${file##*/}" 0700; done
    for file in "$O"/modules/*.so; do copy "$file" "$RUN/modules/${file##*/}"; done
    program_urls | write "$RUN/etc/processes"
    web_configure
    environment_files
    supervisor_configure
}

# web_configure: RUN/web is build/web: what pages load first, so that no page ever names what is not there yet.
web_configure() {
    local file
    mkdir -p "$RUN/web/assets"
    for file in "$ROOT"/build/web/assets/* "$ROOT"/build/web/*.*; do copy "$file" "$RUN/web/${file#"$ROOT/build/web/"}"; done
    for file in "$RUN"/web/assets/*; do
        if [ ! -e "$ROOT/build/web/assets/${file##*/}" ]; then rm -f "$file"; fi
    done
}

# relay_configure NAME COPY
relay_configure() {
    local rtp_min rtp_max
    read -r rtp_min rtp_max <<<"$(relay_rtp_ports "$2")"
    mkdir -p "$RUN/etc/$1"
    fill_all "$ROOT/deploy/config/rtpengine/rtpengine.conf" RELAY_ADDRESS="$(copy_address "$2")" \
        RTPENGINE_NG_PORT="$(port 20 "$2")" RTPENGINE_HTTP_PORT="$(port 21 "$2")" \
        RTP_PORT_MIN="$rtp_min" RTP_PORT_MAX="$rtp_max" | write "$RUN/etc/$1/rtpengine.conf"
}

turn_configure() {
    mkdir -p "$RUN/etc/coturn"
    fill_all "$ROOT/deploy/config/coturn/turnserver.conf" TURN_PORT="$(port 78)" \
        TURN_SECRET="$(<"$RUN/secrets/turn.secret")" CERTIFICATE="$TLS/certificates/default" TURN_PEERS="$(turn_peers)" \
        TURN_PORT_MIN="$(port "$TURN_PLUS")" TURN_PORT_MAX=$(($(port "$TURN_PLUS") + TURN_COUNT - 1)) |
        write "$RUN/etc/coturn/turnserver.conf"
    turn_database "$RUN/tmp/coturn.sqlite"
}

# turn_database FILE: nothing stands in it, but coturn looks there for every credential. Left to itself it makes the tables with the
# first ones that come, in two threads at once; where these are in each other's way some are missing, and it takes no credential any more.
turn_database() {
    python3 -c 'import sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript(sys.stdin.read().replace("CREATE TABLE ", "CREATE TABLE IF NOT EXISTS "))' \
        "$1" </usr/share/coturn/schema.sql
}

# turn_peers: whom TURN may reach of what it otherwise refuses: the media relays, and what the operator names.
turn_peers() {
    local peer peers
    peers=" $(each "$RELAYS" copy_address) ${BELFRY_TURN_PEERS:-}"
    peers=${peers//,/ }
    if [[ $peers == *" 127."* ]]; then echo allow-loopback-peers; fi
    for peer in $peers; do echo "allowed-peer-ip=$peer"; done
}
