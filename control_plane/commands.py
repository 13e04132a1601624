"""Everything that somebody can ask to be changed. Console, REST, command line and listeners translate to these, only.

So all doors have the same refusals. Each command checks the caller's role, then does one change of the ledger.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from control_plane import drafting, flow, reach, receiving, refusals
from control_plane.approvals import deciding, signing, taking_back
from control_plane.approvals.lending import need_for
from control_plane.approvals.matters import guarded, proposal_of, readable
from control_plane.horizon import NOWHERE, Horizon
from control_plane.ports import Change, Written
from control_plane.rights import need
from control_plane.road import Road
from control_plane.tables import Message, Tables
from domain.alarms import AlarmType
from domain.errors import BadInput, Conflict, NotFound
from domain.execution import Execution, ExecutionState, Step, StepState
from domain.gate import RightKind
from domain.identity import Permission, Principal
from domain.incidents import Incident, Resolution
from domain.planned_work import Freeze, PlannedWork
from domain.proposals import Plan, Proposal
from domain.records import Entry

T = TypeVar("T")

_LONGEST_WINDOW = timedelta(days=31)


@refusals.recorded
class Commands:
    """The writing half of the service layer."""

    def __init__(self, road: Road) -> None:
        self._road = road

    # --- signals ---

    def receive(self, who: Principal, door: str, payload: Any) -> receiving.Receipt:
        """Take alarms that came by a door; durable when this returns. Raises BadInput for a shapeless payload."""
        need(who, Permission.SEND)
        return flow.receive(self._road, who, door, payload)

    # --- plans ---

    def propose(self, who: Principal, incident_id: str, plan: Plan, because: str, title: str = "") -> Proposal:
        """Ask for a plan in an incident. It takes the road like any other: rehearsed, judged, signed by others.

        Raises:
            Refused: the caller may not ask for this plan.
            Conflict: the incident takes no such plan now.
        """
        return drafting.propose(self._road, who, incident_id, plan, because, title)

    # --- the gate ---

    def approve(
        self, who: Principal, proposal_id: str, because: str, plan_digest: str | None = None, *, key: str = ""
    ) -> Proposal:
        """Say yes to exactly this plan. With enough signatures it is granted, and carried out at once.

        `key` is the caller's own name for this request: sent again, it is answered again and done once.

        Raises:
            Refused: the caller may not sign this proposal.
            Conflict: it does not wait, its plan is another, or this person signed already.
            Gone: it expired.
        """
        return signing.approve(self._road, who, proposal_id, because, plan_digest, key)

    def reject(self, who: Principal, proposal_id: str, because: str) -> Proposal:
        """Say no. The same plan is not proposed again for this incident."""
        return deciding.reject(self._road, who, proposal_id, because)

    def defer(self, who: Principal, proposal_id: str, until: datetime, because: str) -> Proposal:
        """Put the decision off until a moment, at most a day away; it can still be decided earlier."""
        return deciding.defer(self._road, who, proposal_id, until, because)

    def change(self, who: Principal, proposal_id: str, plan: Plan, because: str) -> Proposal:
        """Ask for another plan instead. It is a new proposal: rehearsed, judged and signed by somebody else."""
        return deciding.change_plan(self._road, who, proposal_id, plan, because)

    # --- while it is carried out ---

    def stop(self, who: Principal, proposal_id: str, because: str) -> Proposal:
        """Stop a plan: what is granted is withdrawn, what runs is halted and its done steps are undone."""
        reason = readable(because)
        return guarded(
            self._road, who, proposal_id, lambda: self._do(lambda tables: self._stop(tables, who, proposal_id, reason))
        )

    def settle_doubt(self, who: Principal, step_id: str, *, happened: bool, because: str) -> Step:
        """Say what a person found out about a step that nobody could tell; the plan then goes on or is undone."""
        reason = readable(because)
        return guarded(
            self._road,
            who,
            step_id,
            lambda: self._do(lambda tables: self._settle_doubt(tables, who, step_id, happened, reason)),
        )

    def close_incident(self, who: Principal, incident_id: str, because: str) -> Incident:
        """Close an incident by hand, as not restored by us."""
        need(who, Permission.CLOSE)
        self._road.ledger.read(lambda tables: reach.incident(self._road, tables, who, incident_id))
        return flow.close(self._road, incident_id, Resolution.UNRESOLVED, readable(because), by=who)

    # --- declarations ---

    def declare_planned_work(
        self,
        who: Principal,
        change_id: str,
        elements: Sequence[str],
        affected: Sequence[str],
        expected: Sequence[AlarmType],
        starts_at: datetime,
        ends_at: datetime,
    ) -> PlannedWork:
        """Declare a window in which alarms of the expected types on these elements open no incident."""
        need(who, Permission.DECLARE)
        self._known(who, *elements, *affected)
        reach.elements(self._road, who, (*elements, *affected))
        self._window(starts_at, ends_at)
        work = PlannedWork(
            id=self._road.id("work"),
            tenant=who.tenant,
            change_id=change_id,
            elements=tuple(elements),
            affected=tuple(affected),
            expected=tuple(expected),
            starts_at=starts_at,
            ends_at=ends_at,
            declared_by=who.name,
            declared_at=self._road.clock.now(),
        )

        def change(tables: Tables) -> Written[PlannedWork]:
            tables.planned_work.add(work)
            over = Message(id=self._road.id("msg"), topic="work_over", ref=work.id, due_at=ends_at)
            where = self._road.live.residency((*elements, *affected))
            made = self._entry("plane.planned_work.declared", who, work.id, residency=where, change_id=change_id)
            return Written(work, (made,), (over,))

        return self._do(change)

    def declare_freeze(
        self, who: Principal, region: str, starts_at: datetime, ends_at: datetime, because: str
    ) -> Freeze:
        """Declare a time in which nothing may be changed in a region (everywhere, when it is empty)."""
        need(who, Permission.FREEZE)
        reach.region(who, region)
        if region not in {"", NOWHERE, *self._road.live.regions.values()}:
            raise BadInput(f"there is no region `{region[:80]}` in the inventory; a freeze of it would hold nothing")
        self._window(starts_at, ends_at)
        freeze = Freeze(
            id=self._road.id("freeze"),
            tenant=who.tenant,
            region=region,
            starts_at=starts_at,
            ends_at=ends_at,
            because=readable(because),
            declared_by=who.name,
        )

        def change(tables: Tables) -> Written[Freeze]:
            tables.freezes.add(freeze)
            made = self._entry("plane.freeze.declared", who, freeze.id, residency=region or "default", region=region)
            return Written(freeze, (made,))

        return self._do(change)

    # --- at the door ---

    def refused(self, who: Principal, command: str, reason: str) -> None:
        """Record that a door refused a command to this caller."""
        refusals.note(self._road, who, command, reason)

    # --- how it is done ---

    def _do(self, change: Change[T]) -> T:
        result = self._road.ledger.do(change)
        self._road.bell.set()
        return result

    def _stop(self, tables: Tables, who: Principal, proposal_id: str, because: str) -> Written[Proposal]:
        proposal = self._proposal(tables, who, proposal_id)
        need_for(self._road, tables, who, Permission.STOP, proposal)
        return taking_back.stop(self._road, tables, who, proposal, because)

    def _settle_doubt(
        self,
        tables: Tables,
        who: Principal,
        step_id: str,
        happened: bool,
        because: str,
    ) -> Written[Step]:
        road = self._road
        step = tables.steps.get(step_id)
        execution = tables.executions.get(step.execution_id) if step else None
        if step is None or execution is None:
            raise NotFound(f"there is no step `{step_id}`")
        proposal = self._settleable(tables, who, step_id, execution)
        need_for(road, tables, who, Permission.SETTLE, proposal)
        if step.state is not StepState.IN_DOUBT:
            raise Conflict(f"step `{step_id}` is {step.state}; only a step in doubt can be settled")
        state = StepState.DONE if happened else StepState.FAILED
        settled = step.but(state=state, settled_at=road.clock.now(), note=f"{step.note}; {who.name}: {because}")
        tables.steps.swap(step, settled)
        tables.executions.swap(execution, self._after_doubt(execution, step, because))
        fields = {"happened": happened, "because": because}
        refs = (step_id, execution.id, execution.proposal_id)
        made = self._entry("act.step.settled_by_hand", who, *refs, residency=proposal.region, **fields)
        return Written(settled, (made,), (road.wake(execution.incident_id),))

    def _settleable(self, tables: Tables, who: Principal, step_id: str, execution: Execution) -> Proposal:
        """Return the proposal of a step that the caller may settle; whose plan it may not see has no steps."""
        try:
            return self._proposal(tables, who, execution.proposal_id)
        except NotFound:
            raise NotFound(f"there is no step `{step_id}`") from None

    @staticmethod
    def _after_doubt(execution: Execution, step: Step, because: str) -> Execution:
        """A plan that was stopped, or was being undone, goes on being undone."""
        undoing = bool(execution.stopped_by) or step.kind is RightKind.INVERSE
        state = ExecutionState.COMPENSATING if undoing else ExecutionState.RUNNING
        return execution.but(state=state, note=because)

    def _proposal(self, tables: Tables, who: Principal, proposal_id: str) -> Proposal:
        return proposal_of(self._road, tables, who, proposal_id)

    def _known(self, who: Principal, *elements: str) -> None:
        horizon = Horizon(self._road.live, who)
        for element in elements:
            if element not in self._road.live.elements or not horizon.element(element):
                raise BadInput(f"there is no element `{element}` in the inventory")

    @staticmethod
    def _window(starts_at: datetime, ends_at: datetime) -> None:
        if starts_at.tzinfo is None or ends_at.tzinfo is None:
            raise BadInput("times need a zone: write them with an offset, for example `2026-01-31T12:00:00Z`")
        if ends_at <= starts_at:
            raise BadInput("the window ends before it starts; swap the times")
        if ends_at - starts_at > _LONGEST_WINDOW:
            raise BadInput(f"a window lasts at most {_LONGEST_WINDOW.days} days; declare a shorter one")

    def _entry(self, kind: str, who: Principal, *refs: str, residency: str = "default", **fields: object) -> Entry:
        return Entry(
            kind=kind,
            actor=who.name,
            refs=refs,
            fields={**fields, **who.on_behalf_of},
            event_time=self._road.clock.now(),
            tenant=who.tenant,
            residency=residency,
        )
