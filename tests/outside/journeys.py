"""Five journeys of a billing program, through the Python client that is generated from the document."""

import base64
import os
from typing import TypeVar
from uuid import uuid4

import httpx
from debtgate_client import AuthenticatedClient
from debtgate_client.api.answers import create_answer, get_answer, lookup_answers
from debtgate_client.api.debt_requests import list_debt_requests
from debtgate_client.models import (
    Answer,
    AnswerLookup,
    AnswerLookupResult,
    CreateAnswer,
    DebtDocumentInput,
    DebtorInput,
    DebtRequest,
    DebtRequestPage,
)

T = TypeVar("T")

# The simulator treats the numbers with these endings in its own bad ways.
SPECIAL = ("01", "02", "03", "04", "05", "06")

client = AuthenticatedClient(
    base_url=os.environ["DEMO_URL"], token=os.environ["DEMO_TOKEN"], timeout=httpx.Timeout(30)
)


def expect(kind: type[T], got: object) -> T:
    """Every call gives its result or a problem."""
    assert isinstance(got, kind), got
    return got


def list_new() -> list[DebtRequest]:
    got = list_debt_requests.sync(client=client, answered=False, has_draft=False, limit=50)
    page = expect(DebtRequestPage, got)
    return [item for item in page.items if not item.request_number.endswith(SPECIAL)]


def answer_no_debt(request: DebtRequest, name: str) -> Answer:
    body = CreateAnswer(submit=True, has_debt=False, external_id=name)
    return expect(Answer, create_answer.sync(request.id, client=client, body=body, idempotency_key=name))


def answer_debt(request: DebtRequest, name: str) -> Answer:
    document = DebtDocumentInput(
        type_code="1",
        file_name="Решение суда.txt",
        content_base64=base64.b64encode("Решение суда".encode()).decode(),
    )
    debtor = DebtorInput(last_name="Вымышленный", first_name="Пётр", documents=[document])
    body = CreateAnswer(submit=True, has_debt=True, external_id=name, debtors=[debtor])
    return expect(Answer, create_answer.sync(request.id, client=client, body=body, idempotency_key=name))


def wait_until_final(answer: Answer) -> Answer:
    for _ in range(10):
        answer = expect(Answer, get_answer.sync(answer.id, client=client, wait=10))
        if answer.is_final:
            return answer
    raise AssertionError(f"{answer.id} is still {answer.state}")


def reconcile(names: list[str]) -> AnswerLookupResult:
    body = AnswerLookup(external_ids=names)
    return expect(AnswerLookupResult, lookup_answers.sync(client=client, body=body))


def main() -> None:
    run = uuid4().hex
    first, second, *_ = list_new()
    sent = [answer_no_debt(first, f"{run}-1"), answer_debt(second, f"{run}-2")]
    for answer in map(wait_until_final, sent):
        assert answer.state == "delivered", answer
    found = reconcile([f"{run}-1", f"{run}-2", f"{run}-lost"])
    assert [item.found_by for item in found.items] == [f"{run}-1", f"{run}-2"], found
    assert found.not_found.external_ids == [f"{run}-lost"], found
    assert [len(item.answer.debtors) for item in found.items] == [0, 1], found


main()
