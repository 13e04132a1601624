"""One case of the blast bench: a fault, the repair that the house proposes, and what really suffers after it.

The twin's own blast radius is taken from the rehearsal that was approved. The truth is asked of the plant at every move
of its clock, from the first step's intent until the house has measured the plan, or its time to show an effect is over.
What stood before the fault is not counted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np

from benchmarks.blast_house import DrivenHouse
from control_plane.gate import WAITING
from control_plane.proposing import repairs
from control_plane.tables import Tables
from domain.actions import ActionClass, DrainLink, SteerDemand
from domain.base import Word
from domain.blast import BlastRadius, Quantity
from domain.diagnosis import FaultKind
from domain.errors import Conflict, Gone, Refused
from domain.execution import Execution, Step
from domain.gate import RightKind
from domain.identity import Role
from domain.incidents import IncidentState
from domain.proposals import Proposal
from twin.blast.calibration import Calibration
from twin.blast.classes import class_of

#: Shares of cases in which executors lie, and in which the fault is soon over by itself.
LYING, SELF_HEALING = 0.04, 0.06
_HEALS_S = (3.0, 9.0)
_ACTED_WITHIN_S, _OVER_WITHIN_S, _CALM_WITHIN_S, _REST_S = 30.0, 60.0, 30.0, 3.0
#: Why a fault made no case, besides the outcomes of plans that were not carried out.
NO_ELEMENT, NO_REPAIR, NOT_CARRIED_OUT = "nothing to break", "no sound repair", "not carried out"


class Row(Word):
    """A case as it is kept: what the twin said (not calibrated), what was so, and what the house itself measured.

    None of the recovery: it did not come while it was waited for. `measured` None: the house could not tell.
    """

    network: str
    seed: int
    case: int
    fault: str
    element: str
    story: str
    action_class: str
    raw: BlastRadius
    truth: dict[Quantity, float | None]
    resolution: str
    measured: dict[Quantity, float | None] | None = None


class Seen(NamedTuple):
    """What suffered at a moment, besides what stood before."""

    at: datetime
    cells: frozenset[str]
    circuits: frozenset[str]
    customers: frozenset[str]
    lost_mbps: float

    @property
    def back(self) -> bool:
        """Say whether the network does again what it did before the fault."""
        return not self.cells and not self.circuits


@dataclass
class Watching:
    """Follows the truth."""

    driven: DrivenHouse
    before: Mapping[str, Any] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)

    def begin(self) -> None:
        """Take what stands now as what is usual; what counts is followed from the first step on."""
        self.before, self.seen = self.driven.umpire.suffering(), []

    def notice(self, point: str, _ref: str) -> None:
        """Hear which point the road passes."""
        if point == "intended" and self.before and self.driven.clock.watcher is None:
            self._look()
            self.driven.clock.watcher = self._look

    def end(self) -> None:
        """Look no more."""
        self.before, self.driven.clock.watcher = {}, None

    def _look(self) -> None:
        now, before = self.driven.umpire.suffering(), self.before
        self.seen.append(
            Seen(
                at=self.driven.clock.now(),
                cells=frozenset(now["cells"]).difference(before["cells"]),
                circuits=_names(now).difference(_names(before)),
                customers=frozenset(now["customers"]).difference(before["customers"]),
                lost_mbps=max(0.0, now["lost_mbps"] - before["lost_mbps"]),
            )
        )

    def truth(self, intended: datetime, until: datetime, mended: datetime | None) -> dict[Quantity, float | None]:
        """Return what suffered at `until`, and the seconds from the first intent until all was back.

        Where nothing suffered any more by then (there was another way, or it had healed), the network is whole again
        when the fault is `mended`; None: not while it was waited for.
        """
        seen = [entry for entry in self.seen if entry.at <= until]
        last = seen[-1]
        ill = [index for index, entry in enumerate(seen) if not entry.back]
        back_at = (seen[ill[-1] + 1].at if last.back else None) if ill else mended
        recovered = back_at is not None and back_at <= until
        return {
            Quantity.CELLS: float(len(last.cells)),
            Quantity.CIRCUITS: float(len(last.circuits)),
            Quantity.CUSTOMERS: float(len(last.customers)),
            Quantity.LOST: last.lost_mbps,
            Quantity.RECOVERY: max(0.0, (back_at - intended).total_seconds()) if back_at and recovered else None,
        }


def _names(suffering: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(entry["demand"] for entry in suffering["demands"])


class Cases:
    """Plays cases on one house, one after the other; each finds a calm network without open incidents."""

    def __init__(self, driven: DrivenHouse, network: str, seed: int) -> None:
        self._driven, self._network, self._seed = driven, network, seed
        self._house = driven.house
        issue = self._house.issuer.issue
        self._people = [
            issue(name, frozenset({Role.APPROVER, Role.OPERATOR, also}), person=name)[0]
            for name, also in (("one", Role.ENGINEER), ("two", Role.CHANGE_MANAGER))
        ]
        self._watching = Watching(driven)
        self._house.road.calibration = Calibration.none()
        self._house.road.watchers.append(self._watching.notice)
        self._known: set[str] = set()
        self._sends = 0

    def case(self, number: int, kind: FaultKind) -> Row | str:
        """Let a fault of this kind happen; return what came of the first repair, or why there is nothing to score."""
        rng = np.random.default_rng([self._seed, number, 0xB1A])
        umpire = self._driven.umpire
        try:
            kind, element = umpire.choose_fault(int(rng.integers(2**31)), kind)
        except Refused:
            return NO_ELEMENT
        story = str(rng.choice(("honest", "lying", "self-healing"), p=(1 - LYING - SELF_HEALING, LYING, SELF_HEALING)))
        heals_s = float(rng.uniform(*_HEALS_S))
        self._watching.begin()
        umpire.inject(
            kind,
            element,
            executor="lying" if story == "lying" else "honest",
            self_heals_after=heals_s if story == "self-healing" else None,
        )
        try:
            return self._played(number, kind, element, story)
        finally:
            self._watching.end()
            self._calm()

    def _played(self, number: int, kind: FaultKind, element: str, story: str) -> Row | str:
        if not self._driven.live(_ACTED_WITHIN_S, self._begun):
            return NO_REPAIR
        execution = self._executions()[0]
        self._driven.live(_OVER_WITHIN_S, lambda: self._execution(execution.id).outcome is not None)
        execution, steps = self._execution(execution.id), self._steps(execution.id)
        if execution.outcome is None or execution.verify_by is None or execution.acted_at is None:
            return NOT_CARRIED_OUT
        proposal, raw = self._rehearsed(execution.proposal_id)
        intended = min(step.intended_at for step in steps if step.kind is RightKind.STEP)
        until = min(execution.outcome.measured_at, execution.verify_by)
        realised = self._house.road.ledger.read(lambda tables: tables.realised.get(execution.id))
        measured = None if realised is None or realised.blast is None else realised.blast.measured
        return Row(
            network=self._network,
            seed=self._seed,
            case=number,
            fault=str(kind),
            element=element,
            story=story,
            action_class=str(class_of(proposal.plan)),
            raw=raw,
            truth=self._watching.truth(intended, until, self._mended(kind, element, proposal, intended)),
            resolution=str(execution.outcome.resolution),
            measured=None if measured is None else {entry.quantity: entry.seen for entry in measured},
        )

    def _mended(self, kind: FaultKind, element: str, proposal: Proposal, intended: datetime) -> datetime | None:
        """Return when the fault ended, None while it stands; a detour mends nothing, and is done when it is made."""
        if class_of(proposal.plan) in {ActionClass.DRAIN_LINK, ActionClass.STEER_DEMAND}:
            return intended
        faults = [
            entry for entry in self._driven.umpire.truth() if (entry["fault"], entry["element"]) == (kind, element)
        ]
        ended = faults[-1]["healed_at"]
        return None if ended is None else datetime.fromisoformat(ended)

    def _begun(self) -> bool:
        """Be the people at the gate until a repair is carried out."""
        if self._executions():
            return True
        for card in self._house.queries.inbox(self._people[0]):
            settled = card.diagnosis is not None and not card.diagnosis.provisional
            if card.proposal.state in WAITING and settled and repairs(card.proposal):
                self._decide(card.proposal, sound=card.rehearsal is not None and card.rehearsal.sound)
        return False

    def _decide(self, proposal: Proposal, *, sound: bool) -> None:
        """Sign what was rehearsed as sound, two people if need be, and nothing else; one plan at a time."""
        decide = self._house.commands.approve if sound else self._house.commands.reject
        for person in self._people if sound else self._people[:1]:
            try:
                decide(person, proposal.id, "the rehearsal is sound" if sound else "no rehearsal supports it")
            except (Conflict, Gone, Refused):
                return

    def _executions(self) -> list[Execution]:
        """Return the repairs of this case that were begun, the first one first."""

        def read(tables: Tables) -> list[Execution]:
            found = [entry for entry in tables.executions.find() if entry.id not in self._known]
            plans = {entry.id: tables.proposals.get(entry.proposal_id) for entry in found}
            return [entry for entry in found if (plan := plans[entry.id]) is not None and repairs(plan)]

        return self._house.road.ledger.read(read)

    def _execution(self, id: str) -> Execution:
        found = self._house.road.ledger.read(lambda tables: tables.executions.get(id))
        assert found is not None
        return found

    def _steps(self, id: str) -> list[Step]:
        return self._house.road.ledger.read(lambda tables: tables.steps.find(execution_id=id))

    def _rehearsed(self, proposal_id: str) -> tuple[Proposal, BlastRadius]:
        def read(tables: Tables) -> tuple[Proposal, BlastRadius]:
            proposal = tables.proposals.get(proposal_id)
            rehearsal = tables.rehearsals.get(proposal.rehearsal_id or "") if proposal else None
            assert proposal is not None
            assert rehearsal is not None
            assert rehearsal.blast is not None
            return proposal, rehearsal.blast

        return self._house.road.ledger.read(read)

    # between two cases

    def _calm(self) -> None:
        """End the fault, put back what plans moved, and close what is left, so that the next case finds no trace."""
        self._driven.umpire.calm()
        self._put_back(step for entry in self._executions() for step in self._steps(entry.id))
        self._driven.live(_CALM_WITHIN_S, lambda: not self._alarms())
        self._driven.live(_REST_S)
        self._driven.live(_OVER_WITHIN_S, self._closed)
        self._known |= {entry.id for entry in self._house.road.ledger.read(lambda tables: tables.executions.find())}

    def _alarms(self) -> int:
        return self._house.road.ledger.read(lambda tables: tables.alarms.count(cleared=False))

    def _put_back(self, steps: Iterable[Step]) -> None:
        """Undo drains and detours by hand, as an operator does once the crew has been there."""
        for step in steps:
            if step.kind is RightKind.STEP and isinstance(step.action, DrainLink | SteerDemand):
                inverse = step.action.inverse()
                if inverse is not None:
                    self._sends += 1
                    self._driven.umpire.by_hand(f"by-hand-{self._sends}", inverse)

    def _closed(self) -> bool:
        """Close by hand: an incident that closes because a fault ended would teach that faults heal by themselves."""
        open_ = self._house.road.ledger.read(lambda tables: tables.incidents.find(state=IncidentState.OPEN))
        for incident in open_:
            try:
                self._house.commands.close_incident(self._people[0], incident.id, "the case is over")
            except Conflict:
                continue
        return not self._house.road.ledger.read(lambda tables: tables.incidents.count(state=IncidentState.OPEN))
