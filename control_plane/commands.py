"""Everything that somebody can ask to be changed. Console, REST, command line and listeners translate to these, only.

So all doors have the same refusals. Each command checks the caller's role, then does one change of the ledger.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from control_plane import flow, receiving
from control_plane.executor import execution_id_of
from control_plane.gate import WAITING, entry, make_grant, moved, sign, waiting, withdraw
from control_plane.judging import brief, judge
from control_plane.ports import Change, Written
from control_plane.road import Road
from control_plane.tables import Message, Tables
from control_plane.ways import WAYS
from domain.alarms import AlarmType
from domain.decisions import Ruling
from domain.errors import BadInput, Conflict, NotFound, Refused
from domain.execution import Execution, ExecutionState, Step, StepState
from domain.gate import Choice, RightKind
from domain.identity import Principal, Role
from domain.incidents import Incident, IncidentClass, Resolution
from domain.planned_work import Freeze, PlannedWork
from domain.proposals import Plan, Proposal, ProposalState
from domain.records import Entry
from policies.chain import may_sign

T = TypeVar("T")

_REASON_MOST = 2000
_LONGEST_WINDOW = timedelta(days=31)


def need(who: Principal, *roles: Role) -> None:
    """Refuse a caller who has none of the roles."""
    if not who.roles.intersection(roles):
        names = " or ".join(roles)
        raise Refused(f"`{who.name}` may not do this; it needs the role {names}")


def _reason(because: str) -> str:
    """Return a person's reason, checked. Raises BadInput."""
    text = because.strip()
    if not any(sign.isprintable() for sign in text) or len(text) > _REASON_MOST:
        raise BadInput(f"give a reason of 1 to {_REASON_MOST} readable characters: it is part of the record")
    return text


