"""Row 15: an id of another tenant or of another region is no id at all, at every route, in the same words."""

from collections.abc import Iterable
from typing import Any

import pytest

from api.http.access import ACCESS, DOCS
from domain.execution import ExecutionState
from domain.identity import Role, Scope
from domain.proposals import ProposalState
from tests.attacks.foreign import ask, everything, ids, knocks, like
from tests.attacks.ring_house import ALARMS, TICKETS, WEBHOOK, RingHouse
from tests.stage import CULPRIT

NOTHING = "nothing_00000000"
PEOPLE = frozenset(Role) - {Role.AGENT, Role.FEED}
SOUTH = Scope(regions=frozenset({"south"}))
#: What lies in a region, and is nobody's who does not see that region.
REGIONAL = (
    "alarms",
    "incidents",
    "proposals",
    "tickets",
    "executions",
    "steps",
    "enquiries",
    "change_records",
    "grants",
)


@pytest.fixture
def busy(ring: RingHouse) -> RingHouse:
    """A house in whose north a repair was carried out and another thing waits; strangers hold tokens, too."""
    regions = ring.house.road.live.regions
    south = {place for place in regions if place.partition(":")[2][:1] in {"c", "d"}}
    regions.update({place: "south" if place in south else "north" for place in regions})
    proposal = ring.held()
    assert ring.approve("approver_a", proposal).status_code == 200
    ring.walk(1)
    ring.post("feed", ALARMS, ring.tmf_alarm("tp:a-d"))
    for name, tenant, scope in (("stranger", "other", Scope()), ("southerner", "default", SOUTH)):
        ring.tokens[name] = ring.house.issuer.issue(name, PEOPLE, name, tenant=tenant, scope=scope)[1]
    ring.tokens["everybody"] = ring.house.issuer.issue("everybody", PEOPLE, "everybody")[1]
    feeds = ring.house.issuer.issue("stranger-feed", {Role.FEED}, tenant="other")
    ring.tokens["stranger-feed"] = feeds[1]
    return ring


def told(busy: RingHouse, who: str, known: Iterable[tuple[str, str]]) -> tuple[list[tuple[Any, ...]], int]:
    """Ask every route about ids of some shelves; return what gave any of them away, and how often there was a 404."""
    routes, gone = list(knocks(busy)), 0
    away: list[tuple[Any, ...]] = []
    usual = {knock.path: ask(busy, who, knock, NOTHING) for knock in routes}
    for shelf, id in known:
        for knock in routes:
            answer = ask(busy, who, knock, id)
            gone += answer.status_code == 404
            if said(answer, id) == said(usual[knock.path], NOTHING):
                continue
            if said(answer, id) != said(ask(busy, who, knock, like(id)), like(id)) or answer.status_code < 400:
                away.append((shelf, knock.method, knock.path, answer.status_code, answer.text[:300]))
    return away, gone


def said(answer: Any, id: str) -> tuple[int, str]:
    return answer.status_code, answer.text.replace(id, "ID")


def test_no_route_tells_an_id_of_another_tenant_from_one_that_is_not_there(busy: RingHouse) -> None:
    before = everything(busy)
    known = [(shelf, id) for shelf, names in ids(busy, tenant="default").items() for id in names[:1]]

    away, gone = told(busy, "stranger", known)

    assert away == []
    assert gone > 20 * len(known)
    assert everything(busy) == before


def test_no_route_tells_an_id_of_another_region_from_one_that_is_not_there(busy: RingHouse) -> None:
    before = everything(busy)
    known = [(shelf, id) for shelf, names in ids(busy, *REGIONAL).items() for id in names]

    away, gone = told(busy, "southerner", known)

    assert away == []
    assert gone > 20 * len(known)
    assert everything(busy) == before


@pytest.mark.parametrize("who", ["stranger", "southerner"])
def test_lists_and_totals_hold_nothing_foreign(busy: RingHouse, who: str) -> None:
    for path in ("/inbox", "/incidents", TICKETS, ALARMS, "/quarantine", "/tallies", "/models", "/changes"):
        answer = busy.get(who, path)
        assert answer.json() == [], path
        assert answer.headers.get("X-Total-Count", "0") == "0"
    state = busy.get(who, "/state").json()
    assert state["alarms"] == state["pending"] == []


def test_the_state_of_a_region_shows_that_region_only(busy: RingHouse) -> None:
    state = busy.get("southerner", "/state").json()

    assert set(state["predicted_loads"]) == {"link:c-d", "link:b-c", "link:d-a"} & set(
        busy.get("viewer", "/state").json()["predicted_loads"]
    )
    assert state["impact"] == state["kpis"] == {}
    assert CULPRIT not in state["measured_loads"]


