# shellcheck shell=bash
# RUN/env/<program>.env: what each program is told. `leash` starts a program with these settings and no others.

environment_files() {
    local name
    for name in $(program_names); do environment_of "$name" | write "$RUN/env/$name.env"; done
}

environment_of() {
    case $(program_of "$1") in
    tenant-registry) environment_registry ;;
    call-control) environment_calls "$(copy_of "$1")" ;;
    event-fanout) environment_fanout "$(copy_of "$1")" ;;
    kamailio) environment_edge "$(copy_of "$1")" ;;
    esac
}

environment_database() {
    cat <<TXT
POSTGRES_HOST=$SOCK
POSTGRES_DB=belfry
POSTGRES_USER=$1
POSTGRES_PASSWORD_FILE=$RUN/secrets/$1.pgpass
TXT
}

environment_registry() {
    environment_database belfry_registry
    cat <<TXT
BELFRY_HTTP_HOST=127.0.0.1
BELFRY_HTTP_PORT=$(port 1)
BELFRY_ADMIN_HOST=127.0.0.1
BELFRY_ADMIN_PORT=$(port 2)
BELFRY_BUS_LISTEN=ipc://$SOCK/registry.bus
BELFRY_FEED_LISTEN=ipc://$SOCK/registry.feed
BELFRY_OPERATOR_KEY_FILE=$RUN/secrets/operator.key
BELFRY_SEAL_KEY_FILE=$RUN/secrets/registry-seal.key
BELFRY_SIP_HOST=$(each "$EDGES" edge_sip)
BELFRY_SIPS_PORT=$(registry_sips_port)
BELFRY_TURN_URLS=$(turn_urls)
BELFRY_TURN_SECRET_FILE=$RUN/secrets/turn.secret
TXT
    caller_settings BELFRY_TURN_TTL_SECONDS
    sanitizer_settings
}

# The registry's DNS records know one TLS port of all edges, and here each has its own.
registry_sips_port() { if [ "$EDGES" -eq 1 ]; then port 61; else echo 0; fi; }

environment_calls() {
    environment_database belfry_calls
    cat <<TXT
REDIS_HOST=$SOCK/redis.sock
BELFRY_HTTP_HOST=127.0.0.1
BELFRY_HTTP_PORT=$(port 3 "$1")
BELFRY_ADMIN_HOST=127.0.0.1
BELFRY_ADMIN_PORT=$(port 4 "$1")
BELFRY_BUS_LISTEN=$(calls_bus "$1")
BELFRY_REGISTRY_BUS=ipc://$SOCK/registry.bus
BELFRY_REGISTRY_FEED=ipc://$SOCK/registry.feed
BELFRY_EVENTS_BUS=$(each "$FANOUTS" fanout_bus)
BELFRY_WAKE_KEY_FILE=$RUN/secrets/wake.key
BELFRY_PROCESSES_FILE=$RUN/etc/processes
TXT
    sanitizer_settings
}

environment_fanout() {
    environment_database belfry_events
    cat <<TXT
REDIS_HOST=$SOCK/redis.sock
BELFRY_SOCKET_HOST=127.0.0.1
BELFRY_SOCKET_PORT=$(port 7 "$1")
BELFRY_REGISTRY_FEED=ipc://$SOCK/registry.feed
BELFRY_HTTP_HOST=127.0.0.1
BELFRY_HTTP_PORT=$(port 5 "$1")
BELFRY_ADMIN_HOST=127.0.0.1
BELFRY_ADMIN_PORT=$(port 6 "$1")
BELFRY_BUS_LISTEN=$(fanout_bus "$1")
BELFRY_REGISTRY_BUS=ipc://$SOCK/registry.bus
BELFRY_CALL_CONTROL_BUS=$(each "$CONTROLS" calls_bus)
BELFRY_SEAL_KEY_FILE=$RUN/secrets/seal.key
TXT
    caller_settings BELFRY_WEBHOOK_NETWORKS BELFRY_WEBHOOK_REQUESTS BELFRY_WEBHOOK_REQUESTS_EACH \
        BELFRY_PUSH_EXPO_URL BELFRY_PUSH_FCM_URL BELFRY_PUSH_FCM_TOKEN_URL \
        BELFRY_PUSH_APNS_URL BELFRY_PUSH_APNS_SANDBOX_URL BELFRY_PUSH_CA_FILE BELFRY_PUSH_TIMEOUT_MS \
        BELFRY_PUSH_RECEIPT_MS BELFRY_PUSH_REGISTER_OPEN BELFRY_SOCKETS BELFRY_SOCKETS_PER_TENANT \
        BELFRY_SOCKET_QUEUE BELFRY_SOCKET_PING_SECONDS BELFRY_REPLAY_SECONDS
    sanitizer_settings
}

