"""A card that is wrong on purpose tests attention. It looks like any other, is told afterwards, and never acts."""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control_plane.gate import make_grant
from control_plane.judging import brief
from control_plane.ports import Written
from control_plane.road import RoadSettings
from control_plane.roster.mutations import MUTATIONS
from control_plane.roster.seeding import commitment
from domain.actions import InterfaceUp
from domain.agents import Case
from domain.clock import ManualClock
from domain.errors import BadInput, Conflict, Gone, NocturneError, NotFound, Refused
from domain.identity import Principal, Role
from domain.proposals import Draft, Plan, ProposalState
from domain.records import Entry
from domain.roster import NoticeKind, SeededCard
from tests.control_plane.roster.conftest import Room
from tests.stage import CULPRIT, ScriptedPlanner

MINUTE = timedelta(minutes=1)


class ThoroughPlanner(ScriptedPlanner):
    """Names its evidence."""

    def plan(self, case: Case) -> Draft:
        return super().plan(case).but(evidence_ids=tuple(evidence.id for evidence in case.evidence))


@pytest.fixture
def room(make_room: Callable[..., Room]) -> Room:
    return thorough(make_room())


def thorough(room: Room) -> Room:
    room.stage.road.planners = (ThoroughPlanner((InterfaceUp(target=CULPRIT),)),)
    return room


def seeded(room: Room, who: Principal, mutation: str = "inverted") -> SeededCard:
    room.clock.advance(0.01)
    id = room.desks.attention.seed(room.admin, who.name, mutation)
    return room.stage.ledger.read(lambda t: t.seeded_cards.get(id))


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_it_stands_in_the_inbox_like_any_other_and_only_there(room: Room, mutation: str) -> None:
    real = room.stage.begin()
    card = seeded(room, room.stage.one, mutation)

    mine = room.stage.queries.inbox(room.stage.one)
    shown = room.stage.queries.card(room.stage.one, card.id)

    assert [c.proposal.id for c in mine] == [real.id, card.id]
    assert shown.proposal.state is ProposalState.HELD
    assert shown.rehearsal is not None
    assert shown.decision is not None
    assert shown.decision.plan_digest == shown.rehearsal.plan_digest == shown.proposal.plan_digest
    assert shown.proposal.plan.digest == shown.proposal.plan_digest
    assert "seed" not in shown.model_dump_json()
    assert [c.proposal.id for c in room.stage.queries.inbox(room.stage.two)] == [real.id]
    with pytest.raises(NotFound):
        room.stage.queries.card(room.stage.two, card.id)


def test_each_mutation_makes_the_card_differ_from_the_real_one(room: Room) -> None:
    real = room.stage.begin()
    there = room.stage.queries.card(room.stage.one, real.id)
    for mutation in MUTATIONS:
        card = seeded(room, room.stage.one, mutation)
        shown = room.stage.queries.card(room.stage.one, card.id)
        changed = (
            shown.proposal.plan != there.proposal.plan,
            shown.rehearsal.steps != there.rehearsal.steps,
            shown.evidence != there.evidence,
        )
        assert sum(changed) == 1, mutation
        assert card.wrong


def test_an_approved_one_is_a_miss_that_is_told_and_does_nothing(room: Room) -> None:
    room.stage.begin()
    card = seeded(room, room.stage.one)

    answer = room.stage.commands.approve(room.stage.one, card.id, "looks right")
    room.stage.walk_all()
    room.work_off()

    assert answer.state is ProposalState.WITHDRAWN
    assert card.wrong in answer.state_reason
    assert room.stage.network.journal == []
    assert room.stage.ledger.read(lambda t: (t.grants.count(), t.proposals.get(card.id))) == (0, None)
    (person,) = [p for p in room.desks.attention.attention(room.admin).people if p.person == "one"]
    assert (person.missed.count, person.missed.n) == (1, 1)


def test_a_rejected_one_is_caught(room: Room) -> None:
    room.stage.begin()
    card = seeded(room, room.stage.one)

    answer = room.stage.commands.reject(room.stage.one, card.id, "it would take the line down")

    assert "you saw it" in answer.state_reason
    (shift,) = room.desks.attention.attention(room.admin).shifts
    assert (shift.missed.count, shift.missed.n) == (0, 1)


def test_a_second_answer_is_a_conflict_and_a_late_one_is_gone(room: Room) -> None:
    room.stage.begin()
    first, second = seeded(room, room.stage.one), seeded(room, room.stage.one)
    room.stage.commands.reject(room.stage.one, first.id, "no")
    with pytest.raises(Conflict):
        room.stage.commands.approve(room.stage.one, first.id, "or yes")
    room.clock.advance(room.stage.road.settings.proposal_s)
    with pytest.raises(Gone):
        room.stage.commands.approve(room.stage.one, second.id, "late")


