"""The ledger of credit: what each settled or refused plan says of the agent that asked for it.

Clean is: accepted as it was, and the network recovered because of it. What was rolled back, did not help, or was
refused, changed or stopped by a person is a failure. What healed by itself, expired, was withdrawn or was cut off by
a kill switch says nothing either way.
Each function runs inside the change that settles or refuses, so a level that is lost is lost with it.
"""

from collections.abc import Sequence
from typing import NamedTuple

from control_plane.autonomy import declining, disagreements, record
from control_plane.autonomy.demotion import fall, keep, looked_at
from control_plane.autonomy.grounds import grounds_of, kinds_of
from control_plane.autonomy.reviews import sampled
from control_plane.autonomy.standing import level_on, standing_of
from control_plane.gate import grant_id_of
from control_plane.road import Road
from control_plane.tables import Message, Tables
from domain.autonomy import Credit, Ground, Level, Standing
from domain.execution import Execution
from domain.incidents import Resolution
from domain.proposals import Proposal, ProposalState
from domain.records import Entry

_FAILED = frozenset({Resolution.ROLLED_BACK, Resolution.UNRESOLVED})


class Credited(NamedTuple):
    """What a change is to leave behind besides its own: record entries and messages."""

    entries: tuple[Entry, ...] = ()
    messages: tuple[Message, ...] = ()


class _Verdict(NamedTuple):
    """What one plan says of its agent."""

    because: str
    unchanged: bool
    verified: bool = False
    rolled_back: bool = False
    failure: bool = False
    alone: bool = False
    execution_id: str = ""

    @property
    def clean(self) -> bool:
        return self.unchanged and self.verified and not self.rolled_back

    @property
    def counts(self) -> bool:
        return self.clean or self.failure


def settled(road: Road, tables: Tables, proposal: Proposal, execution: Execution) -> Credited:
    """Keep what a settled execution says; called inside the change that settles it."""
    assert execution.outcome is not None
    resolution = execution.outcome.resolution
    learned = disagreements.settled(road, tables, proposal, execution)
    grant = tables.grants.get(grant_id_of(proposal.id))
    switched_off = bool(execution.stopped_by) and not disagreements.stopped(tables, proposal)
    verdict = _Verdict(
        because=str(resolution),
        unchanged=True,
        verified=resolution is Resolution.RESTORED,
        rolled_back=resolution is Resolution.ROLLED_BACK,
        failure=resolution in _FAILED and not switched_off,
        alone=grant is not None and not grant.approval_ids,
        execution_id=execution.id,
    )
    kept = _keep(road, tables, proposal, verdict)
    drawn = sampled(road, tables, proposal, execution, _level(road, tables, proposal)) if verdict.alone else ()
    return Credited((*learned, *kept.entries, *drawn), kept.messages)


def refused(road: Road, tables: Tables, proposal: Proposal, choice: str, person: str, because: str) -> Credited:
    """Keep what a person's no, wish for another plan, or stop says; called inside the change that stores it.

    A plan that is being carried out when it is stopped is judged when it is settled.
    """
    said = disagreements.said(road, tables, proposal, choice, person, because)
    if proposal.state is ProposalState.EXECUTING:
        return Credited(said)
    declined = declining.declined(road, tables, proposal, because)
    verdict = _Verdict(because=f"{choice} by a person", unchanged=False, failure=True)
    kept = _keep(road, tables, proposal, verdict)
    who = f"{proposal.tenant}|{proposal.requester}"
    look = Message(id=road.id("msg"), topic="acceptance", ref=who, due_at=road.clock.now())
    return Credited((*said, *declined, *kept.entries), (*kept.messages, look))


def disowned(road: Road, tables: Tables, proposal: Proposal, execution: Execution, because: str) -> Credited:
    """Keep that a person, looking back, found a plan wrong that an agent had carried out alone."""
    verdict = _Verdict(
        because=f"found wrong afterwards: {because}",
        unchanged=False,
        failure=True,
        alone=True,
        execution_id=execution.id,
    )
    return _keep(road, tables, proposal, verdict)


def _grounds(road: Road, tables: Tables, proposal: Proposal) -> tuple[Ground, ...]:
    rehearsal = tables.rehearsals.get(proposal.rehearsal_id or "")
    return grounds_of(proposal, rehearsal, kinds_of(road, proposal)) if rehearsal else ()


def _level(road: Road, tables: Tables, proposal: Proposal) -> Level:
    """Return the highest level that a plan's grounds stand on: what it was carried out by."""
    now = road.clock.now()
    levels = [level_on(tables, proposal.tenant, ground, now) for ground in _grounds(road, tables, proposal)]
    return max(levels, default=Level.ADVISE)


def _keep(road: Road, tables: Tables, proposal: Proposal, verdict: _Verdict) -> Credited:
    entries: list[Entry] = []
    messages: list[Message] = []
    for ground in _grounds(road, tables, proposal):
        made, asked = _keep_on(road, tables, proposal, verdict, ground)
        entries += made
        messages += asked
    return Credited(tuple(entries), tuple(messages))


def _keep_on(
    road: Road, tables: Tables, proposal: Proposal, verdict: _Verdict, ground: Ground
) -> tuple[list[Entry], list[Message]]:
    """Add one credit, count it, and draw the consequence."""
    now = road.clock.now()
    credit = Credit(
        id=road.id("cred"),
        tenant=proposal.tenant,
        ground=ground.key,
        proposal_id=proposal.id,
        execution_id=verdict.execution_id,
        accepted_unchanged=verdict.unchanged,
        verified=verdict.verified,
        rolled_back=verdict.rolled_back,
        clean=verdict.clean,
        counts=verdict.counts,
        alone=verdict.alone,
        because=verdict.because,
        known_at=now,
    )
    tables.credits.add(credit)
    standing = standing_of(tables, proposal.tenant, ground, now)
    if verdict.counts:
        standing = record.counted(standing, failure=verdict.failure)
        keep(tables, standing)
    entries = [_entry(proposal, credit, standing)]
    why = record.lost(standing, failure=verdict.failure, alone=verdict.alone) if verdict.counts else ""
    had = level_on(tables, proposal.tenant, ground, now)
    if why and had is not Level.ADVISE:
        fell = fall(road, tables, standing, ground, why, proposal.id, residency=proposal.region)
        return [*entries, *fell.entries], list(fell.messages)
    return entries, [looked_at(road, standing)] if record.earned(standing, ground) else []


def _entry(proposal: Proposal, credit: Credit, standing: Standing) -> Entry:
    refs: Sequence[str] = (credit.id, proposal.id, *filter(None, [credit.execution_id]))
    return Entry(
        kind="autonomy.credit.kept",
        actor="plane",
        refs=tuple(refs),
        event_time=credit.known_at,
        tenant=proposal.tenant,
        residency=proposal.region,
        fields={
            "ground": credit.ground,
            "clean": credit.clean,
            "counts": credit.counts,
            "alone": credit.alone,
            "because": credit.because,
            "outcomes": standing.outcomes,
            "failures": standing.failures,
            "bound": round(standing.bound, 6),
        },
    )
