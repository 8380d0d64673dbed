# shellcheck shell=bash
# The watcher of an instance's programs (programs.sh).

supervisor_configure() {
    local name
    {
        fill_all "$ROOT/deploy/config/supervisor/supervisord.conf"
        for name in $(program_names); do
            fill_all "$ROOT/deploy/config/supervisor/program.conf" NAME="$name" STOPSIGNAL="$(program_field "$name" 3)" \
                PRIORITY="$(program_priority "$name")" COMMAND="$(program_command "$name")"
        done
    } | write "$RUN/supervisord.conf"
}

supervisor_runs() { [ -e "$RUN/pid/supervisor.hold" ] && ! flock -n "$RUN/pid/supervisor.hold" true; }

# For what people read and for several steps in one: each call is a Python of half a second. All else asks.
control() { supervisorctl -c "$RUN/supervisord.conf" "$@"; }

# ask METHOD [WORD...]: calls a method of the watcher (XML-RPC) with these words, and says its answer. What it refuses is said as
# supervisorctl would, and fails.
ask() {
    local word words='' answer
    for word in "${@:2}"; do words+="<param><value>$word</value></param>"; done
    answer=$(curl -fsS --noproxy '*' --max-time 60 --unix-socket "$SOCK/supervisor.sock" -H 'Content-Type: text/xml' http://supervisor/RPC2 \
        -d "<methodCall><methodName>supervisor.$1</methodName><params>$words</params></methodCall>") || return
    if [[ $answer == *'<fault>'* ]]; then
        printf '%s: ERROR (%s)\n' "${2:-$1}" "$(sed -n 's:.*<string>\(.*\)</string>.*:\1:p' <<<"$answer")" >&2
        return 1
    fi
    printf '%s\n' "$answer"
}

# program_states: name and state of each; kept until this command has something started or stopped.
program_states() {
    [ -e "$STEP_DIR/states" ] || ask getAllProcessInfo |
        awk -F '[<>]' '$2 == "name" { name = $3 } $2 == "value" { value[name] = $5 } $2 == "/struct" { print value["name"], value["statename"] }' \
            >"$STEP_DIR/states" || true
    cat "$STEP_DIR/states"
}
forget_states() { rm -f "$STEP_DIR/states"; }

# This command has started the watcher: none of its programs ran, and it has read what stands in the file now. (Steps are
# subshells, so that is kept in a file of this command.)
supervisor_is_fresh() { [ -e "$STEP_DIR/fresh" ]; }

