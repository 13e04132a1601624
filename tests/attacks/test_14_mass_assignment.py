"""Row 14: fields that are ours to set. Who sends them along is refused or not heard; what is stored is what it was."""

from typing import Any

import pytest

from domain.identity import Role
from tests.attacks.foreign import Knock, ask, everything, knocks
from tests.attacks.ring_house import ALARMS, WEBHOOK, RingHouse
from tests.stage import CULPRIT

OURS: dict[str, Any] = {
    "id": "alarm_mine",
    "href": "https://evil.example/alarm_mine",
    "@type": "Proposal",
    "@baseType": "Grant",
    "@schemaLocation": "https://evil.example/schema.json",
    "ackState": "acknowledged",
    "ackUserId": "approver_a",
    "alarmReportingTime": "1999-01-01T00:00:00Z",
    "alarmChangedTime": "2026-01-12T11:59:00Z",
    "alarmClearedTime": "2026-01-12T11:59:00Z",
    "tenant": "other",
    "status": "closed",
    "approvedBy": "approver_a",
    "riskScore": 0,
    "autonomyLevel": 5,
    "statusChange": "approved",
    "correlated": True,
    "incident_id": "inc_mine",
    "planned_work_id": "work_mine",
    "repeats": 1_000_000,
    "known_time": "1999-01-01T00:00:00Z",
    "highest_severity": "warning",
    "cleared": True,
    "__class__": "Principal",
    "rootCause": True,
    "isRootCause": True,
    "crossedThresholdInformation": {"id": "x"},
    "parentAlarm": [{"id": "alarm_mine"}],
}


def steady(shown: dict[str, Any]) -> dict[str, Any]:
    """Return what an alarm shows, without the id and the place that are new each time."""
    return {name: value for name, value in shown.items() if name not in {"id", "href"}}


@pytest.fixture
def plain(ring: RingHouse) -> dict[str, Any]:
    """What the alarm of another element looks like when nothing is sent along."""
    shown: dict[str, Any] = ring.post("feed", ALARMS, ring.tmf_alarm("tp:c-d")).json()
    return steady(shown) | {"alarmedObject": {"id": CULPRIT}}


@pytest.mark.parametrize("name", OURS)
def test_an_alarm_takes_no_field_that_is_ours(ring: RingHouse, plain: dict[str, Any], name: str) -> None:
    answer = ring.post("feed", ALARMS, ring.tmf_alarm(**{name: OURS[name]}))

    assert answer.status_code == 201
    alarm = answer.json()
    assert steady(alarm) == plain
    assert alarm["id"] != OURS["id"]
    assert alarm["href"] == f"{ALARMS}/{alarm['id']}" == answer.headers["Location"]
    assert ring.get("viewer", alarm["href"]).json() == alarm


def test_all_of_them_at_once_change_nothing_either(ring: RingHouse, plain: dict[str, Any]) -> None:
    answer = ring.post("feed", ALARMS, ring.tmf_alarm(**OURS))

    assert steady(answer.json()) == plain
    assert ring.get("viewer", f"{ALARMS}/alarm_mine").status_code == 404
    assert ring.incidents() == []


def test_a_webhook_takes_no_field_that_is_ours(ring: RingHouse) -> None:
    body = ring.webhook() | {"tenant": "other", "approved": True}
    body["alerts"][0] |= {"id": "alarm_mine", "incident_id": "inc_mine", "cleared": True, "correlated": True}

    receipt = ring.post("feed", WEBHOOK, body).json()

    alarms = [ring.get("viewer", f"{ALARMS}/{id}").json() for id in receipt["alarm_ids"]]
    assert [alarm["state"] for alarm in alarms] == ["raised", "raised"]
    assert "alarm_mine" not in receipt["alarm_ids"]


@pytest.mark.parametrize(
    "more",
    [
        {"state": "granted"},
        {"person": "the second approver"},
        {"account": "approver_b"},
        {"signatures": 2},
        {"expires_at": "2100-01-01T00:00:00Z"},
        {"plan": {"steps": []}},
        {"id": "appr_mine"},
        {"tenant": "other"},
    ],
    ids=str,
)
@pytest.mark.parametrize("verb", ["approve", "reject", "stop"])
def test_a_decision_with_a_field_too_many_is_refused(ring: RingHouse, verb: str, more: dict[str, Any]) -> None:
    proposal = ring.held()

    answer = ring.post("approver_a", f"/proposals/{proposal.id}/{verb}", {"because": "it fits"} | more)

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_input")
    assert ring.repairs() == [proposal]


@pytest.mark.parametrize("name", ["harm", "standard", "inverse", "by_people", "reversible", "took_effect"])
def test_a_plan_says_nothing_of_its_own_harm(ring: RingHouse, name: str) -> None:
    proposal = ring.held()
    step = {"kind": "interface_down", "target": CULPRIT, name: "none"}

    answer = ring.post("approver_a", f"/proposals/{proposal.id}/change", {"because": "mine", "plan": {"steps": [step]}})

    assert answer.status_code == 400
    assert ring.repairs() == [proposal]


#: What is sent along with every other body that the house takes.
ALONG: dict[str, Any] = {
    "status": "closed",
    "state": "granted",
    "statusChange": "approved",
    "approvedBy": "approver_b",
    "riskScore": 0,
    "autonomyLevel": 2,
    "id": "prop_mine",
    "tenant": "other",
    "@type": "Grant",
    "requester": "agent:provisioning",
    "agent_id": "agent:provisioning",
    "on_behalf_of": ["the second approver"],
    "person": "the second approver",
    "roles": ["admin"],
    "made_at": "1999-01-01T00:00:00Z",
}
#: The doors that take bodies of other people's making; they are tried above.
OTHERS_MAKING = {WEBHOOK, ALARMS, "/tmf-api/alarm/v4/alarm"}


def test_no_body_of_ours_takes_a_field_too_many(ring: RingHouse) -> None:
    everybody = frozenset(Role) - {Role.AGENT}
    ring.tokens["everybody"] = ring.house.issuer.issue("everybody", everybody, "everybody")[1]
    ring.held()
    before = everything(ring)
    bodies = [knock for knock in knocks(ring, with_body=True) if knock.path not in OTHERS_MAKING]

    taken = [
        (knock.path, name, answer.status_code)
        for knock in bodies
        for name, value in ALONG.items()
        if name not in knock.names
        for answer in [ask(ring, "everybody", Knock(*knock[:2], knock.body | {name: value}), "nothing_00000000")]
        if (answer.status_code, name in answer.text) != (400, True)
    ]

    assert taken == []
    assert len(bodies) > 15
    assert everything(ring) == before


def test_every_route_that_changes_something_says_what_it_takes(ring: RingHouse) -> None:
    described = {knock.path for knock in knocks(ring, with_body=True)}
    silent = {knock.path for knock in knocks(ring, with_body=False) if knock.method != "GET"}

    assert described >= OTHERS_MAKING
    assert silent.isdisjoint(described)


@pytest.mark.parametrize("name", ["tenant", "@type", "status", "digest", "id"])
def test_a_plan_takes_no_field_too_many_at_any_depth(ring: RingHouse, name: str) -> None:
    proposal = ring.held()
    step = {"kind": "interface_up", "target": "tp:a-d"}
    for plan in ({"steps": [step], name: "x"}, {"steps": [step | {name: "x"}]}):
        body = {"because": "mine", "plan": plan}
        assert ring.post("approver_a", f"/proposals/{proposal.id}/change", body).status_code == 400
    assert ring.repairs() == [proposal]
