"""What one caller may do something to. Seeing one region of it is enough to read; doing needs every part of it.

What the caller may not even see is not there (404); what it sees and its scope does not cover is refused (403).
"""

from collections.abc import Iterable

from control_plane.horizon import Horizon, incident_regions, no_incident, no_proposal, plan_regions
from control_plane.road import Road
from control_plane.tables import Tables
from domain.errors import Refused
from domain.identity import ANY, Principal, Scope, domain_of
from domain.incidents import Incident
from domain.proposals import Plan, Proposal
from policies.permissions import outside, scope
from policies.question import KINDS


def proposal(road: Road, tables: Tables, who: Principal, id: str, lent: Iterable[Scope] = ()) -> Proposal:
    """Return a proposal that the caller may do something to: every step of its plan lies in the caller's scope.

    `lent`: scopes that the caller may use beside its own; one of them must cover the whole plan.

    Raises:
        NotFound: it is not there for this caller.
        Refused: the caller's scope does not cover every step.
    """
    found = tables.proposals.get(id)
    scopes = tuple(lent)
    if found is None or not Horizon(road.live, who, scopes).proposal(tables, found):
        raise no_proposal(id)
    plan(road, who, found.region, found.plan, scopes)
    return found


def plan(road: Road, who: Principal, region: str, asked: Plan, lent: Iterable[Scope] = ()) -> None:
    """Return when one of the caller's scopes covers every step of a plan. Raises Refused."""
    missing = [_beyond(road, held, region, asked) for held in (scope(who), *lent)]
    if all(missing):
        raise Refused(f"{missing[0]} lies outside the scope of `{who.name}`; ask somebody whose scope covers it")


def incident(road: Road, tables: Tables, who: Principal, id: str) -> Incident:
    """Return an incident that the caller may do something to: all of its elements lie in the caller's scope.

    Raises:
        NotFound: it is not there for this caller.
        Refused: the caller's scope does not cover all of it.
    """
    found = tables.incidents.get(id)
    if found is None or not Horizon(road.live, who).incident(found):
        raise no_incident(id)
    held = scope(who)
    missing = sorted(region for region in incident_regions(road.live, found) if not held.covers(region=region))
    if missing:
        raise Refused(f"region `{missing[0]}` lies outside the scope of `{who.name}`; ask somebody who covers it")
    elements(road, who, found.elements)
    return found


def region(who: Principal, asked: str) -> None:
    """Return when a region lies in the caller's scope; an empty name is everywhere. Raises Refused."""
    held = scope(who)
    if not (held.covers(region=asked) if asked else ANY in held.regions):
        where = f"region `{asked}`" if asked else "everywhere"
        raise Refused(f"{where} lies outside the scope of `{who.name}`; ask somebody who covers it")


def elements(road: Road, who: Principal, asked: Iterable[str]) -> None:
    """Return when every element lies in the caller's scope by domain and device class. Raises Refused."""
    held, nodes = scope(who), road.live.graph.nodes
    for element in asked:
        kind = str(nodes[element]["kind"]) if element in nodes else "model_slot"
        if not held.covers(region="", domain=domain_of(kind), kind=kind):
            raise Refused(f"`{element}` ({kind}) lies outside the scope of `{who.name}`; ask somebody who covers it")


def covers(road: Road, held: Scope, found: Proposal) -> bool:
    """Say whether a scope covers every step of a proposal's plan."""
    return not _beyond(road, held, found.region, found.plan)


def kinds_of(road: Road, asked: Plan) -> tuple[str, ...]:
    """Return the kind of what each step acts on: as the inventory says, or as the class of action implies."""
    nodes = road.live.graph.nodes
    return tuple(str(nodes[step.target]["kind"]) if step.target in nodes else KINDS[step.kind] for step in asked.steps)


def _beyond(road: Road, held: Scope, region: str, asked: Plan) -> str:
    """Return what of a plan lies outside a scope, or nothing."""
    missing = sorted(place for place in plan_regions(road.live, region, asked) if not held.covers(region=place))
    if missing:
        return f"region `{missing[0]}`"
    steps = zip(asked.steps, kinds_of(road, asked), strict=True)
    return next((text for step, kind in steps if (text := outside(held, step, (), kind))), "")