environment_edge() {
    cat <<TXT
BELFRY_LISTEN=$(copy_address "$1")
BELFRY_SIP_PORT=$(port 60 "$1")
BELFRY_SIPS_PORT=$(port 61 "$1")
BELFRY_TLS_CONFIG=$TLS/tls.cfg
BELFRY_WS_HOST=$(edge_ws_host)
BELFRY_WS_PORT=$(port 11 "$1")
BELFRY_WS_GATEWAYS=127.0.0.1
BELFRY_WS_HOSTS=$LISTEN,localhost
BELFRY_EDGE_ADMIN_PORT=$(port 10 "$1")
BELFRY_REGISTRY_BUS=ipc://$SOCK/registry.bus
BELFRY_REGISTRY_FEED=ipc://$SOCK/registry.feed
BELFRY_RTPENGINE=$(each "$RELAYS" relay_ng)
BELFRY_RELAYS=$(each "$RELAYS" relay_ng)
BELFRY_EDGE_SECRET=$(<"$RUN/secrets/edge.secret")
BELFRY_CTL=$(edge_ctl "$1")
BELFRY_UDP_WORKERS=4
BELFRY_TCP_WORKERS=4
TXT
    if [ "$CONTROLS" -gt 0 ]; then environment_edge_calls "$1"; fi
    caller_settings BELFRY_TRUSTED_SOURCES BELFRY_FLOOD_REQUESTS BELFRY_BAN_FAILURES BELFRY_BAN_SECONDS BELFRY_TLS_CONNECTIONS \
        BELFRY_SILENCE_SECONDS BELFRY_WS_PING_SECONDS BELFRY_WS_PER_ADDRESS
    sanitizer_settings
    sanitizer_preload
}

# What makes it one of several edges. To Kamailio an empty setting is one that is there: without call-control none is written.
environment_edge_calls() {
    cat <<TXT
BELFRY_EDGE_ID=edge-$1
BELFRY_EDGE_INTERNAL_HOST=$(edge_internal_host "$1")
BELFRY_EDGE_INTERNAL_PORT=$(port 62 "$1")
BELFRY_EDGE_PEERS=$EDGE_PEERS
BELFRY_EDGE_BUS=$(edge_bus "$1")
BELFRY_CALL_CONTROL_BUS=$(each "$CONTROLS" calls_bus)
TXT
}

# caller_settings NAME...: those that the caller's environment has
caller_settings() {
    local name
    for name; do
        if [ -n "${!name:-}" ]; then printf '%s=%s\n' "$name" "${!name}"; fi
    done
}

# A sanitizer build says what it finds in the program's log and goes on to its end.
sanitizer_settings() {
    case $BUILD in
    asan) printf 'ASAN_OPTIONS=detect_leaks=0:abort_on_error=1\nUBSAN_OPTIONS=print_stacktrace=1\n' ;;
    tsan) printf 'TSAN_OPTIONS=second_deadlock_stack=1\n' ;;
    esac
}

# Kamailio itself is Debian's: a module built with a sanitizer needs its library loaded first.
sanitizer_preload() {
    case $BUILD in
    asan | tsan) printf 'LD_PRELOAD=%s\n' "$(realpath "$(gcc -print-file-name="lib$BUILD.so")")" ;;
    esac
}

# environment_export: belfry.env, for people, tests and the demo: sourceable.
environment_export() {
    umask 077
    write "$RUN/belfry.env" <<TXT
BELFRY_RUN=$RUN
BELFRY_SUPERVISOR=$RUN/supervisord.conf
BELFRY_API=http://$LISTEN:$(port 80)
BELFRY_HTTPS=https://$LISTEN:$(port 43)
BELFRY_OPERATOR_KEY=$(head -n 1 "$RUN/secrets/operator.key")
BELFRY_SIP=$(edge_sip 1)
BELFRY_SIP_EDGES="$(each "$EDGES" edge_sip)"
BELFRY_SIPS=$(edge_sips 1)
BELFRY_SIPS_EDGES="$(each "$EDGES" edge_sips)"
BELFRY_WSS=wss://$LISTEN:$(port 43)/ws
BELFRY_CA_FILE=$TLS/ca.pem
BELFRY_TURN="$(turn_urls)"
BELFRY_EDGE_ADMIN=$(edge_admin 1)
BELFRY_EDGE_ADMINS="$(each "$EDGES" edge_admin)"
BELFRY_EDGE_CTL=$(edge_ctl 1)
BELFRY_EDGE_CTLS="$(each "$EDGES" edge_ctl)"
BELFRY_EDGE_INTERNALS="$(each "$EDGES" edge_internal)"
BELFRY_EDGE_BUSES="$(each "$EDGES" edge_bus)"
BELFRY_RTPENGINE_ADMIN=$(relay_admin 1)
BELFRY_RTPENGINE_ADMINS="$(each "$RELAYS" relay_admin)"
BELFRY_RELAYS="$(each "$RELAYS" relay_ng)"
BELFRY_REGISTRY_ADMIN=http://127.0.0.1:$(port 2)
BELFRY_REGISTRY_BUS=ipc://$SOCK/registry.bus
BELFRY_REGISTRY_FEED=ipc://$SOCK/registry.feed
BELFRY_CALLS_ADMIN=$([ "$CONTROLS" -eq 0 ] || calls_admin 1)
BELFRY_CALLS_ADMINS="$(each "$CONTROLS" calls_admin)"
BELFRY_CALL_CONTROL_BUS="$(each "$CONTROLS" calls_bus)"
BELFRY_FANOUT_ADMIN=$([ "$FANOUTS" -eq 0 ] || fanout_admin 1)
BELFRY_FANOUT_ADMINS="$(each "$FANOUTS" fanout_admin)"
BELFRY_FANOUT_SOCKETS="$(each "$FANOUTS" fanout_sockets)"
BELFRY_EVENTS_BUS="$(each "$FANOUTS" fanout_bus)"
BELFRY_PGHOST=$SOCK
BELFRY_PGDATABASE=belfry
BELFRY_REDIS=$SOCK/redis.sock
TXT
}
