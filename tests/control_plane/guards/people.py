"""Whoever the tests of the guards need beside the people of the stage, and a network that stops where it is told to."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from domain.execution import Execution
from domain.identity import Principal, Role
from domain.proposals import Proposal
from tests.stage import Stage

ADMIN = Principal(id="acc_admin", name="admin", person="the admin", roles=frozenset({Role.ADMIN}))


class Crash(Exception):
    """The process ends here."""


@contextmanager
def when(stage: Stage, point: str, act: Callable[[str], object], part: str = "") -> Iterator[None]:
    """Do something each time that the road passes a point."""

    def watch(passed: str, ref: str) -> None:
        if passed == point and part in ref:
            act(ref)

    stage.road.watchers.append(watch)
    yield
    stage.road.watchers.remove(watch)


def crash(_ref: str) -> None:
    """End the process."""
    raise Crash


def granted(stage: Stage) -> Proposal:
    """Break the interface, and have its repair approved by as many people as it takes."""
    proposal = stage.begin()
    for person in (stage.one, stage.two):
        if stage.proposal().state == "held":
            stage.commands.approve(person, proposal.id, "plausible")
    return stage.proposal()


def execution(stage: Stage) -> Execution:
    """Return the newest execution."""
    return stage.ledger.read(lambda tables: tables.executions.find())[-1]


def sent(stage: Stage) -> list[str]:
    """Return what had an effect, as `step:0` or `inverse:0`."""
    return [key.split(":", 1)[1] for key in stage.network.journal]