# The watcher holds a lock as long as it lives; its programs hold their own (leash).
supervisor_start() {
    local head
    head=$(sed '/^\[program:/,$d' "$RUN/supervisord.conf" | sha256sum)
    if supervisor_runs; then
        if [ "$head" = "$(cat "$RUN/stamp/supervisor" 2>/dev/null)" ]; then return 0; fi
        supervisor_stop
    fi
    "$RUN/bin/leash" "$RUN" --sweep
    # shellcheck disable=SC2046 # a list of names
    ports_free $(program_names)
    rm -f "$RUN"/stamp/* "$RUN/log/restarts.log"
    (
        # nothing of this shell may stay open in a program that outlives it: a pipe would never end, a lock never go
        exec 8>>"$RUN/pid/supervisor.hold" 3>&- 9>&-
        flock -n 8
        env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 HOME="$RUN" \
            /usr/bin/supervisord -c "$RUN/supervisord.conf"
    )
    printf '%s\n' "$head" >"$RUN/stamp/supervisor"
    : >"$STEP_DIR/fresh"
}

supervisor_stop() {
    local deadline=$((SECONDS + 60))
    ask shutdown >/dev/null || true
    until flock -w 1 "$RUN/pid/supervisor.hold" true; do
        [ $SECONDS -lt $deadline ] || die "the programs did not stop within a minute" "see $RUN/log/supervisord.log"
    done
}

# programs_start NAME...: starts those that do not run, restarts or reloads those whose files changed, leaves the others alone.
# Adds to STARTED and RELOADED.
STARTED=()
RELOADED=()
programs_start() {
    local name states='' was now changed=() starting=()
    supervisor_is_fresh || states=$(program_states)
    for name; do
        was=$(cat "$RUN/stamp/$name" 2>/dev/null) || true
        now=$(program_stamp "$name")
        if [ "$now" != "$was" ] && [ "${now#* }" = "${was#* }" ] && [ -n "$(program_field "$name" 6)" ] && is_running "$name" "$states"; then
            program_reload "$name"
            RELOADED+=("$name")
        elif [ "$now" != "$was" ]; then
            is_running "$name" "$states" || ports_free "$name"
            changed+=("$name")
        elif ! is_running "$name" "$states"; then
            starting+=("$name")
        fi
    done
    if [ ${#changed[@]} -gt 0 ] && ! supervisor_is_fresh; then programs_replace "${changed[@]}"; fi
    starting+=("${changed[@]}")
    # side by side: supervisor itself would start one after the other, each with its startsecs
    for name in "${starting[@]}"; do ask startProcess "$name" >/dev/null & done
    wait
    if [ ${#starting[@]} -gt 0 ]; then forget_states; fi
    for name in "${changed[@]}"; do program_stamp "$name" >"$RUN/stamp/$name"; done
    STARTED+=("${starting[@]}")
}

# program_reload NAME: it takes its files of now. What it refuses it would only log, and go on with those of before.
program_reload() {
    local deadline=$((SECONDS + 10)) before
    if [ "$1" = nginx ]; then
        # shellcheck disable=SC2046 # a command
        $(program_command nginx) -t || die "nginx refuses its new configuration" "the reason is above"
        before=$(pgrep -d , -P "$(cat "$RUN/pid/nginx.pid")")
    fi
    ask signalProcess "$1" "$(program_field "$1" 6)" >/dev/null
    # until those workers take no more: a request after `up` is for the new ones
    while [ "$1" = nginx ] && ps -o args= -p "$before" | grep -qx 'nginx: worker process'; do
        [ $SECONDS -lt $deadline ] || die "nginx does not take its new configuration" "see $RUN/log/nginx.log"
        sleep 0.1
    done
    program_stamp "$1" >"$RUN/stamp/$1"
}

# programs_in_turns PROGRAM: its copies; when several run, one is stopped only when the one before it serves again.
programs_in_turns() {
    local name names
    names=$(program_names "$1")
    if supervisor_is_fresh || [ "$(program_states | grep -Ec "^$1(-[2-9])? +RUNNING")" -lt 2 ]; then
        # shellcheck disable=SC2086 # a list of names
        programs_start $names
    else
        for name in $names; do
            programs_start "$name"
            programs_ready 60 "$name"
        done
    fi
    # shellcheck disable=SC2086
    programs_ready 60 $names
}

# is_running NAME STATES: as program_states says them
is_running() { grep -Eq "^$1 +(RUNNING|STARTING|BACKOFF)" <<<"$2"; }

# Stops what runs of these and has supervisor take their new settings, in one call.
programs_replace() {
    printf '%s\n' "stop $*" reread "update $*" | control || true
    forget_states
}

# programs_retire: what supervisor still runs and the instance no longer has is stopped and forgotten; its log stays.
# Adds to RETIRED.
RETIRED=()
programs_retire() {
    local name
    mapfile -t RETIRED < <(program_states | awk '{ print $1 }' | grep -vxFf <(program_names; echo watch))
    if [ ${#RETIRED[@]} -eq 0 ]; then return 0; fi
    programs_replace "${RETIRED[@]}"
    for name in "${RETIRED[@]}"; do rm -rf "$RUN/stamp/$name" "$RUN/env/$name.env" "${RUN:?}/etc/$name"; done
}

programs_note() {
    local parts=()
    if [ ${#STARTED[@]} -gt 0 ]; then parts+=("started ${STARTED[*]}"); fi
    if [ ${#RELOADED[@]} -gt 0 ]; then parts+=("reloaded ${RELOADED[*]}"); fi
    if [ ${#RETIRED[@]} -gt 0 ]; then parts+=("removed ${RETIRED[*]}"); fi
    if [ ${#parts[@]} -eq 0 ]; then parts=(unchanged); fi
    note "$(printf '%s, ' "${parts[@]}" | sed 's/, $//')"
}

# ports_free NAME...: before a first start: a port that somebody else has is named here, not in a program's log.
ports_free() {
    local name port taken
    taken=$(awk 'FNR > 1 && ($4 == "0A" || FILENAME ~ /udp/) { split($2, a, ":"); print a[2] }' /proc/net/tcp /proc/net/udp)
    for name; do
        for port in $(program_ports "$name"); do
            if grep -qix "$(printf '%04x' "$port")" <<<"$taken"; then
                die "port $port, for $name, is taken by another program" \
                    "stop that one (ss -lptun 'sport = :$port' names it), or choose other ports: make up PORT_BASE=20000"
            fi
        done
    done
}
