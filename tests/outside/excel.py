#!/usr/bin/env python3
"""The way of people who work in a spreadsheet program: what the gateway writes is opened, filled in and saved by
LibreOffice, and comes back. It has the folder of its files as its working directory."""

import csv
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path
from typing import Any

HEADERS = {"Authorization": f"Bearer {os.environ['DEMO_TOKEN']}"}
# The simulator treats the numbers with these endings in its own bad ways.
SPECIAL = ("01", "02", "03", "04", "05", "06")
PATIENCE_SECONDS = 120
# Of the demo's organisation.
OGRN = "1027700132195"

# Commas, quotes, UTF-8, from the first row on; what the cells show, not what they hold.
TO_CSV = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true"
FROM_CSV = "CSV:44,34,76,1"


def call(method: str, path: str, body: bytes | None = None, kind: str | None = None) -> bytes:
    headers = HEADERS | ({"Content-Type": kind} if kind else {})
    request = urllib.request.Request(os.environ["DEMO_URL"] + path, body, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.read()
    except urllib.error.HTTPError as error:
        sys.exit(f"{method} {path}: {error.code} {error.read().decode()}")


def get(path: str) -> Any:
    return json.loads(call("GET", path))


def post(path: str, body: Any = None) -> Any:
    content = None if body is None else json.dumps(body).encode()
    return json.loads(call("POST", path, content or b"", "application/json" if content else None))


def upload(path: str, part: str, file: Path, **texts: str) -> Any:
    edge = uuid.uuid4().hex
    lines = [
        f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'.encode()
        for name, text in texts.items()
    ]
    head = f'--{edge}\r\nContent-Disposition: form-data; name="{part}"; filename="{file.name}"\r\n\r\n'
    body = b"".join(lines) + head.encode() + file.read_bytes() + f"\r\n--{edge}--\r\n".encode()
    return json.loads(call("POST", path, body, f"multipart/form-data; boundary={edge}"))


def until(path: str, ends: Any) -> Any:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not ends(got := get(path)):
        assert time.monotonic() < deadline, got
        time.sleep(0.2)
    return got


def office(file: Path, *options: str) -> None:
    """A profile of its own, so that no running office takes the work."""
    profile = f"-env:UserInstallation=file://{Path('profile').absolute()}"
    command = ["soffice", profile, "--headless", *options, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0 and "Error" not in done.stderr, done.stderr


def opened(file: Path) -> list[list[str]]:
    """The rows of the first sheet as LibreOffice sees them."""
    office(file, "--convert-to", TO_CSV)
    with file.with_suffix(".csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.reader(lines))


def saved(rows: list[list[str]], name: str) -> Path:
    """A workbook of rows, saved by LibreOffice: what looks like a number or a date becomes one."""
    source = Path(name).with_suffix(".csv")
    with source.open("w", encoding="utf-8", newline="") as lines:
        csv.writer(lines).writerows(rows)
    office(source, f"--infilter={FROM_CSV}", "--convert-to", "xlsx")
    return source.with_suffix(".xlsx")


def answers() -> None:
    """Export, fill in, import, delivered."""
    export = post("/v1/exports", {"kind": "debt_requests", "filter": {"answered": False, "has_draft": False}})
    export = until(f"/v1/exports/{export['id']}", lambda export: export["is_final"])
    file = Path("requests.xlsx")
    file.write_bytes(call("GET", f"/v1/exports/{export['id']}/content"))
    header, *rows = opened(file)
    assert len(header) == 21 and len(rows) == export["requests"], (header, len(rows))
    number, said = header.index("Номер запроса"), header.index("Наличие задолженности")
    names = [header.index(f"{name} должника") for name in ("Фамилия", "Имя", "Отчество")]
    usual = [row for row in rows if not row[number].endswith(SPECIAL)]
    first, second, debtor = usual[:3]
    first[said], second[said], debtor[said] = "НЕТ", "нет", "ДА"
    other = list(debtor)
    for row, name in ((debtor, "Пётр"), (other, "Анна")):
        for place, text in zip(names, ("Вымышленный", name, "")):
            row[place] = text
    rows.insert(rows.index(debtor) + 1, other)

    checked = upload("/v1/imports", "file", saved([header, *rows], "answers.xlsx"), submit="true")
    path = f"/v1/imports/{checked['id']}"
    checked = until(path, lambda it: it["is_final"])
    assert checked["status"] == "checked", checked
    assert (checked["file"]["answers"], checked["file"]["errors"]) == (3, 0), checked
    post(f"{path}/apply")
    done = until(path, lambda it: it["is_final"])
    assert (done["status"], done["counts"]["refused"]) == ("succeeded", 0), done
    done = until(path, lambda it: it["counts"]["delivered"] == 3)
    two = [row for row in get(f"{path}/rows")["items"] if row["has_debt"]]
    assert len(get(f"/v1/answers/{two[0]['answer_id']}")["debtors"]) == 2, two
    print("answers:", done["counts"])


REGISTRY = [
    "Дата начала периода задолженности *",
    "Дата погашения задолженности",
    "Идентификатор адреса *",
    "Адрес дома",
    "Номер квартиры, комнаты, блока жилого дома *",
    "Фамилия *",
    "Имя *",
    "Отчество",
    "СНИЛС",
]


def registry() -> None:
    """Registry, preview, submit, the three lists."""
    path = "/v1/debt-requests?answered=false&has_draft=false&limit=200"
    found = [item for item in get(path)["items"] if not item["request_number"].endswith(SPECIAL)]
    found = [item for item in found if item["address"]["fias_house_id"] and item["address"]["premises"]]
    owing, other = found[:2], found[2]

    def row(item: Any) -> list[str]:
        address = item["address"]
        house, premises = address["fias_house_id"], address["premises"]
        return ["12.03.2025", "", house, "", premises, "Вымышленный", "Пётр", "", "112-233-445 95"]

    file = saved([REGISTRY, *map(row, owing)], f"Реестр {OGRN}.xlsx")
    made = upload("/v1/court-debt-registries", "registry", file)
    assert (made["status"], made["rows"]) == ("checked", 2), made
    post(f"/v1/court-debt-registries/{made['id']}/activate")

    scope = {"ids": [item["id"] for item in [*owing, other]]}
    for mode, queued in (("preview", 0), ("submit", 3)):
        run = post("/v1/match-runs", {"scope": scope, "mode": mode})
        run = until(f"/v1/match-runs/{run['id']}", lambda run: run["is_final"])
        counts = run["counts"]
        assert (counts["found"], counts["not_found"], counts["queued"]) == (2, 1, queued), run
    for item in get(run["items_url"])["items"]:
        answer = until(f"/v1/answers/{item['answer_id']}", lambda answer: answer["is_final"])
        assert answer["state"] == "delivered", answer
        assert answer["has_debt"] == (item["result"] == "found"), answer

    lists = Path("lists.xlsx")
    lists.write_bytes(call("GET", run["content_url"]))
    header, *rows = opened(lists)
    assert len(rows) == 2, (header, rows)
    print("registry:", counts)


if __name__ == "__main__":
    answers()
    registry()
