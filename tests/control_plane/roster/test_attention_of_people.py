"""Who looks before deciding, who misses what, and what follows from it."""

from collections.abc import Callable

import numpy as np
import pytest

from control_plane.ports import Written
from control_plane.roster.attention import extra_signatures, rate
from control_plane.roster.seeding import keep
from domain.actions import RestartProcess
from domain.errors import BadInput, Refused
from domain.ids import new_id
from domain.proposals import ProposalState
from domain.roster import SeededCard
from tests.control_plane.roster.conftest import Room


def person_of(room: Room, name: str):
    return next(p for p in room.desks.attention.attention(room.admin).people if p.person == name)


def test_time_on_a_card_and_opened_evidence_are_kept(room: Room) -> None:
    proposal = room.stage.begin()
    evidence = proposal.evidence_ids[:1]

    room.desks.attention.opened(room.stage.one, proposal.id)
    room.clock.advance(40)
    room.desks.attention.opened(room.stage.one, proposal.id, evidence)
    room.clock.advance(20)
    room.stage.commands.reject(room.stage.one, proposal.id, "no")

    found = person_of(room, "one")
    assert (found.seconds, found.unopened.count) == (60.0, 0)
    assert found.with_evidence.count == len(evidence)
    assert found.agreement.count == 0


def test_deciding_without_ever_looking_is_seen(room: Room) -> None:
    proposal = room.stage.begin()

    room.stage.commands.approve(room.stage.one, proposal.id, "sure")

    found = person_of(room, "one")
    assert (found.unopened.count, found.decided, found.seconds) == (1, 1, None)


def test_evidence_that_is_not_on_the_card_is_refused(room: Room) -> None:
    proposal = room.stage.begin()
    with pytest.raises(BadInput):
        room.desks.attention.opened(room.stage.one, proposal.id, ["ev_invented"])


def answer(room: Room, person: str, missed: bool) -> None:
    """Keep one answered seeded card of a person."""
    room.clock.advance(1)
    now = room.clock.now()
    card = SeededCard(
        id=new_id("prop", now), shift="day", shown_to=person, card="{}", wrong="so", made_at=now,
        person=person, choice="approve" if missed else "reject", answered_at=now,
    )  # fmt: skip
    room.stage.ledger.do(lambda tables: Written(None, keep(room.stage.road, tables, card)))


def test_people_of_known_vigilance_are_ranked_by_what_they_miss(room: Room, seed: int) -> None:
    rng = np.random.default_rng(seed)
    vigilance = {"careful": 0.95, "tired": 0.7, "absent": 0.3}
    for name, catches in vigilance.items():
        for _ in range(120):
            answer(room, name, missed=bool(rng.random() > catches))

    found = {name: person_of(room, name).missed for name in vigilance}

    assert found["careful"].rate < found["tired"].rate < found["absent"].rate
    for name, catches in vigilance.items():
        assert found[name].low <= 1 - catches <= found[name].high
    assert [person_of(room, name).extra_signatures for name in vigilance] == [0, 1, 1]


@pytest.mark.parametrize("catches", [0.95, 0.7, 0.3])
def test_the_interval_of_the_miss_rate_covers(seed: int, catches: float) -> None:
    rng = np.random.default_rng(seed)
    misses = rng.binomial(30, 1 - catches, size=2000)
    intervals = {k: rate(int(k), 30) for k in set(misses.tolist())}

    covered = np.mean([intervals[k].low <= 1 - catches <= intervals[k].high for k in misses.tolist()])

    assert covered >= 0.95


def test_who_misses_too_much_needs_a_second_signature(room: Room) -> None:
    proposal = room.stage.begin()
    for _ in range(4):
        answer(room, "one", missed=True)

    first = room.stage.commands.approve(room.stage.one, proposal.id, "sure")
    assert first.state is ProposalState.HELD
    second = room.stage.commands.approve(room.stage.two, proposal.id, "looked at it")
    assert second.state is ProposalState.GRANTED


def test_one_miss_alone_proves_nothing(room: Room) -> None:
    answer(room, "one", missed=True)
    for _ in range(9):
        answer(room, "one", missed=False)
    limit = room.stage.road.settings.miss_limit
    assert room.stage.ledger.read(lambda t: extra_signatures(t, "default", {"one"}, limit)) == 0


def test_approver_fatigue_what_could_hurt_is_not_approved_in_a_batch(make_room: Callable[..., Room]) -> None:
    room = make_room(steps=(RestartProcess(target="node:a"),))
    proposal = room.stage.begin()

    with pytest.raises(Refused, match="look at it alone"):
        room.desks.attention.approve_batch(room.stage.one, [proposal.id], "all of them")

    assert room.stage.ledger.read(lambda t: t.approvals.count()) == 0


def test_a_batch_has_a_limit_and_no_twins(room: Room) -> None:
    many = [f"prop_{number:026d}" for number in range(200)]
    with pytest.raises(BadInput):
        room.desks.attention.approve_batch(room.stage.one, many, "all of them")
    with pytest.raises(BadInput):
        room.desks.attention.approve_batch(room.stage.one, many[:1] * 2, "all of them")


def test_a_batch_of_the_harmless_is_decided_by_the_same_rules_as_alone(room: Room) -> None:
    proposal = room.stage.begin()
    with pytest.raises(Refused):
        room.desks.attention.approve_batch(room.stage.operator, [proposal.id], "all of them")

    (done,) = room.desks.attention.approve_batch(room.stage.one, [proposal.id], "harmless")
    (again,) = room.desks.attention.approve_batch(room.stage.two, [proposal.id], "harmless")

    assert (done.id, done.state) == (proposal.id, "granted")
    assert "waits for nobody" in again.reason
