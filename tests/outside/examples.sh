#!/usr/bin/env bash
# A program of examples/ does what it says in a demo: it reads, answers two requests, waits, compares and reads the events. Has
# a folder for files as its working directory.
#
#   examples.sh NAME PROGRAM…
set -euo pipefail
export DEBTGATE_URL=$DEMO_URL DEBTGATE_TOKEN=$DEMO_TOKEN

# same WHAT WANTED GOT
same() {
    [[ $2 == "$3" ]] || {
        printf '%s\nwanted: %s\ngot:    %s\n' "$1" "$2" "$3" >&2
        exit 1
    }
}

journeys() {
    local name=$1 new first second sent again answers counts
    shift
    "$@" events "$name.cursor" >/dev/null
    # The simulator treats the numbers with these endings in its own bad ways.
    new=$("$@" list | awk -F '\t' '$2 !~ /0[1-6]$/ { print $1 }')
    first=$(sed -n 1p <<<"$new") second=$(sed -n 2p <<<"$new")

    sent=$("$@" no-debt "$first" "$name-1")
    again=$("$@" no-debt "$first" "$name-1")
    same "$name: a repeat is the same answer" "${sent%%$'\t'*}" "${again%%$'\t'*}"
    printf 'Решение суда' >'Решение суда.txt'
    "$@" debt "$second" "$name-2" Вымышленный Пётр 'Решение суда.txt' >/dev/null

    for answer in "$name-1" "$name-2"; do
        same "$name: delivered" "$answer"$'\t'delivered "$("$@" check "$answer" | cut -f 1,2)"
    done
    counts=$("$@" reconcile "$(date -d '-60 days' +%F)" "$(date +%F)" "$name-1" "$name-2" "$name-lost")
    answers=$(grep "^$name" <<<"$counts" | sort | tr '\t\n' '  ')
    same "$name: reconciled" "$name-1 delivered $name-2 delivered $name-lost not_found " "$answers"
    grep -qP '^requests\t[1-9]' <<<"$counts"

    "$@" events "$name.cursor" >"$name.events"
    for answer in "$name-1" "$name-2"; do
        same "$name: one event" 1 "$(grep -cP "\tanswer\.delivered\t.*\t$answer$" "$name.events")"
    done
    "$@" events "$name.cursor" >"$name.rest"
    same "$name: nothing comes twice" 0 "$(grep -c "$name-" "$name.rest" || true)"
    if "$@" check "$name-lost" 2>"$name.lost"; then exit 1; fi
    grep -q 'may be posted again' "$name.lost"
    if "$@" no-debt 00000000-0000-4000-8000-000000000000 "$name-3" 2>"$name.refused"; then exit 1; fi
    grep -q '^not_found: ' "$name.refused"
    printf 'examples: %s ok\n' "$name"
}

journeys "$@"