class Commands:
    """The writing half of the service layer."""

    def __init__(self, road: Road) -> None:
        self._road = road

    # --- signals ---

    def receive(self, who: Principal, door: str, payload: Any) -> receiving.Receipt:
        """Take alarms that came by a door; durable when this returns. Raises BadInput for a shapeless payload."""
        need(who, Role.FEED, Role.OPERATOR)
        return flow.receive(self._road, who.name, door, payload)

    # --- the gate ---

    def approve(self, who: Principal, proposal_id: str, because: str, plan_digest: str | None = None) -> Proposal:
        """Say yes to exactly this plan. With enough signatures it is granted, and carried out at once.

        Raises:
            Refused: the caller may not sign this proposal.
            Conflict: it does not wait, its plan is another, or this person signed already.
            Gone: it expired.
        """
        return self._guarded(
            who, proposal_id, lambda t: self._approve(t, who, proposal_id, _reason(because), plan_digest)
        )

    def reject(self, who: Principal, proposal_id: str, because: str) -> Proposal:
        """Say no. The same plan is not proposed again for this incident."""
        return self._say_no(who, proposal_id, Choice.REJECT, ProposalState.REJECTED, because)

    def defer(self, who: Principal, proposal_id: str, until: datetime, because: str) -> Proposal:
        """Put the decision off until a moment, at most a day away; it can still be decided earlier."""
        now, most = self._road.clock.now(), timedelta(seconds=self._road.settings.defer_most_s)
        if not now < until <= now + most:
            raise BadInput(
                "a decision can be put off to a moment within the next 24 hours; give a later or nearer time"
            )
        later = {"deferred_until": until, "expires_at": until + timedelta(seconds=self._road.settings.proposal_s)}
        return self._say_no(who, proposal_id, Choice.DEFER, ProposalState.DEFERRED, because, **later)

    def change(self, who: Principal, proposal_id: str, plan: Plan, because: str) -> Proposal:
        """Ask for another plan instead. It is a new proposal: rehearsed, judged and signed by somebody else."""
        return self._guarded(who, proposal_id, lambda t: self._change(t, who, proposal_id, plan, _reason(because)))

    # --- while it is carried out ---

    def stop(self, who: Principal, proposal_id: str, because: str) -> Proposal:
        """Stop a plan: what is granted is withdrawn, what runs is halted and its done steps are undone."""
        need(who, Role.OPERATOR, Role.APPROVER)
        return self._do(lambda tables: self._stop(tables, who, proposal_id, _reason(because)))

    def settle_doubt(self, who: Principal, step_id: str, *, happened: bool, because: str) -> Step:
        """Say what a person found out about a step that nobody could tell; the plan then goes on or is undone."""
        need(who, Role.OPERATOR)
        return self._do(lambda tables: self._settle_doubt(tables, who, step_id, happened, _reason(because)))

    def close_incident(self, who: Principal, incident_id: str, because: str) -> Incident:
        """Close an incident by hand, as not restored by us."""
        need(who, Role.OPERATOR)
        incident = self._road.ledger.read(lambda tables: tables.incidents.get(incident_id))
        if incident is None or incident.tenant != who.tenant:
            raise NotFound(f"there is no incident `{incident_id}`; `nocturne incidents` lists them")
        return flow.close(self._road, incident_id, Resolution.UNRESOLVED, _reason(because), actor=who.name)

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
        need(who, Role.OPERATOR)
        self._known(*elements, *affected)
        self._window(starts_at, ends_at)
        work = PlannedWork(
            id=self._road.id("work"),
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
            made = self._entry("plane.planned_work.declared", who, work.id, change_id=change_id)
            return Written(work, (made,), (over,))

        return self._do(change)

    def declare_freeze(
        self, who: Principal, region: str, starts_at: datetime, ends_at: datetime, because: str
    ) -> Freeze:
        """Declare a time in which nothing may be changed in a region (everywhere, when it is empty)."""
        need(who, Role.OPERATOR)
        self._window(starts_at, ends_at)
        freeze = Freeze(
            id=self._road.id("freeze"),
            region=region,
            starts_at=starts_at,
            ends_at=ends_at,
            because=_reason(because),
            declared_by=who.name,
        )

        def change(tables: Tables) -> Written[Freeze]:
            tables.freezes.add(freeze)
            return Written(freeze, (self._entry("plane.freeze.declared", who, freeze.id, region=region),))

        return self._do(change)

    # --- how it is done ---

    def _do(self, change: Change[T]) -> T:
        result = self._road.ledger.do(change)
        self._road.bell.set()
        return result

    def _guarded(self, who: Principal, proposal_id: str, change: Change[Proposal]) -> Proposal:
        """Do a decision of a person; a refusal is recorded, too."""
        try:
            proposal: Proposal = self._do(change)
        except Refused as refusal:
            fields = {"reason": refusal.reason}
            self._do(lambda _: Written(None, (self._entry("gate.proposal.refused", who, proposal_id, **fields),)))
            raise
        self._road.notice(f"proposal {proposal.state}", proposal.id)
        return proposal

    def _approve(
        self, tables: Tables, who: Principal, proposal_id: str, because: str, plan_digest: str | None
    ) -> Written[Proposal]:
        road = self._road
        proposal = self._proposal(tables, who, proposal_id)
        self._may_sign(tables, who, proposal)
        waiting(road, proposal, plan_digest)
        approval = sign(road, tables, who, proposal, Choice.APPROVE, because)
        about, now = brief(road, tables, proposal), road.clock.now()
        judgement = judge(road, about, now, about.signatures)
        rules = [rule.id for rule in judgement.rules]
        if judgement.answer is Ruling.DENY:
            reasons = "; ".join(rule.because for rule in judgement.rules)
            raise Conflict(f"the rules forbid this plan now: {reasons}")
        if judgement.answer is Ruling.ALLOW:
            grant = make_grant(road, tables, about, about.yes)
            proposal = moved(tables, proposal, ProposalState.GRANTED, f"approved by {about.signatures}")
            refs: tuple[str, ...] = (approval.id, grant.id)
            wakes = [road.wake(proposal.incident_id)]
        else:
            refs, wakes = (approval.id,), []
        said = {"because": because, "person": who.person, "signatures": about.signatures, "rules": rules}
        return Written(
            proposal, (entry(road, "gate.proposal.approved", who.name, proposal, refs, **said),), tuple(wakes)
        )

    def _say_no(
        self, who: Principal, proposal_id: str, choice: Choice, to: ProposalState, because: str, **changes: object
    ) -> Proposal:
        reason = _reason(because)

        def change(tables: Tables) -> Written[Proposal]:
            proposal = waiting(self._road, self._proposal(tables, who, proposal_id), None)
            self._may_sign(tables, who, proposal, even_if_signed=True)
            approval = sign(self._road, tables, who, proposal, choice, reason)
            new = moved(tables, proposal, to, reason, **changes)
            kind = f"gate.proposal.{to}"
            moments = [new.deferred_until, new.expires_at] if new.deferred_until else []
            later = [self._road.wake(new.incident_id, (at - self._road.clock.now()).total_seconds()) for at in moments]
            made = entry(self._road, kind, who.name, new, (approval.id,), because=reason, person=who.person)
            return Written(new, (made,), (self._road.wake(new.incident_id), *later))

        return self._guarded(who, proposal_id, change)

    def _change(self, tables: Tables, who: Principal, proposal_id: str, plan: Plan, because: str) -> Written[Proposal]:
        road = self._road
        old = waiting(road, self._proposal(tables, who, proposal_id), None)
        self._may_sign(tables, who, old, even_if_signed=True)
        if plan.digest == old.plan_digest:
            raise BadInput("this is the same plan; approve it, or change a step")
        self._fits(tables, old, plan)
        approval = sign(road, tables, who, old, Choice.CHANGE, because)
        gone = moved(tables, old, ProposalState.CHANGED, because)
        now = road.clock.now()
        new = old.but(
            id=road.id("prop"),
            change_id=road.id("chg"),
            requester=who.name,
            state=ProposalState.DRAFTED,
            state_reason="",
            title=f"{old.title} (changed)",
            why=because,
            plan=plan,
            plan_digest=plan.digest,
            rehearsal_id=None,
            decision_id=None,
            replaces=old.id,
            expires_at=now + timedelta(seconds=road.settings.proposal_s),
            made_at=now,
        )
        tables.proposals.add(new)
        said = {"because": because, "person": who.person, "plan": plan.model_dump(mode="json")}
        entries = (
            entry(road, "gate.proposal.changed", who.name, gone, (approval.id, new.id), because=because),
            entry(road, "propose.proposal.drafted", who.name, new, (old.id,), **said),
        )
        return Written(new, entries, (road.wake(new.incident_id),))

    def _stop(self, tables: Tables, who: Principal, proposal_id: str, because: str) -> Written[Proposal]:
        road = self._road
        proposal = self._proposal(tables, who, proposal_id)
        if proposal.state in {*WAITING, ProposalState.GRANTED, ProposalState.DRAFTED, ProposalState.REHEARSED}:
            new, made = withdraw(road, tables, proposal, f"stopped by {who.name}: {because}")
            return Written(new, (made,), (road.wake(new.incident_id),))
        execution = tables.executions.get(execution_id_of(proposal.id))
        stoppable = {ExecutionState.RUNNING, ExecutionState.VERIFYING}
        if execution is None or execution.state not in stoppable:
            state = execution.state if execution else proposal.state
            raise Conflict(f"proposal `{proposal.id}` is {state}; there is nothing to stop")
        halted = execution.but(state=ExecutionState.STOPPING, stopped_by=who.name, note=because)
        if not tables.executions.swap(execution, halted):
            raise Conflict(f"execution `{execution.id}` moved a moment ago; say stop again")
        made = entry(road, "act.execution.stopping", who.name, proposal, (execution.id,), because=because)
        return Written(proposal, (made,), (road.wake(proposal.incident_id),))

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
        self._proposal(tables, who, execution.proposal_id)
        if step.state is not StepState.IN_DOUBT:
            raise Conflict(f"step `{step_id}` is {step.state}; only a step in doubt can be settled")
        state = StepState.DONE if happened else StepState.FAILED
        settled = step.but(state=state, settled_at=road.clock.now(), note=f"{step.note}; {who.name}: {because}")
        tables.steps.swap(step, settled)
        tables.executions.swap(execution, self._after_doubt(execution, step, because))
        fields = {"happened": happened, "because": because}
        made = self._entry("act.step.settled_by_hand", who, step_id, execution.id, execution.proposal_id, **fields)
        return Written(settled, (made,), (road.wake(execution.incident_id),))

    @staticmethod
    def _after_doubt(execution: Execution, step: Step, because: str) -> Execution:
        """A plan that was stopped, or was being undone, goes on being undone."""
        undoing = bool(execution.stopped_by) or step.kind is RightKind.INVERSE
        state = ExecutionState.COMPENSATING if undoing else ExecutionState.RUNNING
        return execution.but(state=state, note=because)

    def _proposal(self, tables: Tables, who: Principal, proposal_id: str) -> Proposal:
        proposal = tables.proposals.get(proposal_id)
        if proposal is None or proposal.tenant != who.tenant:
            raise NotFound(f"there is no proposal `{proposal_id}`; `nocturne inbox` lists those that wait")
        return proposal

    def _may_sign(self, tables: Tables, who: Principal, proposal: Proposal, *, even_if_signed: bool = False) -> None:
        earlier = () if even_if_signed else tables.approvals.find(proposal_id=proposal.id)
        requester = tables.principals.find(name=proposal.requester, limit=1)
        may_sign(who, proposal, earlier, requester_person=requester[0].person if requester else "")

    def _fits(self, tables: Tables, old: Proposal, plan: Plan) -> None:
        """Refuse a plan that could never be rehearsed: the one that waits would be lost for a slip of the pen."""
        for step in plan.steps:
            self._road.hands_for(step)
        incident = tables.incidents.get(old.incident_id)
        WAYS[incident.about if incident else IncidentClass.NETWORK].check(self._road, plan)

    def _known(self, *elements: str) -> None:
        for element in elements:
            if element not in self._road.live.elements:
                raise BadInput(f"there is no element `{element}` in the inventory")

    @staticmethod
    def _window(starts_at: datetime, ends_at: datetime) -> None:
        if starts_at.tzinfo is None or ends_at.tzinfo is None:
            raise BadInput("times need a zone: write them with an offset, for example `2026-01-31T12:00:00Z`")
        if ends_at <= starts_at:
            raise BadInput("the window ends before it starts; swap the times")
        if ends_at - starts_at > _LONGEST_WINDOW:
            raise BadInput(f"a window lasts at most {_LONGEST_WINDOW.days} days; declare a shorter one")

    def _entry(self, kind: str, who: Principal, *refs: str, **fields: object) -> Entry:
        return Entry(
            kind=kind, actor=who.name, refs=refs, fields=fields, event_time=self._road.clock.now(), tenant=who.tenant
        )
