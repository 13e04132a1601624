"""Questions crafted to break out: SQL and patterns in filters, traversal in ids and paths, endless values.

Each is answered in the one shape of an error or with nothing found, at once; what is stored stays as it is.
"""

from urllib.parse import quote

import pytest

from tests.attacks.injected_texts import CODE, TEXTS
from tests.attacks.ring_house import ALARMS, TICKETS, WEBHOOK, RingHouse

TRAVERSALS = (
    "../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/etc/passwd",
    "%252e%252e%252fetc%252fpasswd",
    "..%5c..%5cwindows",
    "/etc/passwd",
    "alarm%00.json",
    "..%c0%af..%c0%afetc",
    "．．／etc",
    "CON",
    "x" * 300,
    "a" * 6000,
    "%",
    "%zz",
)
FILTERED = ("id", "alarmedObject.id", "sourceSystemId", "state", "alarmDetails", "externalAlarmId", "probableCause")


@pytest.fixture
def known(ring: RingHouse) -> RingHouse:
    ring.post("feed", WEBHOOK, ring.webhook())
    return ring


@pytest.mark.parametrize("name", FILTERED)
def test_a_filter_compares_and_does_nothing_else(known: RingHouse, name: str) -> None:
    answers = [known.get("viewer", ALARMS, **{name: text}) for text in TEXTS]

    assert {answer.status_code for answer in answers} == {200}
    assert {answer.text for answer in answers} == {"[]"}
    assert {answer.headers["X-Total-Count"] for answer in answers} == {"0"}


@pytest.mark.parametrize("parameter", ["fields", "sort", "filter", "limit", "offset"])
def test_code_in_a_parameter_is_no_question(known: RingHouse, parameter: str) -> None:
    answers = [known.get("viewer", ALARMS, **{parameter: text}) for text in CODE]

    assert {answer.status_code for answer in answers} == {400}
    assert all(set(answer.json()) == {"code", "reason"} for answer in answers)


@pytest.mark.parametrize("name", ["alarmDetails.regex", "state.ne", "id.gt", "$where", "__class__", "key", "a" * 5000])
def test_what_is_no_attribute_is_no_filter(known: RingHouse, name: str) -> None:
    answer = known.get("viewer", ALARMS, **{name: "(a+)+$"})

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_input")
    assert len(answer.json()["reason"]) < 1000


@pytest.mark.parametrize("base", [ALARMS, TICKETS, "/proposals", "/incidents", "/static-offline-docs"])
@pytest.mark.parametrize("id", TRAVERSALS)
def test_an_id_leads_nowhere_else(known: RingHouse, base: str, id: str) -> None:
    answer = known.get("viewer", f"{base}/{id}")

    assert answer.status_code in {400, 404}
    assert set(answer.json()) == {"code", "reason"}
    assert "root:" not in answer.text


@pytest.mark.parametrize("path", [ALARMS, TICKETS, "/proposals", "/incidents"])
def test_a_strange_id_is_not_found_and_is_shown_on_one_line(known: RingHouse, path: str) -> None:
    answers = [known.get("viewer", f"{path}/{quote(text, safe='')}") for text in TEXTS]

    assert {answer.status_code for answer in answers} <= {400, 404}
    assert all(set(answer.json()) == {"code", "reason"} for answer in answers)
    assert not any("\n" in answer.text or "\x1b" in answer.text for answer in answers)


def test_code_in_the_reference_of_the_record_finds_nothing(known: RingHouse) -> None:
    answers = [known.get("auditor", "/audit", ref=text) for text in CODE]

    assert {(answer.status_code, answer.text) for answer in answers} == {(200, "[]")}


def test_the_record_still_verifies_and_nothing_was_added(known: RingHouse) -> None:
    before = known.records()

    for text in TEXTS:
        known.get("viewer", ALARMS, id=text)
        known.get("auditor", "/audit", ref=text)

    assert known.records() == before
    assert known.get("auditor", "/audit/verify").json()["verified"]
