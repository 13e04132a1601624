"""Laws of the twin, on random networks: against enumeration, of conservation, of sameness."""

import random
from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.changes import (
    Change,
    ScaleDemand,
    SetAdministrative,
    SetCapacity,
    SetLoss,
    SetMetric,
    SetOperational,
    SetVia,
)
from domain.network import Administrative, Inventory, Operational
from tests.twin.small_networks import network
from twin.evaluate import evaluate, predict
from twin.generator import operator_network
from twin.inventory import dump, parse
from twin.snapshot import Snapshot

LAW = settings(max_examples=80, deadline=None)


class Question(NamedTuple):
    inventory: Inventory
    changes: tuple[Change, ...]


@st.composite
def questions(draw: st.DrawFn) -> Question:
    """A random network of up to 7 routers with up to 14 links, and an overlay on it."""
    names = [f"n{number}" for number in range(draw(st.integers(2, 7)))]
    pair = st.tuples(st.sampled_from(names), st.sampled_from(names)).filter(lambda ends: ends[0] != ends[1])
    edge = st.tuples(pair, st.integers(1, 3), st.sampled_from([10.0, 50.0, 200.0]))
    edges = [(a, b, metric, capacity) for (a, b), metric, capacity in draw(st.lists(edge, min_size=1, max_size=14))]
    flow = st.tuples(pair, st.sampled_from([0.0, 4.0, 30.0, 80.0]))
    demands = [(a, b, mbps) for (a, b), mbps in draw(st.lists(flow, min_size=1, max_size=6))]
    present = {name for edge in edges for name in edge[:2]}
    inventory = network(edges, [demand for demand in demands if set(demand[:2]) <= present])
    return Question(inventory, tuple(_changes(draw, inventory)))


def _changes(draw: st.DrawFn, inventory: Inventory) -> list[Change]:
    nodes, links = [n.id for n in inventory.nodes], [link.id for link in inventory.links]
    demands = [demand.id for demand in inventory.demands]
    down, locked, lowered, lossy = (
        draw(st.sets(st.sampled_from(part), max_size=2)) for part in (nodes, links, links, links)
    )
    changes: list[Change] = [SetOperational(element=name, state=Operational.DISABLED) for name in sorted(down)[:1]]
    changes += [SetAdministrative(element=f"{name}.a", state=Administrative.LOCKED) for name in sorted(locked)]
    changes += [SetMetric(link=name, metric=draw(st.integers(1, 4))) for name in sorted(lowered)]
    changes += [SetLoss(link=name, share=draw(st.sampled_from([0.0, 0.1, 1.0]))) for name in sorted(lossy)]
    changes += [SetCapacity(link=name, share=0.5) for name in sorted(lossy)]
    for demand in demands:
        if draw(st.booleans()):
            via, share = draw(st.sampled_from([None, *nodes])), draw(st.sampled_from([1.0, 0.5, 0.07]))
            changes.append(SetVia(demand=demand, via=via, share=1.0 if via is None else share))
        if draw(st.booleans()):
            changes.append(ScaleDemand(demand=demand, factor=draw(st.sampled_from([0.0, 0.5, 3.0]))))
    return changes


def _ways(snapshot: Snapshot, up: set[str]) -> list[tuple[str, list[tuple[list[tuple[str, str]], Fraction]], Fraction]]:
    """Per demand: its id, its ways (legs and the share that goes there) and its Mbit/s.

    A policy with a waypoint that is down or an end is idle; of another one the text says the share behind an `@`.
    """
    found = []
    for demand in snapshot.inventory.demands:
        via, _, part = str(snapshot.value(demand.id, "via")).partition("@")
        share = Fraction(float(part or 1.0))
        bent = bool(via) and via in up and via not in {demand.source, demand.destination}
        direct = [(demand.source, demand.destination)]
        ways = [(list(pairwise([demand.source, via, demand.destination])), share)] if bent else [(direct, Fraction(1))]
        ways += [(direct, 1 - share)] if bent and share < 1 else []
        found.append((demand.id, ways, Fraction(float(snapshot.value(demand.id, "mbps") or 0))))
    return found


def _shares(graph: "nx.MultiDiGraph[str]", begin: str, end: str) -> dict[tuple[str, str], Fraction]:
    """Share per (link, tail) of what goes from one node to another, by recursion over shortest distances."""
    if begin not in graph or end not in graph or not nx.has_path(graph, begin, end):
        return {}
    distance = nx.single_source_dijkstra_path_length(graph.reverse(), end)
    shares: dict[tuple[str, str], Fraction] = defaultdict(Fraction)

    def send(node: str, share: Fraction) -> None:
        hops = [
            (n, key)
            for _, n, key, w in graph.out_edges(node, keys=True, data="weight")
            if distance.get(n, 1e9) + w == distance[node]
        ]
        for onward, link in hops if node != end else ():
            shares[link, node] += share / len(hops)
            send(onward, share / len(hops))

    send(begin, Fraction(1))
    return shares


def _graph(snapshot: Snapshot, up: Sequence[bool]) -> "nx.MultiDiGraph[str]":
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    ends = {point.id: point.node for point in snapshot.inventory.termination_points}
    for link, works in zip(sorted(snapshot.inventory.links, key=lambda entry: entry.id), up, strict=True):
        if works:
            a, b, metric = ends[link.source], ends[link.destination], snapshot.value(link.id, "metric")
            graph.add_edge(a, b, key=link.id, weight=metric)
            graph.add_edge(b, a, key=link.id, weight=metric)
    return graph


