# shellcheck shell=bash
# What a person sees: one line a step with its time, and for a failure what failed and what to do.
#
#   step NAME COMMAND...   runs COMMAND in a subshell (its output goes to a log that is shown only when it fails)
#   note TEXT              inside a step: what it did, shown at the end of its line
#   tell TEXT              inside a step: a line at once, for work that takes long
#   die WHAT CURE          ends the program (inside a step: the step) with both printed

STEP_DIR=$(mktemp -d)
trap 'rm -rf "$STEP_DIR"' EXIT
exec 3>&1

now_ms() { printf '%s' "$((${EPOCHREALTIME/[.,]/} / 1000))"; }

seconds_since() {
    local ms=$(($(now_ms) - $1))
    printf '%d.%d s' $((ms / 1000)) $((ms % 1000 / 100))
}

note() { printf '%s' "$*" >"$STEP_DIR/note"; }

tell() {
    [ -e "$STEP_DIR/told" ] || printf '\n' >&3
    : >"$STEP_DIR/told"
    printf '    %s\n' "$*" >&3
}

die() {
    if [ -n "${IN_STEP:-}" ]; then
        printf '  %s\n  -> %s\n' "$1" "$2" >"$STEP_DIR/why"
    else
        printf 'belfry: %s\n  -> %s\n' "$1" "$2" >&2
    fi
    exit 1
}

step_label() {
    local dots='.................'
    printf '  %s %s ' "$1" "${dots:${#1}}"
}

step() {
    local name=$1 started rc=0
    shift
    started=$(now_ms)
    rm -f "$STEP_DIR/note" "$STEP_DIR/told" "$STEP_DIR/why"
    step_label "$name"
    set +e
    (
        set -e
        IN_STEP=$name
        "$@"
    ) >"$STEP_DIR/log" 2>&1
    rc=$?
    set -e
    [ ! -e "$STEP_DIR/told" ] || step_label "$name"
    if [ "$rc" -ne 0 ]; then
        printf 'FAILED (%s)\n' "$(seconds_since "$started")"
        step_failed "$name"
    fi
    if [ -s "$STEP_DIR/note" ]; then
        printf 'ok (%s) %s\n' "$(seconds_since "$started")" "$(<"$STEP_DIR/note")"
    else
        printf 'ok (%s)\n' "$(seconds_since "$started")"
    fi
}

step_failed() {
    {
        printf '\nbelfry: the step "%s" failed\n' "$1"
        tail -n 25 "$STEP_DIR/log" | cut -c1-200 | sed 's/^/  | /'
        if [ -s "$STEP_DIR/why" ]; then
            cat "$STEP_DIR/why"
        else
            printf '  -> the lines above say why; correct that and run the same command again\n'
        fi
    } >&2
    exit 1
}