def test_the_record_of_another_tenant_or_region_is_not_shown(busy: RingHouse) -> None:
    incident = busy.incidents()[0].id
    for who in ("stranger", "southerner"):
        assert busy.get(who, "/audit", ref=incident).json() == []
        kinds = {row["kind"] for row in busy.get(who, "/audit", limit=1000).json()}
        assert not {kind for kind in kinds if kind.startswith(("act.", "gate.", "propose.", "correlate."))}
    assert busy.get("stranger", "/audit/verify").json()["verified"]


@pytest.mark.parametrize("who", ["stranger", "southerner"])
def test_chat_knows_nothing_foreign(busy: RingHouse, who: str) -> None:
    incident, proposal = busy.incidents()[0], busy.repairs()[0]
    ours = busy.post("viewer", "/chat", {"question": f"who approved {proposal.id}?"}).json()
    assert not ours["refused"]
    for name in (incident.id, proposal.id, incident.id[4:20], CULPRIT, "the latest incident"):
        answer = busy.post(who, "/chat", {"question": f"why did {name} happen?"}).json()
        assert answer["refused"]
        assert not any(sentence["cites"] for sentence in answer["sentences"])


def test_ids_are_opaque_and_cannot_be_counted(busy: RingHouse) -> None:
    for names in ids(busy, "alarms", "incidents", "proposals").values():
        for id in names:
            assert len(id.split("_")[1]) >= 20, "a prefix, a time and at least 80 random bits"


def test_two_tenants_say_the_same_of_one_element_and_never_share_an_alarm_or_an_incident(busy: RingHouse) -> None:
    ours = {incident.id for incident in busy.incidents()}
    receipt = busy.post("stranger-feed", WEBHOOK, busy.webhook()).json()
    busy.walk(1)

    shown = busy.get("stranger", ALARMS).json()
    assert {alarm["id"] for alarm in shown} == set(receipt["alarm_ids"])
    incidents = busy.get("stranger", "/incidents").json()
    assert {incident["tenant"] for incident in incidents} == {"other"}
    assert {incident["id"] for incident in incidents}.isdisjoint(ours)
    theirs = busy.house.road.ledger.records("other")
    assert {"receive.alarms.kept", "correlate.incident.opened"} <= {record.kind for record in theirs}
    assert {record.tenant for record in theirs} == {"other"}
    assert busy.get("stranger", "/tallies").json()[0]["kept"] == 2
    assert busy.get("stranger", "/audit/verify").json()["verified"]
    assert busy.get("auditor", "/audit/verify").json()["verified"]


def test_a_freeze_and_planned_work_of_one_tenant_bind_no_other(busy: RingHouse) -> None:
    window = {"starts_at": "2026-01-12T11:00:00Z", "ends_at": "2026-01-12T20:00:00Z"}
    assert busy.post("stranger", "/freezes", window | {"because": "a holiday of ours"}).status_code == 201
    work = {"change_id": "c1", "elements": [CULPRIT, "tp:b-a"], "expected": ["link_down"]}
    assert busy.post("stranger", "/planned-work", work | window).status_code == 201

    busy.post("feed", WEBHOOK, busy.webhook(again="yes"))
    busy.walk(1)

    states = {p.state for p in busy.repairs() if p.tenant == "default"}
    assert ProposalState.DENIED not in states
    assert busy.house.road.ledger.read(lambda t: t.executions.find(state=ExecutionState.IN_DOUBT)) == []
    assert all(alarm.planned_work_id is None for alarm in everything(busy)["alarms"])


def test_what_may_be_read_but_not_done_is_403_and_recorded(busy: RingHouse) -> None:
    everywhere = Scope(kinds=frozenset({"cell"}))
    busy.tokens["radio"] = busy.house.issuer.issue("radio", PEOPLE, "radio", scope=everywhere)[1]
    incident = busy.incidents()[0]

    answer = busy.post("radio", f"/incidents/{incident.id}/close", {"because": "it is over"})

    assert answer.status_code == 403
    assert "outside the scope" in answer.json()["reason"]
    assert busy.records("rights.command.refused", incident.id)[-1].actor == "radio"
    assert busy.get("radio", f"/incidents/{incident.id}").status_code == 200


@pytest.mark.parametrize("who", ["stranger", "southerner"])
def test_no_list_anywhere_names_what_is_foreign(busy: RingHouse, who: str) -> None:
    kept = ids(busy, *REGIONAL, "evidence", "diagnoses", "decisions", "influence_locks", "disagreements", "credits")
    foreign = [id for names in kept.values() for id in names]
    lists = [path for method, path in ACCESS if method == "GET" and "{" not in path and not path.startswith(DOCS)]

    answers = {path: busy.get(who, path) for path in lists}

    assert [(path, id) for path, answer in answers.items() for id in foreign if id in answer.text] == []
    assert all(answer.status_code < 500 for answer in answers.values())
    shown = {
        path: busy.get("everybody", path).text
        for path in ("/incidents", "/changes", ALARMS, TICKETS, "/audit", "/handover")
    }
    named = [path for path, text in shown.items() if any(id in text for id in foreign)]
    assert len(named) > 3, "somebody sees them, or this would show nothing"
