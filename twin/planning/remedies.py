"""What can be built for a link that will be too full: a larger one, a second one beside it, or one around a hop.

Sizes come from the ladder of bundles (`twin.dimensioning.LADDER`): the smallest that carries the load to relieve within
the threshold. Costs are those of `domain.capacity.Prices`.
"""

from collections.abc import Iterator

import numpy as np

from domain.capacity import Prices, Remedy, RemedyKind
from domain.changes import SetCapacity, SetVia
from domain.network import Link, TerminationPoint
from twin.dimensioning import LADDER
from twin.evaluate import Prediction
from twin.growth import MS_PER_KM
from twin.snapshot import Snapshot
from twin.topology import Floats, Topology

NOTHING = Remedy(kind=RemedyKind.NOTHING, target="", title="Do nothing", cost=0.0)
_LARGEST_SHARE = 10.0


def buildable(snapshot: Snapshot, link: str, needed_mbps: float, state: Prediction, prices: Prices) -> list[Remedy]:
    """Return what can be built to relieve a link.

    Args:
        snapshot: the network.
        link: the link to relieve.
        needed_mbps: the capacity that would carry its load within the threshold.
        state: a prediction under the load to relieve; it says which way the traffic comes.
        prices: what things cost.
    """
    entry = _link(snapshot, link)
    now = float(snapshot.value(link, "capacity") or entry.capacity_mbps)
    wanted = max(needed_mbps, now * (1 + 1e-9))
    return [
        *_larger(entry, now, wanted, prices),
        _parallel(snapshot, entry, now, wanted, prices),
        *_express(snapshot, entry, wanted, state, prices),
    ]


def steering(moves: tuple[SetVia, ...], target: str, prices: Prices) -> Remedy:
    """Return the remedy that sends some demands another way; each is an SR policy that has to be kept."""
    title = f"Steer {len(moves)} demand{'s' * (len(moves) != 1)} another way"
    return Remedy(
        kind=RemedyKind.STEER_TRAFFIC, target=target, title=title, cost=prices.policy * len(moves), changes=moves
    )


def built(snapshot: Snapshot, remedy: Remedy) -> Snapshot:
    """Return the network with a remedy in it. Raises BadInput when it does not fit the network."""
    inventory, base = snapshot.inventory, snapshot
    if remedy.links:
        grown = inventory.but(
            links=(*inventory.links, *remedy.links),
            termination_points=(*inventory.termination_points, *remedy.points),
        )
        base = Snapshot(Topology.of(grown), snapshot.state)
    return base.with_changes(remedy.changes)


def _larger(link: Link, now: float, wanted: float, prices: Prices) -> Iterator[Remedy]:
    """Yield upgrades of the link itself: a size that is enough, and the next; none where sizes go no higher."""
    most = _LARGEST_SHARE * link.capacity_mbps
    enough = min(_rung(wanted), most)
    for size in dict.fromkeys((enough, min(_rung(enough * 1.01), most))):
        if size > now:
            yield Remedy(
                kind=RemedyKind.UPGRADE_LINK,
                target=link.id,
                title=f"Upgrade to {_size(size)}",
                cost=prices.upgrade_fixed + prices.upgrade_per_gbps * (size - now) / 1000,
                changes=(SetCapacity(link=link.id, share=size / link.capacity_mbps),),
            )


def _parallel(snapshot: Snapshot, link: Link, now: float, wanted: float, prices: Prices) -> Remedy:
    """Return a second link beside the first: with equal metrics each carries half, so it is as large at least."""
    size = max(now, _rung(wanted / 2))
    metric = int(snapshot.value(link.id, "metric") or link.metric)
    beside, points = _joined(snapshot, link, link.source, link.destination, "parallel")
    return Remedy(
        kind=RemedyKind.PARALLEL_LINK,
        target=link.id,
        title=f"Add a parallel link of {_size(size)}",
        cost=prices.parallel_fixed + prices.new_per_gbps * size / 1000,
        links=(beside.but(capacity_mbps=size, metric=metric, delay_ms=link.delay_ms, srlgs=link.srlgs),),
        points=points,
    )


def _express(snapshot: Snapshot, link: Link, wanted: float, state: Prediction, prices: Prices) -> Iterator[Remedy]:
    """Yield a link around the end by which most traffic comes to this one, or leaves it; none at a leaf."""
    topology, load = snapshot.topology, state.arc_load
    arc = 2 * topology.link_at[link.id]
    arc += int(load[arc + 1] > load[arc])
    best = _feeder(topology, arc, load)
    if best is None:
        return
    comes = topology.head[best] == topology.tail[arc]
    ends = topology.link_ends.ravel()
    far, onto = (ends[best], ends[arc ^ 1]) if comes else (ends[arc], ends[best ^ 1])
    around, points = _joined(snapshot, link, topology.points[far], topology.points[onto], "express")
    delay = link.delay_ms + _link(snapshot, topology.links[best // 2]).delay_ms
    size = _rung(wanted * float(min(load[best], load[arc]) / load[arc]))
    metric = int(topology.metric[best]) + int(topology.metric[arc]) - 1
    yield Remedy(
        kind=RemedyKind.EXPRESS_LINK,
        target=link.id,
        title=f"Add a direct link of {_size(size)} around one hop",
        cost=prices.express_fixed + prices.new_per_gbps * size / 1000 + prices.express_per_km * delay / MS_PER_KM,
        links=(around.but(capacity_mbps=size, metric=min(max(metric, 1), 65535), delay_ms=delay),),
        points=points,
    )


def _feeder(topology: Topology, arc: int, load: Floats) -> int | None:
    """Return the arc next to this one, before or after it, that carries most of the same traffic at best."""
    begin, end = topology.tail[arc], topology.head[arc]
    before = (topology.head == begin) & (topology.tail != end)
    after = (topology.tail == end) & (topology.head != begin)
    near = np.flatnonzero((before | after) & (load > 0))
    near = near[near // 2 != arc // 2]
    if not len(near) or load[arc] <= 0:
        return None
    return int(near[np.argmax(np.minimum(load[near], load[arc]))])


def _joined(
    snapshot: Snapshot, link: Link, begin: str, end: str, what: str
) -> tuple[Link, tuple[TerminationPoint, ...]]:
    """Return a link between the nodes of two termination points, with ends of its own and a name not yet taken."""
    topology = snapshot.topology
    name = f"{link.id}+{what}"
    while name in topology.link_at:
        name += "+"
    nodes = [topology.nodes[topology.point_node[topology.point_at[point]]] for point in (begin, end)]
    points = tuple(
        TerminationPoint(id=f"{name}.{side}", node=node, name=f"{what}-{side}")
        for side, node in zip("ab", nodes, strict=True)
    )
    return link.but(id=name, source=points[0].id, destination=points[1].id, srlgs=()), points


def _link(snapshot: Snapshot, name: str) -> Link:
    return next(link for link in snapshot.inventory.links if link.id == name)


def _rung(mbps: float) -> float:
    """Return the smallest bundle that has at least this capacity; the largest where none has."""
    return float(LADDER[min(int(np.searchsorted(LADDER, mbps * (1 - 1e-9))), len(LADDER) - 1)])


def _size(mbps: float) -> str:
    return f"{mbps / 1000:g} Gbit/s"