def test_the_record_commits_to_it_from_the_beginning_and_opens_it_with_the_answer(room: Room) -> None:
    room.stage.begin()
    card = seeded(room, room.stage.one)
    before = room.stage.ledger.records()
    (drawn,) = [r for r in before if r.kind == "attention.draw.committed"]
    assert drawn.refs == ()
    assert "seeded" not in json.dumps([r.model_dump(mode="json") for r in before])

    room.stage.commands.approve(room.stage.one, card.id, "looks right")

    answered = room.stage.ledger.records()[-1]
    assert answered.kind == "attention.card.answered"
    assert answered.fields["seeded"].value is True
    assert answered.fields["commitment"].value == drawn.fields["commitment"].value == commitment(card)


def test_nobody_tests_themselves_and_only_who_may_seeds(room: Room) -> None:
    room.stage.begin()
    both = room.person("both", Role.ADMIN, Role.APPROVER)
    with pytest.raises(Refused):
        room.desks.attention.seed(both, "both")
    with pytest.raises(Refused):
        room.desks.attention.seed(room.stage.one, "two")
    with pytest.raises(BadInput):
        room.desks.attention.seed(room.admin, "operator")
    with pytest.raises(BadInput):
        room.desks.attention.seed(room.admin, "one", "no such way")


def test_should_a_proposal_ever_take_its_id_no_grant_is_made_of_it(room: Room) -> None:
    real = room.stage.begin()
    card = seeded(room, room.stage.one)
    forged = real.but(id=card.id, change_id="chg_forged00")
    room.stage.ledger.do(lambda t: Written(t.proposals.add(forged), (_entry(room),)))

    def force(tables):
        about = brief(room.stage.road, tables, real)
        make_grant(room.stage.road, tables, about.but(proposal=forged), ())
        return Written(None, (_entry(room),))

    with pytest.raises(Refused):
        room.stage.ledger.do(force)
    assert room.stage.commands.approve(room.stage.one, card.id, "go").state is ProposalState.WITHDRAWN
    room.stage.walk_all()
    assert room.stage.network.journal == []


def _entry(room: Room):
    return Entry(kind="test.proposal.forged", actor="test", event_time=room.clock.now())


def test_cards_are_drawn_only_where_a_share_is_set(make_room: Callable[..., Room]) -> None:
    for share in (0.0, 1.0):
        room = thorough(make_room(settings=RoadSettings(seeded_share=share)))
        proposal = room.stage.begin()
        room.work_off()

        cards = room.stage.ledger.read(lambda t: t.seeded_cards.find())
        assert {card.shown_to for card in cards} == ({"one", "two"} if share else set())
        assert all(card.id != proposal.id == card.made_from for card in cards)
        assert room.stage.kinds().count("attention.draw.committed") == len(cards)


def test_its_notice_reads_like_any_other(make_room: Callable[..., Room]) -> None:
    room = thorough(make_room(settings=RoadSettings(seeded_share=1.0)))
    proposal = room.stage.begin()
    room.work_off()

    real, other = (n.model_dump(exclude={"id", "ref", "mark", "text"}) for n in room.told("one", NoticeKind.DECIDE))
    texts = {n.text.replace(n.ref, "ID") for n in room.told("one", NoticeKind.DECIDE)}

    assert real == other
    assert len(texts) == 1
    assert {c.proposal.title for c in room.stage.queries.inbox(room.stage.one)} == {proposal.title}


MOVES: dict[str, Callable[[Room, Principal, str, Plan], object]] = {
    "approve": lambda room, who, id, _: room.stage.commands.approve(who, id, "yes"),
    "reject": lambda room, who, id, _: room.stage.commands.reject(who, id, "no"),
    "defer": lambda room, who, id, _: room.stage.commands.defer(who, id, room.clock.now() + MINUTE, "later"),
    "change": lambda room, who, id, plan: room.stage.commands.change(who, id, plan, "so"),
    "ask": lambda room, who, id, _: room.desks.approvals.ask(who, id, "why?"),
    "stop": lambda room, who, id, _: room.stage.commands.stop(who, id, "stop"),
    "batch": lambda room, who, id, _: room.desks.attention.approve_batch(who, [id], "all"),
    "view": lambda room, who, id, _: room.desks.attention.opened(who, id),
    "walk": lambda room, _who, _id, _: room.stage.walk_all(),
    "work": lambda room, _who, _id, _: room.work_off(),
    "time": lambda room, _who, _id, _: room.clock.advance(30),
}


@given(st.lists(st.tuples(st.sampled_from(sorted(MOVES)), st.sampled_from(("one", "two", "operator"))), max_size=12))
@settings(max_examples=15, deadline=None)
def test_whatever_anybody_does_a_seeded_card_never_acts(moves: list[tuple[str, str]]) -> None:
    room = thorough(Room(ManualClock(datetime(2026, 1, 12, 12, tzinfo=UTC))))
    real = room.stage.begin()
    ids = [seeded(room, room.stage.one, mutation).id for mutation in MUTATIONS]
    for number, (move, name) in enumerate(moves):
        with suppress(NocturneError):
            MOVES[move](room, getattr(room.stage, name), ids[number % len(ids)], real.plan)
    room.stage.walk_all()

    grants, steps, found = room.stage.ledger.read(
        lambda t: (t.grants.count(), t.steps.count(), [t.proposals.get(id) for id in ids])
    )
    assert room.stage.network.journal == []
    assert (grants, steps, found) == (0, 0, [None] * len(ids))
