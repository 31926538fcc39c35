# What both lanes share: read by `.ci/run` and `.ci/release`, which run at the root of the checkout.
set -euo pipefail

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
