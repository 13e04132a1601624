"""What all `Hands` on our own store must do: what is sent is done once, and can be read back. More join `SUBJECTS`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapters.autonomy.hands import AutonomyHands
from adapters.tickets.desk import TicketDesk
from control_plane.autonomy import record
from control_plane.autonomy.demotion import keep
from control_plane.autonomy.standing import standing_of
from control_plane.ports import Hands, Ledger, Seen, Written
from control_plane.tables import Tables
from domain.actions import Action, ActionClass, CancelTicket, InterfaceUp, OpenTicket, SetAutonomy
from domain.autonomy import Band, Ground, standing_id
from domain.clock import ManualClock
from domain.errors import BadInput, Refused
from domain.identity import NetworkDomain
from domain.records import Entry
from tests.stores import STORES, opened

GROUND = Ground(agent="agent:a", action=ActionClass.INTERFACE_UP, domain=NetworkDomain.TRANSPORT, band=Band.NONE)
STANDING = standing_id("default", GROUND.key)


@dataclass
class Subject:
    """Hands, an action that they can carry out, one that they must refuse, and what the first shows as."""

    hands: Hands
    action: Action
    refused: Action
    shows: tuple[str, str]


def levels(ledger: Ledger, clock: ManualClock) -> Subject:
    def earn(tables: Tables) -> Written[None]:
        held = standing_of(tables, "default", GROUND, clock.now())
        for _ in range(88):
            held = record.counted(held, failure=False)
        keep(tables, held)
        return Written(None, (Entry(kind="test.level.earned", actor="test", event_time=clock.now()),))

    ledger.do(earn)
    other = STANDING.replace("agent:a", "agent:b")
    return Subject(
        hands=AutonomyHands(ledger, clock),
        action=SetAutonomy(target=STANDING, level=1, previous=0),
        refused=SetAutonomy(target=other, level=1, previous=0),
        shows=("level", "1"),
    )


def tickets(ledger: Ledger, clock: ManualClock) -> Subject:
    return Subject(
        hands=TicketDesk(ledger, clock),
        action=OpenTicket(target="inc_1", description="down"),
        refused=CancelTicket(target="inc_2", description="down"),
        shows=("ticket", "open"),
    )


SUBJECTS: dict[str, Callable[[Ledger, ManualClock], Subject]] = {"levels": levels, "tickets": tickets}


@contextmanager
def subject_on(store: str, name: str, folder: Path, clock: ManualClock) -> Iterator[tuple[Subject, Ledger]]:
    with opened(store, folder, clock) as ledger:
        yield SUBJECTS[name](ledger, clock), ledger


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=list(SUBJECTS))
def subject(
    request: pytest.FixtureRequest, store: str, tmp_path: Path, clock: ManualClock
) -> Iterator[tuple[Subject, Ledger]]:
    with subject_on(store, request.param, tmp_path, clock) as made:
        yield made


def test_it_takes_its_own_actions_only(subject: tuple[Subject, Ledger]) -> None:
    hands = subject[0].hands

    assert hands.takes(subject[0].action)
    assert not hands.takes(InterfaceUp(target="tp:1"))
    with pytest.raises(BadInput):
        hands.send("key", InterfaceUp(target="tp:1"))


def test_an_effect_is_visible_in_the_state(subject: tuple[Subject, Ledger]) -> None:
    case = subject[0]
    before = dict(case.hands.state(case.action.target))
    case.hands.send("key", case.action)
    after = dict(case.hands.state(case.action.target))

    assert case.hands.look("key") is Seen.DONE
    assert after[case.shows[0]] == case.shows[1] != before[case.shows[0]]
    assert case.action.took_effect(before, after)


def test_a_second_sending_of_a_key_changes_nothing(subject: tuple[Subject, Ledger]) -> None:
    case, ledger = subject
    case.hands.send("key", case.action)
    once = len(ledger.records())
    case.hands.send("key", case.action)

    assert case.hands.keyed
    assert len(ledger.records()) == once


def test_what_was_never_sent_never_happened(subject: tuple[Subject, Ledger]) -> None:
    assert subject[0].hands.look("never") is Seen.ABSENT


def test_what_is_refused_changes_nothing(subject: tuple[Subject, Ledger]) -> None:
    case = subject[0]
    before = dict(case.hands.state(case.refused.target))
    with pytest.raises(Refused):
        case.hands.send("key", case.refused)

    assert dict(case.hands.state(case.refused.target)) == before
    assert case.hands.look("key") in {Seen.FAILED, Seen.ABSENT}


def test_undoing_is_visible_too(subject: tuple[Subject, Ledger]) -> None:
    case = subject[0]
    inverse = case.action.inverse()
    assert inverse is not None
    case.hands.send("key", case.action)
    case.hands.send("key:inverse", inverse)

    assert case.hands.state(case.action.target)[case.shows[0]] != case.shows[1]


def test_a_store_that_is_gone_cannot_tell(subject: tuple[Subject, Ledger]) -> None:
    case, ledger = subject
    case.hands.send("key", case.action)
    ledger.close()

    assert case.hands.look("key") is Seen.CANNOT_TELL


def test_evidence_that_went_bad_is_refused_by_the_hands_themselves(
    store: str, tmp_path: Path, clock: ManualClock
) -> None:
    with subject_on(store, "levels", tmp_path, clock) as (case, ledger):

        def fail(tables: Tables) -> Written[None]:
            held = standing_of(tables, "default", GROUND, clock.now())
            keep(tables, record.counted(held, failure=True))
            return Written(None, (Entry(kind="test.level.spoilt", actor="test", event_time=clock.now()),))

        ledger.do(fail)
        with pytest.raises(Refused, match="evidence"):
            case.hands.send("key", case.action)
        assert case.hands.look("key") is Seen.FAILED
        assert case.hands.state(STANDING)["level"] == "0"
