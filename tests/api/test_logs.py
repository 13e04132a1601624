import json
import logging

import pytest
import structlog

from api.logs import configure

TOKEN = "nct_acc1_" + "x" * 43


@pytest.fixture
def log_lines(clock, capsys, own_logging):
    """Return `lines()`: what was logged since, read back."""
    configure("info", clock)
    return lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_says_what_when_and_for_which_request(log_lines):
    with structlog.contextvars.bound_contextvars(request_id="r1"):
        structlog.get_logger("http").info("request", path="/inbox")
    (line,) = log_lines()
    assert line["event"] == "request"
    assert (line["request_id"], line["path"], line["level"]) == ("r1", "/inbox", "info")
    assert line["at"] == "2026-01-12T12:00:00+00:00"


def test_libraries_log_the_same_way(log_lines):
    logging.getLogger("uvicorn.error").warning("port %s", 8000)
    (line,) = log_lines()
    assert (line["event"], line["logger"]) == ("port 8000", "uvicorn.error")


def test_text_from_outside_can_neither_forge_a_line_nor_colour_one(log_lines, capsys):
    structlog.get_logger("x").info("alarm", text='a\r\n{"event": "forged"}\x1b[31m\x9b2J')
    raw = capsys.readouterr().err
    assert raw.count("\n") == 1
    assert raw.rstrip("\n").isprintable()
    assert raw.isascii()


@pytest.mark.parametrize(
    "fields",
    [
        {"token": TOKEN},
        {"headers": {"Authorization": f"Bearer {TOKEN}"}},
        {"note": f"sent {TOKEN} twice"},
        {"client_secret": "hunter2"},
        {"note": "Bearer hunter2"},
        {"error": ValueError(TOKEN)},
        {"many": [TOKEN]},
    ],
)
def test_secrets_are_taken_out(log_lines, capsys, fields):
    structlog.get_logger("x").info("said", **fields)
    raw = capsys.readouterr().err
    assert TOKEN not in raw
    assert "hunter2" not in raw
    assert "(hidden)" in raw


def test_a_stack_trace_stays_in_one_line_without_secrets(log_lines, capsys):
    try:
        int(TOKEN)
    except ValueError:
        structlog.get_logger("x").exception("failed")
    raw = capsys.readouterr().err
    assert raw.count("\n") == 1
    assert "ValueError" in raw
    assert TOKEN not in raw
