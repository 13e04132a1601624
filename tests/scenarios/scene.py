"""A house over a real plant, in real time: the ring of `tests/stage.py`, and the people around it.

Nothing is scripted but the people. What is waited for is asked for again and again until it is so, or a generous
time is over; then the failure says where the matter stands.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from api.bootstrap import House
from control_plane.executor import execution_id_of
from control_plane.gate import WAITING
from control_plane.ports import Network
from control_plane.proposing import repairs
from control_plane.tables import Tables
from domain.chains import first_break
from domain.diagnosis import FaultKind
from domain.errors import Conflict
from domain.execution import Execution, Step, StepState
from domain.identity import Principal
from domain.incidents import Incident, IncidentState
from domain.proposals import Plan, Proposal, ProposalState
from tests.scenarios.house_process import built, person, report
from tests.stage import CULPRIT

PATIENCE_S = 45.0

T = TypeVar("T")


class Mischief(Protocol):
    """Makes things go wrong in a network, and knows what really happened in it."""

    def inject(self, kind: FaultKind, element: str) -> object: ...

    def journal(self) -> list[dict[str, Any]]: ...


class World(Protocol):
    """A network that a scene is played on."""

    def network(self, *, timeout_s: float = 5.0) -> Network: ...

    def umpire(self) -> Mischief: ...


@dataclass
class Scene:
    """A running house, the network under it, and three people who may sign and operate."""

    house: House
    plant: World
    culprit: str = CULPRIT
    people: list[Principal] = field(default_factory=list)
    umpire: Mischief = field(init=False)

    def __post_init__(self) -> None:
        self.umpire = self.plant.umpire()
        self.people = [person(self.house, name) for name in ("approver-one", "approver-two", "approver-three")]

    @property
    def one(self) -> Principal:
        return self.people[0]

    def read(self, query: Callable[[Tables], T]) -> T:
        return self.house.road.ledger.read(query)

    def until(self, what: Callable[[], T | None], within_s: float = PATIENCE_S) -> T:
        """Return the first truth that `what` gives; fail with where the road stands when it gives none."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            found = what()
            if found:
                return found
            time.sleep(0.02)
        raise AssertionError(report(self.house, self.one))

    def on(self, point: str, about: str, act: Callable[[], object]) -> None:
        """Do something the first time that the road passes a point with this reference, before it goes on."""
        left = [act]

        def watch(passed: str, ref: str) -> None:
            if (passed, ref) == (point, about) and left:
                left.pop()()

        self.house.road.watchers.append(watch)

    # what goes wrong, and who decides

    def break_culprit(self) -> Proposal:
        """Lock the culprit by mistake; return the repair that waits for people once all alarms are in."""
        self.umpire.inject(FaultKind.INTERFACE_LOCKED, self.culprit)
        return self.until(self.settled_proposal)

    def settled_proposal(self) -> Proposal | None:
        """Return the repair that waits and rests on a diagnosis that is no longer provisional, if there is one."""
        for card in self.house.queries.inbox(self.one):
            latest = card.latest
            if latest and not latest.provisional and latest.id == card.proposal.diagnosis_id and repairs(card.proposal):
                return card.proposal
        return None

    def approve(self, proposal: Proposal, signers: list[Principal] | None = None) -> Proposal:
        """Have people sign until nothing is waited for any more."""
        because = "it was rehearsed, and the cause is plausible"
        for who in signers or self.people:
            if self.until(partial(self._decidable, proposal)).state not in WAITING:
                break
            self.decide(partial(self.house.commands.approve, who, proposal.id, because))
        return self.proposal(proposal.id)

    def change(self, proposal: Proposal, plan: Plan) -> Proposal:
        """Ask for another plan as the first person; return it once it waits for the others."""
        new = self.decide(partial(self.house.commands.change, self.one, proposal.id, plan, "in several steps"))
        return self.until(lambda: found if (found := self.proposal(new.id)).state in WAITING else None)

    def decide(self, decision: Callable[[], Proposal]) -> Proposal:
        """Take a decision, once more when the proposal is being renewed at that moment."""

        def decided() -> Proposal | None:
            try:
                return decision()
            except Conflict as refusal:
                if "try again in a moment" not in refusal.reason:
                    raise
                return None

        return self.until(decided)

    def _decidable(self, proposal: Proposal) -> Proposal | None:
        found = self.proposal(proposal.id)
        return None if found.state in {ProposalState.DRAFTED, ProposalState.REHEARSED} else found

    # where it stands

    def proposal(self, id: str) -> Proposal:
        found = self.read(lambda tables: tables.proposals.get(id))
        assert found is not None
        return found

    def execution(self, proposal: Proposal) -> Execution | None:
        return self.read(lambda tables: tables.executions.get(execution_id_of(proposal.id)))

    def key(self, proposal: Proposal, step: str) -> str:
        """Return the idempotency key of a step: `step:0`, `inverse:1`."""
        return f"{execution_id_of(proposal.id)}:{step}"

    def steps(self, proposal: Proposal) -> dict[str, Step]:
        """Return the steps of a plan by `kind:index`."""
        found = self.read(lambda tables: tables.steps.find(execution_id=execution_id_of(proposal.id)))
        return {f"{step.kind}:{step.index}": step for step in found}

    def in_doubt(self) -> list[Step]:
        return self.read(lambda tables: tables.steps.find(state=StepState.IN_DOUBT))

    def settled(self, proposal: Proposal) -> Proposal:
        """Wait until a proposal has come to its end."""
        return self.until(
            lambda: found if (found := self.proposal(proposal.id)).state is ProposalState.SETTLED else None
        )

    def incident(self) -> Incident | None:
        """Return the incident at the culprit, if there is one."""
        found = [i for i in self.read(lambda tables: tables.incidents.find()) if self.culprit in i.elements]
        return found[-1] if found else None

    def closed(self) -> Incident:
        """Wait until the incident at the culprit is closed."""
        return self.until(lambda: found if (found := self.incident()) and found.state is IncidentState.CLOSED else None)

    def effects(self) -> list[dict[str, Any]]:
        """Return everything that really happened in the plant, in order."""
        return self.umpire.journal()

    def intact(self) -> bool:
        """Say whether the chain of records verifies."""
        return first_break(self.house.road.ledger.records()) is None


def open_house(folder: Path, world: World, *, timeout_s: float = 5.0, **store: Any) -> House:
    """Return a house over a network that serves `folder`, on the store of `tests.stores`; it is not started yet."""
    return built(folder, world.network(timeout_s=timeout_s), **store)
