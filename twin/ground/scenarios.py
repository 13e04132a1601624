"""What happens in an episode: a link, a router or a shared risk fails, or the traffic of one place surges.

A scenario is named by four things, and the same four give the same scenario. In each some routers are under planned
work: they carry what the shortest paths bring, but policy lets nobody be steered through them.
"""

import zlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import numpy as np

from domain.changes import Change, ScaleDemand, SetOperational
from domain.network import Operational
from twin.evaluate import Prediction, evaluate
from twin.ground.places import HOURS, NETWORKS, Split, at_hour
from twin.snapshot import Snapshot
from twin.topology import Topology

#: A surging place sends and receives between these factors of what it did.
_SURGE = (1.5, 3.0)
#: Share of the routers that are under planned work.
_PLANNED = 0.1


class Trouble(StrEnum):
    LINK = "link"
    NODE = "node"
    SHARED_RISK = "shared_risk"
    SURGE = "surge"


@dataclass(frozen=True)
class Scenario:
    """See the module. `number` tells apart scenarios of the same network, hour and kind."""

    network: str
    hour: int
    trouble: Trouble
    number: int


@dataclass(frozen=True, eq=False)
class Drawn:
    """A scenario that has happened: what changed, the state that follows, and where policy lets nobody through."""

    scenario: Scenario
    changes: tuple[Change, ...]
    snapshot: Snapshot
    closed: frozenset[str]


def any_of(split: Split, rng: np.random.Generator) -> Scenario:
    """Draw a scenario of a split."""
    names, hours, troubles = NETWORKS[split], HOURS[split], tuple(Trouble)
    return Scenario(
        network=names[int(rng.integers(len(names)))],
        hour=hours[int(rng.integers(len(hours)))],
        trouble=troubles[int(rng.integers(len(troubles)))],
        number=int(rng.integers(1000)),
    )


def drawn(scenario: Scenario) -> Drawn:
    """Return what a scenario comes to. Raises BadInput when there is no such network."""
    kind = tuple(Trouble).index(scenario.trouble)
    seed = [zlib.crc32(scenario.network.encode()), scenario.hour, kind, scenario.number]
    rng = np.random.default_rng(seed)
    calm = at_hour(scenario.network, scenario.hour)
    topology = calm.topology
    count = max(1, round(_PLANNED * len(topology.routers)))
    closed = rng.choice(topology.routers, size=count, replace=False)
    changes = _DRAWS[scenario.trouble](evaluate(calm), rng)
    names = frozenset(topology.nodes[place] for place in closed)
    return Drawn(scenario, changes, calm.with_changes(changes), names)


def _link(state: Prediction, rng: np.random.Generator) -> tuple[Change, ...]:
    """One of the links that carry traffic."""
    busy = np.flatnonzero(state.arc_load.reshape(-1, 2).max(axis=1) > 0)
    return _down(state.topology, [int(rng.choice(busy))])


def _node(state: Prediction, rng: np.random.Generator) -> tuple[Change, ...]:
    """One of the routers through which traffic passes."""
    topology = state.topology
    busy = np.unique(topology.head[state.arc_load > 0])
    node = topology.nodes[topology.routers[int(rng.choice(busy))]]
    return (SetOperational(element=node, state=Operational.DISABLED),)


def _shared_risk(state: Prediction, rng: np.random.Generator) -> tuple[Change, ...]:
    """All links of a declared group of several; where there is none, two links that leave one router together."""
    groups = _groups(state.topology) or _ducts(state.topology)
    return _down(state.topology, groups[int(rng.integers(len(groups)))])


def _surge(state: Prediction, rng: np.random.Generator) -> tuple[Change, ...]:
    """All that one place sends and receives grows."""
    topology = state.topology
    place = int(rng.choice(np.unique(topology.source)))
    factor = float(rng.uniform(*_SURGE))
    hit = np.flatnonzero((topology.source == place) | (topology.destination == place))
    return tuple(ScaleDemand(demand=topology.demands[at], factor=factor) for at in hit)


_DRAWS = {Trouble.LINK: _link, Trouble.NODE: _node, Trouble.SHARED_RISK: _shared_risk, Trouble.SURGE: _surge}


def _down(topology: Topology, links: list[int]) -> tuple[Change, ...]:
    return tuple(SetOperational(element=topology.links[at], state=Operational.DISABLED) for at in links)


def _groups(topology: Topology) -> list[list[int]]:
    members: Mapping[str, list[int]] = defaultdict(list)
    for link in topology.inventory.links:
        for group in link.srlgs:
            members[group].append(topology.link_at[link.id])
    return [sorted(links) for _, links in sorted(members.items()) if len(links) > 1]


def _ducts(topology: Topology) -> list[list[int]]:
    """Return pairs of links at each router with three or more of them, in the order of their numbers."""
    found = []
    for router in range(len(topology.routers)):
        links = sorted({int(arc) // 2 for arc in np.flatnonzero((topology.tail == router) | (topology.head == router))})
        if len(links) > 2:
            found += [[one, other] for one, other in pairwise(links)]
    return found
