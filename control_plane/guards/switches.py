"""Kill switches: whether one is off for a plan. A switch is a row of the store, so every process obeys it at once."""

from collections.abc import Iterable, Mapping

from control_plane.road import Road
from control_plane.tables import Tables
from domain.guards import InFlight, Switch, SwitchKind
from domain.identity import HOUSE, NetworkDomain, domain_of
from domain.proposals import Proposal
from policies.question import KINDS


def switch_id(tenant: str, kind: SwitchKind, name: str) -> str:
    """Return the id of a switch."""
    return f"{tenant}:{kind}:{name}"


def domains_of(road: Road, proposal: Proposal) -> frozenset[NetworkDomain]:
    """Return the domains that a plan acts in."""
    nodes: Mapping[str, Mapping[str, object]] = road.live.graph.nodes
    steps = proposal.plan.steps
    kinds = (str(nodes[s.target]["kind"]) if s.target in nodes else KINDS[s.kind] for s in steps)
    return frozenset(domain_of(kind) for kind in kinds)


def reaches(road: Road, switch: Switch, proposal: Proposal) -> bool:
    """Say whether a proposal lies in the reach of a switch. Those of the house's own tenant hold for every tenant."""
    if switch.tenant not in {proposal.tenant, HOUSE}:
        return False
    match switch.kind:
        case SwitchKind.ALL:
            return True
        case SwitchKind.AGENT:
            return proposal.requester in {switch.name, f"agent:{switch.name}"}
        case SwitchKind.DOMAIN:
            return switch.name in domains_of(road, proposal)


def off_for(road: Road, tables: Tables, proposal: Proposal) -> list[Switch]:
    """Return the switches that are off and reach this proposal."""
    off = tables.switches.find(tenant=(proposal.tenant, HOUSE), off=True)
    return [switch for switch in off if reaches(road, switch, proposal)]


def reasons(switches: Iterable[Switch]) -> list[str]:
    """Return one phrase per switch that is off."""
    return [
        f"{switch.title} is off since {switch.changed_at:%H:%M:%S}, by {switch.by}: {switch.because}"
        for switch in switches
    ]


def bars_step(road: Road, tables: Tables, proposal: Proposal) -> str:
    """Return why no step of this plan may be intended now, or nothing."""
    return "; ".join(reasons(off_for(road, tables, proposal)))


def bars_inverse(road: Road, tables: Tables, proposal: Proposal) -> str:
    """Return why this plan may not be undone now, or nothing: a switch may leave everything to people."""
    left = [switch for switch in off_for(road, tables, proposal) if switch.in_flight is InFlight.HAND_OVER]
    return "; ".join(reasons(left))
