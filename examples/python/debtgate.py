#!/usr/bin/env python3
"""The five journeys of a billing program with requests, and the feed of events.

  export DEBTGATE_URL=http://127.0.0.1:8080 DEBTGATE_TOKEN=…   # and DEBTGATE_ORGANIZATION if the token has several
  debtgate.py list                                   requests without an answer: id, number, last day, address
  debtgate.py no-debt ID OUR_ID                      answers «no debt»; OUR_ID names the answer in your program
  debtgate.py debt ID OUR_ID LAST_NAME FIRST_NAME FILE   answers «debt» with a court act
  debtgate.py check OUR_ID                           waits for the end of an answer: OUR_ID, state, words
  debtgate.py reconcile FROM TO OUR_ID…              counts of a period; OUR_ID and state of each answer
  debtgate.py events FILE                            what has happened since the cursor in FILE
"""

import base64
import os
import sys
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

session = requests.Session()
# Comes again after a timeout, 429, 503; Retry-After says when. That is safe because every POST below has an Idempotency-Key,
# or only reads.
again = Retry(5, backoff_factor=1, status_forcelist=[429, 503], allowed_methods=None, raise_on_status=False)
for scheme in ("http://", "https://"):
    session.mount(scheme, HTTPAdapter(max_retries=again))


def call(method, path, key=None, **about):
    headers = {
        "Authorization": f"Bearer {os.environ['DEBTGATE_TOKEN']}",
        "Organization-Id": os.environ.get("DEBTGATE_ORGANIZATION"),
        "Idempotency-Key": key,
    }
    reply = session.request(method, os.environ["DEBTGATE_URL"] + path, headers=headers, timeout=40, **about)
    if reply.ok:
        return reply.json()
    # application/problem+json: `code` is for programs, `confirmable` says what a person may confirm.
    problem = reply.json()
    places = [error.get("pointer") or error.get("parameter") or "" for error in problem["errors"]]
    mistakes = [f"\n  {place}: {error['detail']}" for place, error in zip(places, problem["errors"])]
    confirmable = [f"\n  confirm: {code}" for code in problem["confirmable"]]
    sys.exit(f"{problem['code']}: {problem['detail']}{''.join(mistakes + confirmable)}")


def show(*cells):
    print("\t".join(str(cell or "") for cell in cells))


def list_new():
    query = {"answered": "false", "has_draft": "false", "limit": 200}
    while True:
        page = call("GET", "/v1/debt-requests", params=query)
        for item in page["items"]:
            place = f"{item['address']['text']} {item['address']['premises'] or ''}"
            show(item["id"], item["request_number"], item["due_on"], place)
        if page["next"] is None:
            return
        query["cursor"] = page["next"]


def answer(request, our_id, **content):
    """The key comes from our id, so that a repeat tomorrow is a repeat as well."""
    body = {"submit": True, "external_id": our_id, **content}
    got = call("POST", f"/v1/debt-requests/{request}/answers", f"answer-{our_id}", json=body)
    show(got["id"], got["state"], got["state_label"])


def no_debt(request, our_id):
    answer(request, our_id, has_debt=False)


def debt(request, our_id, last_name, first_name, file):
    # Code 1 of НСИ 358: a court act. GET /v1/dictionaries/document_types has the others.
    content = base64.b64encode(Path(file).read_bytes()).decode()
    act = {"type_code": "1", "file_name": Path(file).name, "content_base64": content}
    debtor = {"last_name": last_name, "first_name": first_name, "documents": [act]}
    answer(request, our_id, has_debt=True, debtors=[debtor])


def lookup(*our_ids):
    return call("POST", "/v1/answers/lookup", json={"external_ids": our_ids})


def check(our_id):
    found = lookup(our_id)["items"]
    if not found:
        sys.exit(f"{our_id}: no such answer; it may be posted again with the same key")
    # A few rounds: GIS takes minutes, sometimes hours. Then come again later, or read the events.
    for _ in range(6):
        got = call("GET", f"/v1/answers/{found[0]['answer']['id']}", params={"wait": 20})
        if got["is_final"]:
            break
    show(our_id, got["state"], (got["last_error"] or {}).get("detail") or got["state_label"])


def reconcile(first_day, last_day, *our_ids):
    counts = call("GET", "/v1/reconciliation", params={"from": first_day, "to": last_day})
    for name, count in counts.items():
        if name != "mismatches":
            print(f"{name}\t{count}")
    found = lookup(*our_ids) if our_ids else {"items": [], "not_found": {"external_ids": []}}
    for item in found["items"]:
        show(item["found_by"], item["answer"]["state"])
    for our_id in found["not_found"]["external_ids"]:
        show(our_id, "not_found")


def events(file):
    cursor, more = Path(file), True
    while more:
        after = cursor.read_text() if cursor.exists() else None
        # 410 cursor_expired: walk the lists with updated_since, remove the file, begin anew.
        page = call("GET", "/v1/events", params={"limit": 200, "after": after})
        for event in page["items"]:
            show(event["occurred_at"], event["type"], event["debt_request_id"], event["data"].get("external_id"))
        # Only now: whoever is cut off before reads these events again instead of losing them.
        cursor.write_text(page["next"])
        more = page["has_more"]


JOURNEYS = {
    "list": list_new,
    "no-debt": no_debt,
    "debt": debt,
    "check": check,
    "reconcile": reconcile,
    "events": events,
}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in JOURNEYS:
        sys.exit(__doc__)
    JOURNEYS[sys.argv[1]](*sys.argv[2:])
