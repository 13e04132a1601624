"""The working routes translate to commands and queries, and nothing else."""

from datetime import UTC, datetime

import pytest

from control_plane.audit.searching import Wanted
from domain.alarms import AlarmType
from domain.errors import Conflict, Gone, IllegalMove, Refused, Stale, Unavailable
from domain.proposals import Plan

NOON = "2026-01-12T12:00:00Z"
WHEN = datetime(2026, 1, 12, 12, tzinfo=UTC)
WORK = {"change_id": "c1", "elements": ["tp:a"], "expected": ["link_down"], "starts_at": NOON, "ends_at": NOON}
PLAN = {"steps": [{"kind": "interface_up", "target": "tp:a"}]}


def given(rooms):
    """Return the last call without who made it: its name, then what it was given."""
    name, _who, args, named = rooms.calls[-1]
    return (name, *args, *named.values())


@pytest.mark.parametrize(
    ("path", "body", "call"),
    [
        ("/proposals/p/approve", {"because": " yes "}, ("approve", "p", "yes", None, "")),
        ("/proposals/p/approve", {"because": "y", "plan_digest": "a" * 64}, ("approve", "p", "y", "a" * 64, "")),
        ("/proposals/p/reject", {"because": "no"}, ("reject", "p", "no")),
        ("/proposals/p/change", {"because": "so", "plan": PLAN}, ("change", "p", Plan.model_validate(PLAN), "so")),
        ("/proposals/p/defer", {"because": "later", "until": NOON}, ("defer", "p", WHEN, "later")),
        ("/proposals/p/stop", {"because": "halt"}, ("stop", "p", "halt")),
        ("/incidents/i/close", {"because": "done"}, ("close_incident", "i", "done")),
        ("/steps/s/settle", {"because": "seen", "happened": False}, ("settle_doubt", "s", False, "seen")),
        (
            "/planned-work",
            WORK,
            ("declare_planned_work", "c1", ("tp:a",), (), (AlarmType.LINK_DOWN,), WHEN, WHEN),
        ),
        (
            "/freezes",
            {"because": "feast", "starts_at": NOON, "ends_at": NOON},
            ("declare_freeze", "", WHEN, WHEN, "feast"),
        ),
    ],
)
def test_a_decision_becomes_one_command_in_the_name_of_who_asked(client, house, path, body, call):
    answer = client("approver+operator").post(path, json=body)
    assert answer.status_code in {200, 201}, answer.text
    assert given(house.commands) == call
    assert [call[1].name for call in house.commands.calls] == ["approver+operator"]


@pytest.mark.parametrize(
    ("path", "call"),
    [
        ("/inbox", ("inbox",)),
        ("/proposals/p", ("card", "p")),
        ("/incidents?state=open&limit=5&after=i1", ("incidents", "open", 5, "i1")),
        ("/incidents/i", ("incident", "i")),
        ("/quarantine?limit=7", ("quarantine", 7)),
        ("/tallies", ("tallies",)),
        ("/state", ("state", None)),
        (f"/state?at={NOON}", ("state", WHEN)),
        ("/lineage/p", ("lineage", "p")),
    ],
)
def test_a_question_becomes_one_query(client, house, path, call):
    answer = client("auditor").get(path)
    assert answer.status_code == 200, answer.text
    assert given(house.queries) == call


@pytest.mark.parametrize(
    ("path", "call"),
    [
        ("/audit?ref=p&limit=3", ("search", Wanted(ref="p"), 3, 0)),
        (
            f"/audit?actor=a&kind=gate.*&since={NOON}&after=7",
            ("search", Wanted(actor="a", kind="gate.*", since=WHEN), 100, 7),
        ),
        ("/audit/verify", ("verify", True)),
        ("/audit/verify?full=false", ("verify", False)),
    ],
)
def test_a_question_about_the_record_is_one_of_the_audit_desk(client, house, path, call):
    answer = client("auditor").get(path)
    assert answer.status_code == 200, answer.text
    assert given(house.desks.audit) == call


def test_the_card_is_shown_whole(client, words):
    shown = client().get("/proposals/prop_01abcdef").json()
    assert type(words.card).model_validate(shown) == words.card


def test_chat_answers_with_what_it_rests_on(client, house):
    answer = client().post("/chat", json={"question": "why?"}).json()
    assert given(house.queries) == ("ask", "why?")
    assert answer["sentences"] == [{"text": "tp:a was locked.", "cites": ["ev_1"]}]
    assert answer["notice"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/proposals/p/approve", {}),
        ("/proposals/p/approve", {"because": "   "}),
        ("/proposals/p/approve", {"because": 5}),
        ("/proposals/p/approve", {"because": "x" * 2001}),
        ("/proposals/p/approve", {"because": "y", "roles": ["approver"]}),
        ("/proposals/p/approve", {"because": "y", "plan_digest": "A" * 64}),
        ("/proposals/p/approve", []),
        ("/proposals/p/change", {"because": "y", "plan": {"steps": []}}),
        ("/proposals/p/change", {"because": "y", "plan": {"steps": [{"kind": "format_disk", "target": "x"}]}}),
        ("/proposals/p/defer", {"because": "y", "until": "2026-01-12T12:00:00"}),
        ("/proposals/p/defer", {"because": "y", "until": "9999-12-31T23:59:59-14:00"}),
        ("/steps/s/settle", {"because": "y", "happened": "yes"}),
        ("/planned-work", WORK | {"expected": ["earthquake"]}),
        ("/planned-work", WORK | {"elements": []}),
        ("/planned-work", WORK | {"declared_by": "somebody else"}),
        ("/chat", {"question": ""}),
    ],
)
def test_a_malformed_command_is_400_and_nothing_is_asked(client, house, path, body):
    answer = client("approver+operator").post(path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_input")
    assert "\n" not in answer.json()["reason"]
    assert house.commands.calls == house.queries.calls == []


@pytest.mark.parametrize("query", ["/incidents?limit=0", "/incidents?state=odd", "/state?at=noon", "/audit?limit=x"])
def test_a_malformed_question_is_400(client, query):
    assert client("auditor").get(query).status_code == 400


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Refused("nobody approves their own proposal"), 403, "refused"),
        (Conflict("it does not wait"), 409, "conflict"),
        (Stale("`tp:a` changed"), 409, "stale"),
        (IllegalMove("no such step"), 409, "illegal_move"),
        (Gone("it expired"), 410, "gone"),
        (Unavailable("the store cannot be written"), 503, "unavailable"),
    ],
)
def test_a_refusal_of_the_house_is_shown_in_its_own_words(client, house, error, status, code):
    house.commands.answers["approve"] = error
    answer = client("approver").post("/proposals/p/approve", json={"because": "y"})
    assert (answer.status_code, answer.json()) == (status, {"code": code, "reason": error.reason})
    assert ("Retry-After" in answer.headers) == (status == 503)
