"""Circuit breakers: a kind of action that goes wrong again and again, for one requester, is taken out of its hands.

When N of its last M outcomes were bad (rolled back or unresolved), the breaker opens: plans of that kind wait for a
person. After a rest one plan may try by itself; if it goes well the breaker closes, otherwise it opens again. What
people stopped says nothing about who asked.
"""

from datetime import timedelta

from control_plane.road import Road
from control_plane.tables import Tables
from domain.actions import ActionClass
from domain.execution import Execution
from domain.guards import Breaker, BreakerState
from domain.incidents import Resolution
from domain.proposals import Proposal, ProposalState
from domain.records import Entry

_GOOD = frozenset({Resolution.RESTORED, Resolution.RECORDED})
_BAD = frozenset({Resolution.ROLLED_BACK, Resolution.UNRESOLVED})


def breaker_id(tenant: str, requester: str, action: ActionClass) -> str:
    """Return the id of a breaker."""
    return f"{tenant}:{requester}:{action}"


def open_for(road: Road, tables: Tables, proposal: Proposal) -> list[str]:
    """Return one phrase per breaker that keeps this plan from passing by itself."""
    return [
        f"the breaker of `{breaker.requester}` for {breaker.action} is {breaker.state}: {breaker.note}"
        for breaker in _of(tables, proposal)
        if not _passes(road, tables, breaker, proposal)
    ]


def try_once(tables: Tables, proposal: Proposal) -> None:
    """Note that a plan passes by itself: where a breaker rests, this is its one trial."""
    for breaker in _of(tables, proposal):
        if breaker.state is not BreakerState.CLOSED:
            tables.breakers.swap(breaker, breaker.but(state=BreakerState.HALF_OPEN, trial=proposal.id))


def count(road: Road, tables: Tables, proposal: Proposal, execution: Execution) -> tuple[Entry, ...]:
    """Count the outcome of an execution; return what is to be recorded of breakers that opened or closed."""
    resolution = execution.outcome.resolution if execution.outcome else None
    if execution.stopped_by or resolution not in _GOOD | _BAD:
        return ()
    entries = []
    for action in proposal.plan.classes:
        old = tables.breakers.get(breaker_id(proposal.tenant, proposal.requester, action))
        fresh = old or _blank(road, proposal, action)
        new = _after(road, fresh, proposal, good=resolution in _GOOD)
        if old is None:
            tables.breakers.add(new)
        else:
            tables.breakers.swap(old, new)
        if new.state is not fresh.state:
            entries.append(entry(road, new, "plane", (proposal.id, execution.id)))
    return tuple(entries)


def entry(road: Road, breaker: Breaker, actor: str, refs: tuple[str, ...] = ()) -> Entry:
    """Return the record of a breaker that changed its state."""
    return Entry(
        kind=f"plane.breaker.{breaker.state}",
        actor=actor,
        refs=(breaker.id, *refs),
        event_time=road.clock.now(),
        tenant=breaker.tenant,
        fields={"requester": breaker.requester, "action": breaker.action, "note": breaker.note},
    )


def _after(road: Road, breaker: Breaker, proposal: Proposal, *, good: bool) -> Breaker:
    recent = (*breaker.recent, good)[-road.settings.breaker_of :]
    failures = recent.count(False)
    counted = breaker.but(recent=recent, failures=failures)
    match breaker.state:
        case BreakerState.CLOSED if failures >= road.settings.breaker_failures:
            note = f"{failures} of its last {len(recent)} went wrong, the last with `{proposal.id}`"
            return counted.but(state=BreakerState.OPEN, note=note, changed_at=road.clock.now())
        case BreakerState.CLOSED:
            return counted
        case BreakerState.HALF_OPEN if good:
            note = f"`{proposal.id}` went well"
            return counted.but(
                state=BreakerState.CLOSED, recent=(), failures=0, trial="", note=note, changed_at=road.clock.now()
            )
        case _ if good:  # a person let it pass, and was right: the next may try by itself
            return counted.but(state=BreakerState.HALF_OPEN, trial="", changed_at=road.clock.now())
        case _:
            note = f"`{proposal.id}` went wrong again"
            return counted.but(state=BreakerState.OPEN, trial="", note=note, changed_at=road.clock.now())


def _passes(road: Road, tables: Tables, breaker: Breaker, proposal: Proposal) -> bool:
    rested = road.clock.now() - breaker.changed_at >= timedelta(seconds=road.settings.breaker_rest_s)
    match breaker.state:
        case BreakerState.CLOSED:
            return True
        case BreakerState.OPEN:
            return rested
        case BreakerState.HALF_OPEN:
            return breaker.trial in {"", proposal.id} or not _on_trial(tables, breaker.trial)


def _on_trial(tables: Tables, proposal_id: str) -> bool:
    trial = tables.proposals.get(proposal_id)
    return trial is not None and trial.state in {ProposalState.GRANTED, ProposalState.EXECUTING}


def _of(tables: Tables, proposal: Proposal) -> list[Breaker]:
    ids = [breaker_id(proposal.tenant, proposal.requester, action) for action in proposal.plan.classes]
    return [breaker for id in ids if (breaker := tables.breakers.get(id)) is not None]


def _blank(road: Road, proposal: Proposal, action: ActionClass) -> Breaker:
    return Breaker(
        id=breaker_id(proposal.tenant, proposal.requester, action),
        tenant=proposal.tenant,
        requester=proposal.requester,
        action=action,
        changed_at=road.clock.now(),
    )
