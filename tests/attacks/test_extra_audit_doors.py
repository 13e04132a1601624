"""The doors of the record, knocked at as a client would: who may, what comes back, and what never does."""

import io
import zipfile

from starlette.testclient import TestClient

from domain.errors import NocturneError
from tests.attacks.ring_house import RingHouse

HOSTILE = "link lost\r\n2026-01-12T12:00:00Z root: approved \x1b[2J\x1b[31m\u202egnp.exe\x9b1m"


def signed(ring: RingHouse) -> None:
    assert ring.post("auditor", "/audit/checkpoints").status_code == 200


def test_the_record_is_verified_proved_and_taken_away_over_http(ring: RingHouse) -> None:
    ring.held()
    signed(ring)

    verdict = ring.get("auditor", "/audit/verify").json()
    assert (verdict["verified"], verdict["checkpoints"], verdict["unchecked"]) == (True, 1, [])
    assert ring.get("auditor", "/audit/verify", full=False).json()["since"] == verdict["signed_to"]
    proof = ring.get("auditor", "/audit/3/proof").json()
    assert (proof["record_id"], proof["checkpoint"]["sequence"]) == ("default:000000000003", verdict["signed_to"])
    bundle = ring.get("auditor", "/audit/bundle")
    assert "verify_nocturne.py" in zipfile.ZipFile(io.BytesIO(bundle.content)).namelist()
    assert len(ring.get("auditor", "/audit/export", format="csv").text.splitlines()) > 5


def test_a_field_is_emptied_over_http_by_who_may_and_the_chain_verifies(ring: RingHouse) -> None:
    ring.held()
    record = next(r for r in ring.get("auditor", "/audit", limit=1000).json() if r["fields"])
    name = next(iter(record["fields"]))
    body = {"field": name, "because": "a subscriber asked"}

    assert ring.post("viewer", f"/audit/{record['id']}/redact", body).status_code == 403
    assert ring.post("auditor", f"/audit/{record['id']}/redact", body).json()["by"] == "auditor"

    assert ring.post("auditor", f"/audit/{record['id']}/redact", body).status_code == 409
    verdict = ring.get("auditor", "/audit/verify").json()
    assert (verdict["verified"], verdict["redactions"]) == (True, 1)


def test_who_has_no_right_to_the_record_gets_none_of_it(ring: RingHouse) -> None:
    for path in ("/audit/bundle", "/audit/export", "/audit/trail/x", "/audit/keys", "/audit/1/proof"):
        assert {ring.get(who, path).status_code for who in ("viewer", "feed", "robot")} == {403}
        assert ring.door.get(path).status_code == 401


UNANSWERABLE = {
    "/audit/nothing/proof": 404,
    "/audit/default:999999999999/proof": 404,
    "/audit/other:000000000001/proof": 404,
    "/audit/growth?first=1&second=2": 404,
    "/audit/growth?first=0&second=2": 400,
    "/audit/trail/step_none": 404,
    "/audit/export?format=xlsx": 400,
    "/audit?since=yesterday": 400,
    "/audit?limit=0": 400,
    "/audit?after=-1": 400,
}


def test_what_cannot_be_answered_is_a_clear_refusal(ring: RingHouse) -> None:
    for path, status in UNANSWERABLE.items():
        answer = ring.door.get(path, headers=ring.bearer("auditor"))
        assert (path, answer.status_code) == (path, status)
        assert set(answer.json()) == {"code", "reason"}


def every(error: type[NocturneError]) -> list[type[NocturneError]]:
    return [error, *(found for below in error.__subclasses__() for found in every(below))]


def made(error: type[Exception]) -> Exception:
    try:
        return error(HOSTILE)
    except TypeError:  # a class that is told a number, too
        return error(HOSTILE, wait_s=1)  # type: ignore[call-arg]


class Broken:
    """A desk whose every answer is an error."""

    def __init__(self, error: type[Exception]) -> None:
        self._error = error

    def search(self, *_: object, **__: object) -> None:
        raise made(self._error)


def test_no_error_of_any_class_shows_a_stack_trace(ring: RingHouse) -> None:
    quiet = TestClient(ring.door.app, raise_server_exceptions=False)
    for error in (*every(NocturneError), ValueError, RecursionError):
        ring.house.desks.audit = Broken(error)  # type: ignore[assignment]

        answer = quiet.get("/audit", headers=ring.bearer("auditor"))

        wanted = error.status if issubclass(error, NocturneError) else 500
        assert (error, answer.status_code) == (error, wanted)
        assert set(answer.json()) == {"code", "reason"}
        assert answer.json()["reason"].isprintable()
        assert not any(word in answer.text for word in ("Traceback", 'File \\"', ".py", "raise "))


def test_nothing_about_the_inside_is_shown_without_a_token(ring: RingHouse) -> None:
    for path in ("/docs", "/openapi.json", "/metrics", "/debug", "/redoc", "/static-offline-docs/x.js"):
        assert ring.door.get(path).status_code in {401, 404}


def test_text_from_a_network_forges_no_line_and_obeys_no_terminal(ring: RingHouse) -> None:
    """Log injection: CR, LF, ANSI and direction controls through a field as a syslog line would bring them."""
    ring.break_interface()
    assert ring.post("feed", "/webhooks/alertmanager", ring.webhook(HOSTILE)).status_code == 200
    ring.walk()

    for answer in (
        ring.get("auditor", "/audit/export", format="csv"),
        ring.get("auditor", "/audit/export", format="json"),
        ring.get("auditor", "/audit/export", format="otlp"),
    ):
        assert all(line.isprintable() for line in answer.text.split("\r\n" if "csv" in str(answer.url) else "\n"))
    shown = ring.get("operator", "/tmf-api/alarmManagement/v4/alarm").text
    assert "\x1b" not in shown
    assert "\r" not in shown
