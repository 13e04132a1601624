"""On which grounds a plan counts: the class and domain of each of its steps, in the band of the whole plan."""

from collections.abc import Mapping

from control_plane.road import Road
from domain.autonomy import EARNS, Band, Ground, band_of
from domain.errors import Refused
from domain.identity import Principal, domain_of
from domain.proposals import Proposal
from domain.rehearsal import Rehearsal
from policies.permissions import scope
from policies.question import KINDS


def require_within(who: Principal, ground: Ground) -> None:
    """Raise Refused when the domain of a ground lies outside a caller's scope."""
    if not scope(who).covers(region="", domain=ground.domain):
        raise Refused(f"domain `{ground.domain}` lies outside the scope of `{who.name}`; ask somebody it covers")


def kinds_of(road: Road, proposal: Proposal) -> dict[str, str]:
    """Return the kind of each element that the plan acts on, where the network knows it."""
    nodes = road.live.graph.nodes
    return {step.target: str(nodes[step.target]["kind"]) for step in proposal.plan.steps if step.target in nodes}


def band_of_plan(rehearsal: Rehearsal) -> Band:
    """Return the worst band that any step of a plan may leave the network in, compared with doing nothing."""
    states, anyway = (*rehearsal.steps, rehearsal.plan.expected), rehearsal.nothing.expected
    customers = [len(set(state.customers_hit) - set(anyway.customers_hit)) for state in states]
    cells = [len(set(state.cells_down) - set(anyway.cells_down)) for state in states]
    return band_of(max(customers), max(cells))


def grounds_of(proposal: Proposal, rehearsal: Rehearsal, kinds: Mapping[str, str]) -> tuple[Ground, ...]:
    """Return the grounds that a plan of an agent counts on, each once; none where autonomy cannot be earned."""
    if not proposal.requester.startswith("agent:"):
        return ()
    band = band_of_plan(rehearsal)
    grounds = (
        Ground(
            agent=proposal.requester,
            action=step.kind,
            domain=domain_of(kinds.get(step.target) or KINDS[step.kind]),
            band=band,
        )
        for step in proposal.plan.steps
    )
    return tuple(dict.fromkeys(ground for ground in grounds if ground.domain in EARNS))
