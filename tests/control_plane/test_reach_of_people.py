"""A person does something to a plan where every step of it lies in their scope, and sees what any region shows."""

from typing import Any

import pytest

from control_plane.ports import Written
from domain.actions import DrainLink, InterfaceUp
from domain.errors import BadInput, Conflict, NotFound, Refused
from domain.identity import Bound, NetworkDomain, Principal, Role, Scope
from domain.proposals import Plan, Proposal, ProposalState
from domain.records import Entry
from tests.stage import CULPRIT, Stage, make_stage

PEOPLE = frozenset({Role.APPROVER, Role.OPERATOR, Role.VIEWER})
INSIDE = (
    Scope(),
    Scope(regions=frozenset({"north"})),
    Scope(domains=frozenset({NetworkDomain.TRANSPORT})),
    Scope(kinds=frozenset({"termination_point"})),
    Scope(bounds=(Bound(argument="kind", allowed=frozenset({"interface_up"})),)),
)
#: What may be read with these, and not done.
OUTSIDE = (
    Scope(domains=frozenset({NetworkDomain.RAN})),
    Scope(kinds=frozenset({"cell"})),
    Scope(bounds=(Bound(argument="kind", allowed=frozenset({"unlock_cell"})),)),
)


@pytest.fixture
def north(clock: Any) -> Stage:
    """The ring in the north, but for router c and all that is on it."""
    stage = make_stage(clock)
    regions = stage.road.live.regions
    regions.update({place: "south" if place.partition(":")[2][:1] == "c" else "north" for place in regions})
    return stage


def person(held: Scope, **more: Any) -> Principal:
    return Principal(id="acc_p", name="ada", person="Ada", roles=PEOPLE, scope=held, **more)


@pytest.mark.parametrize("held", INSIDE, ids=str)
def test_who_covers_every_step_signs(north: Stage, held: Scope) -> None:
    proposal = north.begin()

    assert north.commands.approve(person(held), proposal.id, "plausible").state is ProposalState.GRANTED


@pytest.mark.parametrize("held", OUTSIDE, ids=str)
def test_who_does_not_reads_and_is_refused_on_the_record(north: Stage, held: Scope) -> None:
    proposal = north.begin()
    who = person(held)
    tries = (
        lambda: north.commands.approve(who, proposal.id, "plausible"),
        lambda: north.commands.reject(who, proposal.id, "no"),
        lambda: north.commands.stop(who, proposal.id, "stop"),
        lambda: north.commands.change(who, proposal.id, Plan(steps=(InterfaceUp(target="tp:b-a"),)), "other end"),
    )

    for attempt in tries:
        with pytest.raises(Refused, match="outside the scope of `ada`"):
            attempt()

    assert north.queries.card(who, proposal.id).proposal.state is ProposalState.HELD
    assert north.kinds().count("gate.proposal.refused") == len(tries)


def test_what_lies_in_another_region_is_not_there(north: Stage) -> None:
    proposal = north.begin()
    who = person(Scope(regions=frozenset({"south"})))

    for attempt in (north.queries.card, north.queries.lineage, lambda w, id: north.commands.approve(w, id, "yes")):
        with pytest.raises(NotFound) as refused:
            attempt(who, proposal.id)
        assert refused.value.reason == f"there is no proposal `{proposal.id}`; `nocturne inbox` lists those that wait"
    assert north.queries.inbox(who) == []


def across(stage: Stage) -> Proposal:
    """Have the plan changed to one that drains a link between the two regions."""
    plan = Plan(steps=(DrainLink(target="link:b-c", previous_metric=10),))
    made = stage.commands.change(stage.one, stage.begin().id, plan, "drain it")
    stage.walk_all()
    return made


def test_what_concerns_two_regions_is_read_by_either_and_signed_by_who_covers_both(north: Stage) -> None:
    proposal = across(north)
    regions = ({"north"}, {"south"}, {"north", "south"})
    one, other, both = (person(Scope(regions=frozenset(held))) for held in regions)

    assert [north.queries.card(who, proposal.id).proposal.id for who in (one, other, both)] == [proposal.id] * 3
    for who in (one, other):
        with pytest.raises(Refused, match=r"region `(north|south)` lies outside"):
            north.commands.approve(who, proposal.id, "agreed")
    with pytest.raises(Conflict, match="is denied"):  # in scope; the rules say no for reasons of their own
        north.commands.approve(both, proposal.id, "agreed")


def test_an_account_that_acts_for_another_has_the_lesser_of_both_scopes(north: Stage) -> None:
    proposal = north.begin()
    boss = person(Scope(regions=frozenset({"south"})))
    who = person(Scope(), behind=boss)

    assert north.queries.inbox(who) == []
    with pytest.raises(NotFound):
        north.commands.stop(who, proposal.id, "for my boss")


def test_the_record_says_on_whose_behalf_a_command_was_given(north: Stage) -> None:
    proposal = north.begin()
    boss = person(Scope()).but(id="acc_b", name="bob", person="Bob")

    north.commands.stop(person(Scope(), behind=boss), proposal.id, "for my boss")

    last = [record for record in north.ledger.records() if record.kind.startswith("gate.proposal.withdrawn")][-1]
    assert list(last.fields["on_behalf_of"].value) == ["bob"]


def test_nobody_closes_freezes_or_declares_beyond_their_scope(north: Stage) -> None:
    incident = north.begin().incident_id
    who = person(Scope(kinds=frozenset({"cell"}), regions=frozenset({"north"})))
    start, end = north.clock.now(), north.clock.now().replace(hour=20)

    with pytest.raises(Refused):
        north.commands.close_incident(who, incident, "over")
    with pytest.raises(Refused):
        north.commands.declare_freeze(who, "", start, end, "everywhere")
    with pytest.raises(Refused):
        north.commands.declare_planned_work(who, "c1", [CULPRIT], (), (), start, end)
    assert north.commands.declare_freeze(who, "north", start, end, "here").region == "north"
    assert north.kinds().count("rights.command.refused") == 3


def test_a_freeze_of_a_region_that_is_not_there_is_refused_for_it_would_hold_nothing(north: Stage) -> None:
    start, end = north.clock.now(), north.clock.now().replace(hour=20)

    with pytest.raises(BadInput, match="no region `nroth`"):
        north.commands.declare_freeze(north.operator, "nroth", start, end, "election night")


def test_who_sees_one_region_of_a_long_record_finds_all_that_is_of_it_in_order(north: Stage) -> None:
    now = north.clock.now()
    places = ("north", "south", "south", "south+north")
    made = tuple(Entry(kind="t.t.t", actor="t", event_time=now, residency=places[n % 4]) for n in range(2500))
    north.ledger.do(lambda _: Written(None, made))
    who = person(Scope(regions=frozenset({"north"})))

    seen = [record for record in north.ledger.records() if "north" in record.residency.split("+")]

    assert len(seen) >= 1250
    assert north.queries.audit(who, limit=2000) == seen
    assert north.queries.audit(who, limit=2, after=seen[700].sequence) == seen[701:703]
