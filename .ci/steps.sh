# What both lanes share: read by `.ci/run` and `.ci/release`, which run at the root of the checkout.
set -euo pipefail
# each commit is built once: what a next build of the same directory would need is not kept
export CARGO_INCREMENTAL=0

step() { # step WHAT: says what begins, and how long what came before has taken
    if [ -n "${begun:-}" ]; then
        printf '   (%s s)\n' "$((SECONDS - begun))"
    fi
    begun=$SECONDS
    printf '\n== %s\n' "$*"
}
skip() { printf 'SKIPPED %s\n' "$*"; }
ban() { # ban WHAT PATTERN PATHS...: fails when the pattern is found outside comments
    local what=$1 pattern=$2
    shift 2
    if git grep -nE "$pattern" -- "$@" | grep -vE '^[^:]+:[0-9]+: *//'; then
        printf 'found: %s\n' "$what" >&2
        return 1
    fi
}
beside() { # beside COMMAND...: starts it; `join` waits for it, shows what it said, and fails when it has failed
    said=$(mktemp)
    # with job control it is a group of processes, which ends as one when this script fails before
    set -m
    "$@" >"$said" 2>&1 &
    job=$!
    set +m
    trap 'kill -- "-$job" 2>/dev/null; rm -f "$said"' EXIT
}
join() {
    local status=0
    wait "$job" || status=$?
    trap - EXIT
    cat "$said"
    rm "$said"
    return "$status"
}
