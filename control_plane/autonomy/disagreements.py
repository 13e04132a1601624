"""When a person and an agent wanted different things: the person won; later it shows who was right.

A disagreement is opened when a person rejects, changes or stops a plan of an agent, or disowns it afterwards. Its
outcome is attached when it becomes known: what the other plan did, what the stopped one came to, or how the incident
of a rejected one ended.
"""

from collections.abc import Iterable

from control_plane.road import Road
from control_plane.tables import Tables
from domain.autonomy import Disagreement
from domain.execution import Execution
from domain.incidents import Incident
from domain.proposals import Proposal
from domain.records import Entry

#: The choice of a person who stops a plan that was granted already.
STOP = "stop"


def said(
    road: Road, tables: Tables, proposal: Proposal, choice: str, person: str, because: str, outcome: str = ""
) -> tuple[Entry, ...]:
    """Keep that a person wanted something else than an agent asked for; nothing, where people asked for the plan."""
    if not proposal.requester.startswith("agent:"):
        return ()
    now = road.clock.now()
    kept = Disagreement(
        id=road.id("dis"),
        tenant=proposal.tenant,
        proposal_id=proposal.id,
        incident_id=proposal.incident_id,
        requester=proposal.requester,
        plan_digest=proposal.plan_digest,
        choice=choice,
        person=person,
        because=because,
        made_at=now,
        outcome=outcome,
        known_at=now if outcome else None,
    )
    tables.disagreements.add(kept)
    return (_entry(road, kept, "autonomy.disagreement.kept", residency=proposal.region),)


def stopped(tables: Tables, proposal: Proposal) -> bool:
    """Say whether a person stopped this very plan."""
    return any(each.choice == STOP for each in tables.disagreements.find(proposal_id=proposal.id))


def settled(road: Road, tables: Tables, proposal: Proposal, execution: Execution) -> tuple[Entry, ...]:
    """Attach what a plan came to: to the disagreement about itself, and to that about the plan which it replaced."""
    outcome = str(execution.outcome.resolution) if execution.outcome else ""
    own = tables.disagreements.find(proposal_id=proposal.id)
    replaced = tables.disagreements.find(proposal_id=proposal.replaces) if proposal.replaces else []
    known = [
        *_attach(road, tables, own, f"the plan, stopped, was {outcome}"),
        *_attach(road, tables, replaced, f"the other plan was {outcome}", other=proposal.id),
    ]
    return tuple(_entry(road, each, "autonomy.disagreement.settled", residency=proposal.region) for each in known)


def closed(road: Road, tables: Tables, incident: Incident) -> tuple[Entry, ...]:
    """Attach how the incident ended to what nothing else has been learned of; `incident` is closed already."""
    open_still = tables.disagreements.find(incident_id=incident.id)
    known = _attach(road, tables, open_still, f"the incident ended {incident.resolution}")
    return tuple(_entry(road, each, "autonomy.disagreement.settled", residency=incident.region) for each in known)


def _attach(
    road: Road, tables: Tables, found: Iterable[Disagreement], outcome: str, other: str = ""
) -> list[Disagreement]:
    known = []
    for each in found:
        if each.outcome:
            continue
        new = each.but(outcome=outcome, known_at=road.clock.now(), other_proposal_id=other or each.other_proposal_id)
        tables.disagreements.swap(each, new)
        known.append(new)
    return known


def _entry(road: Road, kept: Disagreement, kind: str, *, residency: str) -> Entry:
    names = ("requester", "plan_digest", "choice", "person", "because", "outcome", "other_proposal_id")
    return Entry(
        kind=kind,
        actor=kept.person if kind.endswith("kept") else "plane",
        refs=(kept.id, kept.proposal_id, kept.incident_id, *filter(None, [kept.other_proposal_id])),
        event_time=road.clock.now(),
        tenant=kept.tenant,
        residency=residency,
        fields={name: getattr(kept, name) for name in names},
    )