@LAW
@given(questions())
def test_loads_equal_enumeration(question: Question) -> None:
    snapshot = Snapshot.of(question.inventory).with_changes(question.changes)
    predicted = predict(snapshot)
    topology = predicted.topology
    graph = _graph(snapshot, [predicted.available(link) for link in topology.links])
    up = {node for node in topology.nodes if predicted.available(node)}
    wanted: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
    for _, ways, mbps in _ways(snapshot, up):
        for leg, part in ((leg, part) for legs, part in ways for leg in legs):
            for where, share in _shares(graph, *leg).items():
                wanted[where] += share * part * mbps
    ends = {point.id: point.node for point in question.inventory.termination_points}
    for link in question.inventory.links:
        arc = 2 * topology.link_at[link.id]
        expected = [float(wanted[link.id, ends[end]]) for end in (link.source, link.destination)]
        assert predicted.arc_load[arc : arc + 2].tolist() == pytest.approx(expected, abs=1e-9)


@LAW
@given(questions())
def test_what_flows_in_flows_out_and_what_does_not_arrive_is_lost(question: Question) -> None:
    predicted = evaluate(Snapshot.of(question.inventory), question.changes)
    topology, routing = predicted.topology, predicted.routing
    for row, goal in enumerate(routing.goals):
        balance = np.zeros(len(topology.routers))
        np.add.at(balance, topology.head, routing.load[row])
        np.subtract.at(balance, topology.tail, routing.load[row])
        inner = np.delete(balance, goal)
        assert (inner <= 1e-9).all()  # no node but the goal swallows anything
        assert balance.sum() == pytest.approx(0.0, abs=1e-9)
    arrived = predicted.demand_mbps @ (1 - predicted.demand_loss)
    assert arrived + predicted.lost_mbps == pytest.approx(predicted.demand_mbps.sum())
    assert ((predicted.demand_loss >= -1e-12) & (predicted.demand_loss <= 1)).all()


@LAW
@given(questions())
def test_sharing_untouched_paths_changes_no_bit(question: Question) -> None:
    snapshot = Snapshot.of(question.inventory)
    shared = evaluate(snapshot, question.changes)
    alone = predict(Snapshot.of(question.inventory).with_changes(question.changes))
    assert np.array_equal(shared.arc_load, alone.arc_load)
    assert np.array_equal(shared.demand_loss, alone.demand_loss)
    assert np.array_equal(shared.routing.carries, alone.routing.carries)


@LAW
@given(questions())
def test_evaluating_alters_nothing(question: Question) -> None:
    snapshot = Snapshot.of(question.inventory)
    before = (snapshot.body(), evaluate(snapshot).arc_load.tobytes(), evaluate(snapshot).works.tobytes())
    evaluate(snapshot, question.changes)
    after = (snapshot.body(), evaluate(snapshot).arc_load.tobytes(), evaluate(snapshot).works.tobytes())
    assert after == before


@LAW
@given(questions(), st.randoms(use_true_random=False))
def test_the_order_in_which_parts_are_listed_changes_nothing(question: Question, dice: random.Random) -> None:
    parts = ("nodes", "termination_points", "links", "demands")
    mixed = {
        part: tuple(dice.sample(getattr(question.inventory, part), len(getattr(question.inventory, part))))
        for part in parts
    }
    ones, others = Snapshot.of(question.inventory), Snapshot.of(question.inventory.but(**mixed))
    changes = dice.sample(question.changes, len(question.changes))
    assert others.with_changes(changes).digest == ones.with_changes(question.changes).digest
    assert evaluate(others, changes).impact() == evaluate(ones, question.changes).impact()


@LAW
@given(questions())
def test_a_snapshot_survives_being_stored(question: Question) -> None:
    snapshot = Snapshot.of(question.inventory).with_changes(question.changes)
    restored = Snapshot.load(snapshot.body(), question.inventory)
    assert restored == snapshot
    assert restored.body() == snapshot.body()


@LAW
@given(questions())
def test_breaking_more_mends_nothing(question: Question) -> None:
    snapshot = Snapshot.of(question.inventory)
    element = question.inventory.nodes[0].id
    some = snapshot.with_changes(question.changes)
    broken = some.with_changes([SetOperational(element=element, state=Operational.DISABLED)])
    assert not (predict(broken).works & ~predict(some).works).any()


@LAW
@given(questions())
def test_a_document_is_read_back_as_it_was_written(question: Question) -> None:
    once = parse(dump(question.inventory))
    assert parse(dump(once)) == once
    assert Snapshot.of(once).digest == Snapshot.of(question.inventory).digest


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.integers(40, 300))
def test_every_grown_network_is_sound_and_comes_back_from_its_document(seed: int, elements: int) -> None:
    inventory = operator_network(seed, elements)
    assert parse(dump(inventory)) == inventory
    assert abs(len(inventory.nodes) + len(inventory.links) - elements) <= 0.05 * elements
    assert evaluate(Snapshot.of(inventory)).lost_mbps == 0.0
