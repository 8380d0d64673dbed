# shellcheck shell=bash
# What a person wants to know about a running instance.

instance_addresses() {
    printf '  %-9s %s\n' API "http://$LISTEN:$(port 80)/v1" \
        HTTPS "https://$LISTEN:$(port 43)/v1 (authority: $TLS/ca.pem)" \
        console "http://$LISTEN:$(port 80)/ (belfryctl login makes a link)" \
        SIP "$(each "$EDGES" edge_sip) (UDP, TCP)" \
        SIPS "$(each "$EDGES" edge_sips) (TLS)" \
        TURN "$LISTEN:$(port 78) (UDP, TCP), $(port 49) (TLS)" \
        key "$RUN/secrets/operator.key" \
        settings "$RUN/belfry.env" \
        logs "$RUN/log/"
}

# tree_memory PID: MB that this process and its descendants have to themselves or share among them.
tree_memory() {
    local pids
    pids=$(ps -e -o pid=,ppid= | awk -v root="$1" '{ parent[$1] = $2 }
        END { for (p in parent) for (q = p; q; q = parent[q]) if (q == root) { print p; break } }')
    # shellcheck disable=SC2046,SC2086,SC2002 # one file a process; a process may have ended
    cat $(printf '/proc/%s/smaps_rollup ' $pids) 2>/dev/null | awk '/^Pss:/ { kb += $2 } END { printf "%d MB", kb / 1024 }'
}

# instance_status: true when every program runs and is ready.
instance_status() {
    local states name state pid uptime restarts ready well=0
    if ! supervisor_runs; then
        printf 'belfry: the instance in %s is not running\n  -> make up\n' "$RUN"
        return 1
    fi
    states=$(control status) || true
    printf '  %-16s %-9s %-6s %8s %10s %9s %9s\n' program state ready pid uptime memory restarts
    for name in $(program_names); do
        read -r _ state _ pid _ uptime <<<"$(grep "^$name " <<<"$states")"
        restarts=$(grep -c " $name " "$RUN/log/restarts.log" 2>/dev/null) || true
        ready=no
        if program_ready "$name"; then ready=yes; fi
        if [ "$state" = RUNNING ]; then
            pid=${pid%,}
            printf '  %-16s %-9s %-6s %8s %10s %9s %9s\n' "$name" running "$ready" "$pid" "${uptime// days, /d }" \
                "$(tree_memory "$pid")" "${restarts:-0}"
        else
            printf '  %-16s %-9s %-6s %8s %10s %9s %9s\n' "$name" "${state,,}" "$ready" - - - "${restarts:-0}"
        fi
        if [ "$state" != RUNNING ] || [ "$ready" = no ]; then well=1; fi
    done
    instance_addresses
    return $well
}

# instance_logs [PROGRAM]: follows.
instance_logs() {
    local files=("$RUN"/log/*.log)
    if [ $# -gt 0 ]; then
        files=("$RUN/log/$1.log")
        [ -e "${files[0]}" ] || die "there is no log of $1" "programs: $(program_names | tr '\n' ' ')"
    fi
    exec tail -n 20 -F "${files[@]}"
}
