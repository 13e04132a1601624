"""What no body gets past: size, depth, encoding, media type and time; and what every answer looks like."""

import asyncio
import json

import pytest

from api.http.app import create_app
from api.logs import configure

WEBHOOK = "/webhooks/alertmanager"
JSON = {"Content-Type": "application/json"}


def complaint(answer):
    assert set(answer.json()) == {"code", "reason"}
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"[" * 900 + b"]" * 900, 400, "too_deep"),
        (b'"' + b"x" * 5000 + b'"', 413, "too_large"),
        (b'{"a": NaN}', 400, "bad_number"),
        (b'{"a": -Infinity}', 400, "bad_number"),
        (b'{"a": 1, "a": 2}', 400, "duplicate_key"),
        (b'{"a": "\xff\xfe"}', 400, "not_utf8"),
        (b'{"a": ', 400, "not_json"),
        (b"", 400, "bad_input"),
        (b"[]", 400, "bad_input"),
    ],
)
@pytest.mark.parametrize("path", [WEBHOOK, "/tmf-api/alarm/v4/alarm"])
def test_a_bad_body_is_named_and_goes_no_further(client, house, path, body, status, code):
    answer = client("feed").post(path, content=body, headers=JSON)
    assert complaint(answer) == (status, code)
    assert [call for call in house.commands.calls if body != b"[]"] == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/xml"},
        {"Content-Type": "text/plain"},
        {"Content-Type": ""},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
def test_only_plain_json_is_taken(client, headers):
    assert complaint(client("feed").post(WEBHOOK, content=b"{}", headers=headers)) == (415, "unsupported_media_type")


def test_json_with_its_charset_is_taken(client):
    headers = {"Content-Type": 'application/json; charset="UTF-8"'}
    assert client("feed").post(WEBHOOK, content=b"{}", headers=headers).status_code == 200


def test_a_caller_who_wants_xml_is_told_so(client):
    assert complaint(client().get("/inbox", headers={"Accept": "text/xml"})) == (406, "not_acceptable")


def test_a_body_sent_in_pieces_is_counted_as_it_comes(client):
    pieces = (b"x" * 1000 for _ in range(10))
    assert complaint(client("feed").post(WEBHOOK, content=pieces, headers=JSON)) == (413, "too_large")


def test_a_body_that_never_ends_is_not_waited_for(house, settings):
    sent = []

    async def receive():
        await asyncio.Event().wait()

    async def send(message):
        sent.append(message)

    headers = [(b"authorization", b"Bearer token-feed"), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": WEBHOOK, "headers": headers, "query_string": b"", "asgi": {}}
    asyncio.run(create_app(house, settings)(scope, receive, send))
    assert sent[0]["status"] == 408


@pytest.mark.parametrize("method", ["PATCH", "DELETE", "PUT"])
def test_another_method_is_405_and_says_which_are_taken(client, method):
    answer = client("operator").request(method, "/tmf-api/alarm/v4/alarm")
    assert complaint(answer) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS, POST"


def test_options_says_which_methods_are_taken(client):
    answer = client().options("/proposals/prop_1/approve")
    assert (answer.status_code, answer.headers["Allow"]) == (204, "OPTIONS, POST")


def test_head_is_get_without_a_body(client):
    head, get = client().head("/inbox"), client().get("/inbox")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == get.headers["Content-Length"]


@pytest.mark.parametrize("path", ["/nowhere", "/Inbox", "/inbox/", "/tmf-api/alarm/v4/Alarm/alm_001", "/tmf-api/x"])
def test_an_unknown_path_is_404(client, path):
    assert complaint(client().get(path)) == (404, "not_found")


def test_what_breaks_inside_is_logged_with_its_id_and_shows_no_stack(client, house, own_logging, capsys):
    configure("error", house.clock)
    house.queries.answers["inbox"] = RuntimeError("secret detail")
    answer = client().get("/inbox", headers={"X-Request-ID": "request-0001"})
    assert complaint(answer) == (500, "internal")
    assert "request-0001" in answer.json()["reason"]
    assert "secret detail" not in answer.text
    assert answer.headers["X-Request-ID"] == "request-0001"
    (line,) = [json.loads(text) for text in capsys.readouterr().err.splitlines()]
    assert (line["event"], line["request_id"]) == ("request failed", "request-0001")
    assert "RuntimeError: secret detail" in line["exception"]


def test_a_request_id_that_could_forge_a_log_line_is_replaced(client):
    answer = client().get("/inbox", headers={"X-Request-ID": "a b;c"})
    assert len(answer.headers["X-Request-ID"]) == 16


def test_answers_are_neither_cached_nor_sniffed(client):
    headers = client().get("/inbox").headers
    assert (headers["Cache-Control"], headers["X-Content-Type-Options"]) == ("no-store", "nosniff")
