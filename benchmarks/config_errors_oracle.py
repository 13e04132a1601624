"""Link loads after every single failure, worked out with networkx: it tells harmful metrics from harmless ones."""

from collections import defaultdict
from collections.abc import Mapping

import networkx as nx

from benchmarks.config_errors_text import World


def worst(world: World, metric: Mapping[str, int], down: frozenset[str] = frozenset()) -> float:
    """Return the highest utilisation of any link in the normal state and after each single failure.

    One link fails, or all that share a risk.

    Args:
        world: the network and its demands; each link has its capacity in each direction.
        metric: of links, where it is not the declared one.
        down: links that are taken out in any case.
    """
    failures = {frozenset[str](), *(frozenset({link}) for link in world.links), *_shared(world)}
    return max(_busiest(world, metric, down | failed) for failed in failures)


def _shared(world: World) -> set[frozenset[str]]:
    """Return the links of each shared risk."""
    found: dict[str, set[str]] = defaultdict(set)
    for link in world.inventory.links:
        for risk in link.srlgs:
            found[risk].add(link.id)
    return {frozenset(links) for links in found.values()}


def _busiest(world: World, metric: Mapping[str, int], down: frozenset[str]) -> float:
    capacity = {link.id: link.capacity_mbps for link in world.inventory.links}
    declared = {link.id: link.metric for link in world.inventory.links}
    up = {name: ends for name, ends in world.links.items() if name not in down}
    graph = nx.DiGraph()
    graph.add_nodes_from(world.graph.nodes)
    hops: dict[str, list[tuple[str, str, int]]] = defaultdict(list)
    for name, (a, b) in up.items():
        cost = metric.get(name, declared[name])
        for here, there in ((a.router, b.router), (b.router, a.router)):
            hops[here].append((there, name, cost))
            known = graph.get_edge_data(here, there, {"cost": cost})["cost"]
            graph.add_edge(here, there, cost=min(cost, known))
    load: dict[tuple[str, str], float] = defaultdict(float)
    for goal in {demand.destination for demand in world.inventory.demands}:
        _send(world, goal, nx.single_source_dijkstra_path_length(graph, goal, weight="cost"), hops, load)
    return max((mbps / capacity[name] for (name, _), mbps in load.items()), default=0.0)


def _send(
    world: World,
    goal: str,
    distance: Mapping[str, float],
    hops: Mapping[str, list[tuple[str, str, int]]],
    load: dict[tuple[str, str], float],
) -> None:
    """Send all traffic to one router, split equally among equal ways, the farthest first."""
    waiting: dict[str, float] = defaultdict(float)
    for demand in world.inventory.demands:
        if demand.destination == goal:
            waiting[demand.source] += demand.mbps
    for here in sorted(distance, key=lambda name: -distance[name]):
        if here == goal or not waiting[here]:
            continue
        best = [hop for hop in hops[here] if hop[0] in distance and distance[hop[0]] + hop[2] == distance[here]]
        for there, name, _ in best:
            load[name, here] += waiting[here] / len(best)
            waiting[there] += waiting[here] / len(best)
