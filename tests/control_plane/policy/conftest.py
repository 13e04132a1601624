"""The ring of `tests/stage.py` in memory, with somebody who keeps the policy book, and books to offer."""

from collections.abc import Callable

import pytest

from adapters.memory import MemoryLedger
from control_plane.policy import activation
from control_plane.policy.desk import PolicyDesk
from domain.clock import ManualClock
from domain.identity import Principal, Role
from policies.engine import Book
from tests.stage import Stage, make_stage

Files = Callable[..., dict[str, str]]


@pytest.fixture
def ledger(clock: ManualClock) -> MemoryLedger:
    return MemoryLedger(clock)


@pytest.fixture
def stage(clock: ManualClock, ledger: MemoryLedger) -> Stage:
    """A stage whose book is in force in the store, as in a house that has started."""
    made = make_stage(clock, ledger=ledger)
    activation.adopt(made.road)
    return made


@pytest.fixture
def desk(stage: Stage) -> PolicyDesk:
    return PolicyDesk(stage.road)


@pytest.fixture
def keeper() -> Principal:
    return Principal(id="acc_keeper", name="keeper", person="keeper", roles=frozenset({Role.ADMIN}))


@pytest.fixture
def auditor() -> Principal:
    return Principal(id="acc_auditor", name="auditor", person="auditor", roles=frozenset({Role.AUDITOR}))


@pytest.fixture
def files() -> Files:
    """Return the files of the book that ships, with some replaced, added (`name="text"`) or taken out (None)."""

    def build(**changes: str | None) -> dict[str, str]:
        texts = dict(Book.load().texts)
        for name, text in changes.items():
            file = f"{name}.cedar"
            texts.pop(file, None)
            if text is not None:
                texts[file] = text
        return texts

    return build
