"""Evidence has a shelf life: a plan that waits expires with the oldest fact that it rests on.

Readings age; what is configured stands until it is heard to have changed. A plan that waits is looked at on every
walk of its incident and in every round of the guards, by what is known here: no device is asked for it. A fact that
is too old withdraws the plan; a fact that is known to have changed has it rehearsed and judged anew at once. What the
rehearsal itself assumed otherwise (a cause that nobody announced) has not changed until something newer is heard.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from control_plane.gate import WAITING, entry, moved, withdraw
from control_plane.guards import locks
from control_plane.ports import Written
from control_plane.relevance import changed_phrase, measured
from control_plane.road import Road
from control_plane.tables import Tables
from domain.measurements import Metric
from domain.proposals import Proposal, ProposalState
from domain.rehearsal import Fact, Rehearsal


def look(road: Road, proposal: Proposal) -> None:
    """Withdraw a plan that waits and rests on what is too old; rehearse anew one whose facts changed."""
    if proposal.state is not ProposalState.HELD:
        return
    rehearsal = road.ledger.read(lambda tables: tables.rehearsals.get(proposal.rehearsal_id or ""))
    if rehearsal is None:
        return
    if stale := too_old(road, rehearsal.facts):
        _withdraw(road, proposal, stale)
    elif changed := known_to_differ(road, rehearsal):
        _redraft(road, proposal, changed)
    elif passed := road.ledger.read(lambda tables: locks.overtaken(road, tables, proposal, rehearsal)):
        _redraft(road, proposal, passed)


def sweep(road: Road) -> int:
    """Look at every plan that waits; return how many were withdrawn or are rehearsed anew."""
    waiting = road.ledger.read(lambda tables: tables.proposals.find(state=WAITING))
    for proposal in waiting:
        look(road, proposal)
    after = road.ledger.read(lambda tables: {p.id for p in tables.proposals.find(state=WAITING)})
    return sum(proposal.id not in after for proposal in waiting)


def too_old(road: Road, facts: Iterable[Fact]) -> list[str]:
    """Return one phrase per measured fact that nothing newer than its budget bears out."""
    most = timedelta(seconds=max(road.settings.measurement_age_s, road.live.stale_after.total_seconds()))
    now, phrases = road.clock.now(), []
    for fact in facts:
        if not measured(fact.attribute):
            continue
        seen = road.live.twin.observed(fact.element, Metric(fact.attribute))
        if seen is not None and now - seen[1] > most:
            age_s, most_s = (now - seen[1]).total_seconds(), most.total_seconds()
            phrases.append(
                f"{fact.attribute} of `{fact.element}` was last heard of {age_s:.0f} s ago, and may be {most_s:.0f}"
            )
    return phrases


def known_to_differ(road: Road, rehearsal: Rehearsal) -> list[str]:
    """Return one phrase per fact that was heard to be otherwise since; what is not known says nothing."""
    seen = ((fact, road.live.observed(fact.element, fact.attribute)) for fact in rehearsal.facts if _followed(fact))
    other = [(fact, now) for fact, now in seen if now is not None and not fact.holds(now)]
    return [changed_phrase(fact, now) for fact, now in other if _heard_since(road, fact, rehearsal.made_at)]


def _heard_since(road: Road, fact: Fact, since: datetime) -> bool:
    """Say whether something was heard of a fact after `since`; a change of configuration may be of that moment."""
    if measured(fact.attribute):
        reading = road.live.twin.observed(fact.element, Metric(fact.attribute))
        return reading is not None and reading[1] > since
    heard_at = road.live.twin.configured_at(fact.element, fact.attribute)
    return heard_at is not None and heard_at >= since


def _followed(fact: Fact) -> bool:
    """Say whether the live twin follows what the fact is about (it does not follow models' slots, nor autonomy)."""
    return fact.attribute not in {"version", "candidate", "level", "bound"}


def _withdraw(road: Road, proposal: Proposal, stale: list[str]) -> None:
    because = f"it rests on what is too old: {'; '.join(stale[:5])}"

    def change(tables: Tables) -> Written[None]:
        if tables.proposals.get(proposal.id) != proposal:
            return Written(None)
        return Written(None, (withdraw(road, tables, proposal, because)[1],), (road.wake(proposal.incident_id),))

    road.ledger.do(change)
    road.notice("stale", proposal.id)


def _redraft(road: Road, proposal: Proposal, changed: list[str]) -> None:
    because = f"what it rests on changed while it waited: {'; '.join(changed[:5])}"

    def change(tables: Tables) -> Written[None]:
        if tables.proposals.get(proposal.id) != proposal:
            return Written(None)
        again = moved(tables, proposal, ProposalState.DRAFTED, because)
        made = entry(road, "propose.proposal.renewed", "plane", again, because=because, facts=changed[:32])
        return Written(None, (made,), (road.wake(proposal.incident_id),))

    road.ledger.do(change)
    road.notice("redrafted", proposal.id)
