"""The graph cut down to what attribution can afford: a few causes, a few symptoms, what lies between, without loops.

An edge between two kept elements stands for every path of the whole graph between them that meets no other kept
element, so nothing that flows through a dropped one is lost.
"""

from collections.abc import Container, Mapping, Sequence

import networkx as nx

from causal.topology import Topology

_HOPS = 8


def cut(
    topology: Topology, causes: Sequence[str], symptoms: Sequence[str], known: Container[str], most: int = 8
) -> nx.DiGraph:
    """Return an acyclic graph of at most `most` elements that holds the causes and the symptoms they can reach.

    Args:
        topology: the whole cause→effect graph.
        causes: likeliest first; loops are cut so that edges run away from the first.
        symptoms: most telling first; those that no cause reaches are left out.
        known: elements with a series of their own; the others are left out and bridged.
        most: how many elements the result may have.

    Returns:
        Edges carry `strength`: 1 where the effect needs the cause, 0.5 where it could do without (k of n).
    """
    roots = [cause for cause in causes if cause in known]
    paths = {cause: topology.paths_from(cause, _HOPS) for cause in roots}
    reached = [symptom for symptom in symptoms if any(symptom in found for found in paths.values())]
    between = [element for symptom in reached for found in paths.values() for element in found.get(symptom, ())]
    wanted = dict.fromkeys([*roots, *reached[: most // 2], *between, *reached])
    kept = [element for element in wanted if element in known][:most]
    return _wired(topology, kept, _depth(paths, roots))


def _depth(paths: Mapping[str, Mapping[str, tuple[str, ...]]], causes: Sequence[str]) -> dict[str, int]:
    """Return how far each element is from the first cause that reaches it; later causes start one level higher."""
    depth: dict[str, int] = {}
    for rank, cause in enumerate(causes):
        for element, path in paths[cause].items():
            depth.setdefault(element, len(path) - (rank > 0))
    return depth


def _wired(topology: Topology, kept: Sequence[str], depth: Mapping[str, int]) -> nx.DiGraph:
    graph = nx.DiGraph()
    graph.add_nodes_from(kept)
    order = {element: (depth.get(element, 0), place) for place, element in enumerate(kept)}
    for element in kept:
        for effect, strength in _next_kept(topology, element, frozenset(kept)).items():
            if order[element] < order[effect]:
                graph.add_edge(element, effect, strength=strength)
    return graph


def _next_kept(topology: Topology, start: str, kept: frozenset[str]) -> dict[str, float]:
    """Return the kept elements that trouble in `start` reaches without passing another one, and how strongly."""
    found: dict[str, float] = {}
    strengths = {start: 1.0}
    edge = [start]
    for hop in range(_HOPS):
        ahead: list[str] = []
        for here in edge:
            for effect in topology.onward(here, first=hop == 0):
                strength = strengths[here] * (0.5 if topology.redundant(here, effect) else 1.0)
                if strength <= strengths.get(effect, 0.0):
                    continue
                strengths[effect] = strength
                if effect in kept:
                    found[effect] = strength
                elif not topology.ends_at(here, effect):
                    ahead.append(effect)
        edge = ahead
    return found
