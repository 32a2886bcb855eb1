#!/usr/bin/env bash
# The five journeys of a billing program with curl and jq, and the feed of events.
#
#   export DEBTGATE_URL=http://127.0.0.1:8080 DEBTGATE_TOKEN=…   # and DEBTGATE_ORGANIZATION if the token has several
#   debtgate.sh list                                   requests without an answer: id, number, last day, address
#   debtgate.sh no-debt ID OUR_ID                      answers «no debt»; OUR_ID names the answer in your program
#   debtgate.sh debt ID OUR_ID LAST_NAME FIRST_NAME FILE   answers «debt» with a court act
#   debtgate.sh check OUR_ID                           waits for the end of an answer: OUR_ID, state, words
#   debtgate.sh reconcile FROM TO OUR_ID…              counts of a period; OUR_ID and state of each answer
#   debtgate.sh events FILE                            what has happened since the cursor in FILE
set -euo pipefail

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# Not an argument of curl: every user of the machine can see those.
printf 'header = "Authorization: Bearer %s"\n' "${DEBTGATE_TOKEN:?}" >"$scratch/curl"
[[ -z ${DEBTGATE_ORGANIZATION:-} ]] || printf 'header = "Organization-Id: %s"\n' "$DEBTGATE_ORGANIZATION" >>"$scratch/curl"

# call METHOD PATH [OPTION OF CURL…]: prints the reply. Comes again after a timeout, 429, 503; Retry-After says when. That is
# safe because every POST below has an Idempotency-Key, or only reads.
call() {
    local method=$1 path=$2
    shift 2
    rm -f "$scratch/reply"
    if curl --config "$scratch/curl" --request "$method" --silent --show-error --fail-with-body --max-time 40 \
        --retry 5 --retry-connrefused --output "$scratch/reply" "$@" "${DEBTGATE_URL:?}$path"; then
        cat "$scratch/reply"
        return
    fi
    # application/problem+json: `code` is for programs, `confirmable` says what a person may confirm.
    [[ ! -s $scratch/reply ]] || jq -r '"\(.code): \(.detail)", (.errors[] | "  \(.pointer // .parameter // ""): \(.detail)"),
        (.confirmable[] | "  confirm: \(.)")' "$scratch/reply" >&2
    return 1
}

# post PATH BODY [IDEMPOTENCY_KEY]
post() {
    call POST "$1" --header 'Content-Type: application/json' ${3:+--header "Idempotency-Key: $3"} --data-binary "$2"
}

list() {
    local page next=
    while page=$(call GET "/v1/debt-requests?answered=false&has_draft=false&limit=200${next:+&cursor=$next}"); do
        jq -r '.items[] | [.id, .request_number, .due_on, "\(.address.text) \(.address.premises // "")"] | @tsv' <<<"$page"
        next=$(jq -r '.next // empty | @uri' <<<"$page")
        [[ -n $next ]] || return 0
    done
    return 1
}

# answer ID OUR_ID BODY: the key comes from OUR_ID, so that a repeat tomorrow is a repeat as well.
answer() {
    local body reply
    body=$(jq --arg id "$2" '. + {submit: true, external_id: $id}' <<<"$3")
    reply=$(post "/v1/debt-requests/$1/answers" "$body" "answer-$2")
    jq -r '[.id, .state, .state_label] | @tsv' <<<"$reply"
}

no_debt() {
    answer "$1" "$2" '{"has_debt": false}'
}

debt() {
    local file body
    file=$(call POST /v1/attachments --header "Idempotency-Key: file-$2" --form "file=@\"$5\"" --form 'description=Решение суда')
    # Code 1 of НСИ 358: a court act. GET /v1/dictionaries/document_types has the others.
    body=$(jq --arg last "$3" --arg first "$4" '{has_debt: true, debtors: [
        {last_name: $last, first_name: $first, documents: [{type_code: "1", attachment_id: .id}]}]}' <<<"$file")
    answer "$1" "$2" "$body"
}

# lookup OUR_ID…
lookup() {
    post /v1/answers/lookup "$(jq --null-input '{external_ids: $ARGS.positional}' --args "$@")"
}

check() {
    local found id answer
    found=$(lookup "$1")
    id=$(jq -r '.items[0].answer.id // empty' <<<"$found")
    [[ -n $id ]] || { echo "$1: no such answer; it may be posted again with the same key" >&2; return 1; }
    # A few rounds: GIS takes minutes, sometimes hours. Then come again later, or read the events.
    for _ in 1 2 3 4 5 6; do
        answer=$(call GET "/v1/answers/$id?wait=20")
        [[ $(jq .is_final <<<"$answer") == false ]] || break
    done
    jq -r --arg id "$1" '[$id, .state, .last_error.detail // .state_label] | @tsv' <<<"$answer"
}

reconcile() {
    local from=$1 to=$2 counts found
    shift 2
    counts=$(call GET "/v1/reconciliation?from=$from&to=$to")
    jq -r 'to_entries[] | select(.key != "mismatches") | "\(.key)\t\(.value)"' <<<"$counts"
    (($#)) || return 0
    found=$(lookup "$@")
    jq -r '(.items[] | [.found_by, .answer.state]), (.not_found.external_ids[] | [., "not_found"]) | @tsv' <<<"$found"
}

events() {
    local after='' page
    [[ ! -s $1 ]] || after=$(<"$1")
    while page=$(call GET "/v1/events?limit=200${after:+&after=$after}"); do
        jq -r '.items[] | [.occurred_at, .type, .debt_request_id // "", .data.external_id // ""] | @tsv' <<<"$page"
        # Only now: whoever is cut off before reads these events again instead of losing them.
        after=$(jq -r '.next | @uri' <<<"$page")
        printf '%s' "$after" >"$1.new" && mv "$1.new" "$1"
        [[ $(jq .has_more <<<"$page") == true ]] || return 0
    done
    # 410 cursor_expired: walk the lists with updated_since, remove FILE, begin anew.
    return 1
}

usage() {
    sed -n '2,/^set /s/^# \{0,1\}//p' "$0" >&2
    exit 2
}

case "${1:-} $#" in
'list 1' | 'check 2' | 'debt 6' | 'events 2') "$@" ;;
'no-debt 3') no_debt "$2" "$3" ;;
reconcile\ *)
    (($# > 2)) || usage
    "$@"
    ;;
*) usage ;;
esac
