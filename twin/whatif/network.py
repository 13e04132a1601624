"""A network as plain arrays: what a what-if needs to know of it, whether it comes from a snapshot or from files.

Arc `2k` of link `k` leads from its first end to its second, arc `2k + 1` back.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from domain.errors import BadInput
from twin.evaluate import evaluate
from twin.snapshot import Snapshot

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: Longer paths than this are not told from none.
_LONGEST = 2**30


@dataclass(frozen=True, eq=False)
class Network:
    """See the module. The arrays must not be written.

    A demand of which a policy takes only a share is two demands here: what goes through the waypoint, and the rest.

    Attributes:
        nodes: names of the routing nodes.
        links: names.
        tail: per arc, a place in `nodes`.
        head: per arc.
        metric: per arc, at least 1.
        capacity: per arc, Mbit/s.
        usable: per link.
        source: per demand, a place in `nodes`.
        destination: per demand.
        via: per demand, its waypoint, or -1.
        mbps: per demand, Mbit/s.
        groups: shared-risk groups: the links (places) that fail together.
    """

    nodes: tuple[str, ...]
    links: tuple[str, ...]
    tail: Ints
    head: Ints
    metric: Ints
    capacity: Floats
    usable: Flags
    source: Ints
    destination: Ints
    via: Ints
    mbps: Floats
    groups: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @cached_property
    def link_at(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.links)}

    @cached_property
    def node_at(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.nodes)}

    @cached_property
    def legs(self) -> tuple[Ints, Ints, Floats, Ints]:
        """From, to, Mbit/s and demand of every leg with traffic: a demand with a waypoint has two."""
        bent = self.via >= 0
        places = np.arange(len(self.mbps), dtype=np.int32)
        begins = np.concatenate([self.source, self.via[bent]])
        ends = np.concatenate([np.where(bent, self.via, self.destination), self.destination[bent]])
        mbps = np.concatenate([self.mbps, self.mbps[bent]])
        demand = np.concatenate([places, places[bent]])
        kept = (mbps > 0) & (begins != ends)
        return begins[kept].astype(np.int32), ends[kept].astype(np.int32), mbps[kept], demand[kept]

    @property
    def live(self) -> Flags:
        """Per link, whether it can carry anything: usable, and between two nodes."""
        return np.asarray(self.usable & (self.tail[::2] != self.head[::2]))

    def without(self, links: Iterable[int], nodes: Iterable[int] = ()) -> "Network":
        """Return this network with links (places) out of service; waypoints among `nodes` are in force no more."""
        usable = self.usable.copy()
        usable[list(links)] = False
        via = np.where(np.isin(self.via, list(nodes)), -1, self.via).astype(np.int32)
        return replace(self, usable=usable, via=via)


def checked(network: Network) -> Network:
    """Return the network. Raises BadInput: a number in it is none, or out of its bounds."""
    for values, names, what, least in (
        (network.capacity[::2], network.links, "capacity", "more than 0 Mbit/s"),
        (network.capacity[1::2], network.links, "capacity", "more than 0 Mbit/s"),
        (network.metric[::2], network.links, "metric", "1 or more"),
        (network.metric[1::2], network.links, "metric", "1 or more"),
    ):
        bad = np.flatnonzero(~(np.isfinite(values) & (values > 0)))
        if len(bad):
            raise BadInput(f"link `{names[bad[0]]}` has {what} {values[bad[0]]}; give it {least}")
    bad = np.flatnonzero(~(np.isfinite(network.mbps) & (network.mbps >= 0)))
    if len(bad):
        raise BadInput(f"demand {bad[0]} asks for {network.mbps[bad[0]]} Mbit/s; give it 0 or more")
    if len(network.nodes) * float(network.metric.max(initial=1)) >= _LONGEST:
        raise BadInput(f"a path could be longer than {_LONGEST}; divide all metrics by the same number")
    return network


def network_of(snapshot: Snapshot) -> Network:
    """Return what a snapshot says of routing: what is down at present is not usable, idle waypoints are left out.

    Raises:
        BadInput: see `checked`.
    """
    topology, state = snapshot.topology, evaluate(snapshot)
    ask = state.routing.ask
    groups = defaultdict(list)
    for link in snapshot.inventory.links:
        for group in link.srlgs:
            groups[group].append(topology.link_at[link.id])
    rest = ask.split
    return checked(
        Network(
            nodes=tuple(topology.nodes[place] for place in topology.routers),
            links=topology.links,
            tail=topology.tail,
            head=topology.head,
            metric=ask.metric.astype(np.int32),
            capacity=np.asarray(state.capacity, np.float64),
            usable=np.ascontiguousarray(ask.usable[::2]),
            source=np.concatenate([topology.source, topology.source[rest]]),
            destination=np.concatenate([topology.destination, topology.destination[rest]]),
            via=np.concatenate([ask.via, np.full(len(rest), -1, np.int32)]),
            mbps=np.concatenate([ask.mbps * ask.share, ask.mbps[rest] * (1.0 - ask.share[rest])]),
            groups={name: tuple(sorted(groups[name])) for name in sorted(groups)},
        )
    )
