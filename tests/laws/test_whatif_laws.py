"""Laws of the what-if kernel: whatever fails, the short way says what the long ways say."""

from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from domain.changes import SetOperational, SetVia
from domain.network import Operational
from tests.twin.small_networks import network as small
from twin.evaluate import Prediction, evaluate
from twin.routing import delivery
from twin.snapshot import Snapshot
from twin.whatif.base import Base, prepare
from twin.whatif.naive import recompute
from twin.whatif.network import Floats, Network, network_of
from twin.whatif.scenarios import Scenario, each_failing, link_pairs, named, single_links, single_nodes
from twin.whatif.sweep import before_convergence, sweep, what_if

LAW = settings(max_examples=25, deadline=None)
#: Of the largest load: float64 sums in another order.
NEAR = 1e-9


class Question(NamedTuple):
    network: Network
    scenarios: list[Scenario]


def _network(
    ends: list[tuple[int, int]], metrics: list[int], demands: list[tuple[int, int, int | None, float]]
) -> Network:
    count = 1 + max(max(pair) for pair in ends)
    tail = np.array(ends, np.int32)
    kept = [
        demand for demand in demands if max(demand[0], demand[1], demand[2] or 0) < count and demand[0] != demand[1]
    ]
    via = [-1 if v is None or v in (a, b) else v for a, b, v, _ in kept]
    return Network(
        nodes=tuple(f"n{node}" for node in range(count)),
        links=tuple(f"l{link}" for link in range(len(ends))),
        tail=tail.ravel(),
        head=np.ascontiguousarray(tail[:, ::-1]).ravel(),
        metric=np.array(metrics, np.int32),
        capacity=np.full(2 * len(ends), 50.0),
        usable=np.ones(len(ends), np.bool_),
        source=np.array([demand[0] for demand in kept], np.int32),
        destination=np.array([demand[1] for demand in kept], np.int32),
        via=np.array(via, np.int32),
        mbps=np.array([demand[3] for demand in kept], np.float64),
    )


@st.composite
def ringed(draw: st.DrawFn) -> Question:
    """A small core with parallel links and ties; chains and dead ends hang from it; some links fail together."""
    core = draw(st.integers(2, 5))
    node = st.integers(0, core - 1)
    ends = [pair for pair in draw(st.lists(st.tuples(node, node), min_size=1, max_size=9)) if pair[0] != pair[1]]
    ends = ends or [(0, 1)]
    count = core
    for length, closed in draw(st.lists(st.tuples(st.integers(1, 4), st.booleans()), max_size=4)):
        inside = list(range(count, count + length))
        run = [draw(node), *inside, *([draw(node)] if closed else [])]
        ends += list(pairwise(run))
        count += length
    metric = st.integers(1, draw(st.sampled_from([1, 3])))
    uneven = draw(st.booleans())
    metrics = [draw(metric) for _ in range(2 * len(ends) if uneven else len(ends))]
    anywhere, hub = st.integers(0, count - 1), st.just(0) | node
    pair = st.tuples(anywhere, hub) | st.tuples(hub, anywhere) | st.tuples(anywhere, anywhere)
    flow = st.tuples(pair, st.none() | st.none() | anywhere, st.sampled_from([0.0, 1.0, 7.0, 30.0]))
    demands = [(a, b, via, mbps) for (a, b), via, mbps in draw(st.lists(flow, min_size=1, max_size=12))]
    network = _network(ends, metrics if uneven else [m for m in metrics for _ in range(2)], demands)
    down = st.sets(st.integers(0, len(ends) - 1), min_size=1, max_size=4)
    together = [Scenario("set", tuple(sorted(links))) for links in draw(st.lists(down, max_size=4))]
    return Question(network, [*single_links(network), *together, *single_nodes(network)])


def _agree(base: Base, scenario: Scenario) -> None:
    load, lost = recompute(base.network.without(scenario.links, scenario.nodes))
    answer = what_if(base, scenario)
    scale = max(1.0, float(load.max(initial=0.0)))
    assert np.abs(answer.load - load).max() <= NEAR * scale
    assert answer.lost_mbps == pytest.approx(lost, abs=NEAR * scale)


@LAW
@given(ringed())
def test_a_repaired_state_equals_full_recomputation(question: Question) -> None:
    for base in (prepare(question.network), prepare(question.network, chains=False)):
        before = base.load.copy()
        for scenario in question.scenarios:
            _agree(base, scenario)
        assert np.array_equal(base.load, before)


@LAW
@given(ringed())
def test_a_sweep_sums_up_what_single_questions_answer(question: Question) -> None:
    base = prepare(question.network)
    told: list[tuple[int, int]] = []
    result = sweep(base, question.scenarios, fast_reroute=True, progress=lambda done, of: told.append((done, of)))
    assert told[-1] == (len(question.scenarios), len(question.scenarios))
    assert result.fast_reroute is not None
    for at, scenario in enumerate(question.scenarios):
        answers = (what_if(base, scenario), before_convergence(base, scenario))
        for outcomes, (load, lost) in zip(
            (result.converged, result.fast_reroute), ((each.load, each.lost_mbps) for each in answers), strict=True
        ):
            used = load / question.network.capacity
            assert outcomes.max_utilisation[at] == pytest.approx(used.max(initial=0.0), abs=1e-9)
            assert outcomes.lost_mbps[at] == pytest.approx(lost, abs=1e-9)
            assert outcomes.over[at].tolist() == np.flatnonzero(used > 1 + 1e-6).tolist()


@LAW
@given(ringed())
def test_what_enters_a_network_is_delivered_or_counted_as_lost(question: Question) -> None:
    """Flow is conserved at every node: what comes in or begins there goes on or ends there."""
    network = replace(question.network, via=np.full_like(question.network.via, -1))
    base = prepare(network)
    for scenario in question.scenarios:
        answer = what_if(base, scenario)
        net = np.bincount(network.head, answer.load, len(network.nodes))
        net -= np.bincount(network.tail, answer.load, len(network.nodes))
        arrives = np.bincount(network.destination, network.mbps, len(network.nodes))
        begins = np.bincount(network.source, network.mbps, len(network.nodes))
        kept = network.mbps.sum() - answer.lost_mbps
        assert np.abs(net).sum() <= 2 * kept + 1e-6
        assert kept >= -1e-9
        if answer.lost_mbps == 0:
            assert np.abs(net - (arrives - begins)).max() <= 1e-6


@LAW
@given(ringed())
def test_before_convergence_a_bypass_carries_the_load_of_one_link_from_end_to_end(question: Question) -> None:
    """Per node, what leaves less what arrives is as before: nobody but the link's two routers has noticed."""
    network = replace(question.network, via=np.full_like(question.network.via, -1))
    base = prepare(network)

    def surplus(load: Floats) -> Floats:
        nodes = len(network.nodes)
        return np.asarray(np.bincount(network.tail, load, nodes) - np.bincount(network.head, load, nodes))

    for scenario in single_links(network):
        (link,) = scenario.links
        answer = before_convergence(base, scenario)
        both = base.load[2 * link : 2 * link + 2]
        bridge = answer.lost_mbps - base.lost_mbps > 1e-9 or not both.any()
        assert answer.lost_mbps - base.lost_mbps == pytest.approx(both.sum() if bridge else 0.0)
        assert not answer.load[2 * link : 2 * link + 2].any()
        if not bridge:
            assert surplus(answer.load) == pytest.approx(surplus(base.load), abs=1e-7)


@st.composite
def declared(draw: st.DrawFn) -> Snapshot:
    names = [f"n{number}" for number in range(draw(st.integers(2, 6)))]
    pair = st.tuples(st.sampled_from(names), st.sampled_from(names)).filter(lambda ends: ends[0] != ends[1])
    edges = [
        (a, b, m, 50.0) for (a, b), m in draw(st.lists(st.tuples(pair, st.integers(1, 2)), min_size=1, max_size=9))
    ]
    present = {name for edge in edges for name in edge[:2]}
    flows = draw(st.lists(st.tuples(pair, st.sampled_from([3.0, 40.0])), min_size=1, max_size=6))
    inventory = small(edges, [(a, b, mbps) for (a, b), mbps in flows if {a, b} <= present])
    vias = [draw(st.none() | st.sampled_from(sorted(present))) for _ in inventory.demands]
    share = st.sampled_from([1.0, 0.6, 0.25])
    bent = [
        SetVia(demand=demand.id, via=via, share=1.0 if via is None else draw(share))
        for demand, via in zip(inventory.demands, vias, strict=True)
    ]
    return Snapshot.of(inventory).with_changes(bent)


@LAW
@given(declared())
@example(Snapshot.of(small([("n0", "n1", 1, 50.0)], [("n0", "n1", 40.0)])))
def test_a_what_if_equals_evaluate_for_links_and_for_nodes(snapshot: Snapshot) -> None:
    network = network_of(snapshot)
    base = prepare(network)
    elements = [*network.links, *network.nodes]
    for element, scenario in zip(elements, each_failing(snapshot, network, elements), strict=True):
        after = evaluate(snapshot, [SetOperational(element=element, state=Operational.DISABLED)])
        answer = what_if(base, scenario)
        assert np.abs(answer.load - after.arc_load).max() <= 1e-7
        gone = after.demand_mbps @ _unreached(after)
        assert answer.lost_mbps == pytest.approx(gone, abs=1e-7)
        assert sorted(scenario.links) == sorted(named(network, element).links)


def _unreached(after: Prediction) -> Floats:
    """Return which share of each demand would not arrive even if no arc lost anything."""
    return 1.0 - delivery(after.topology, after.routing, np.ones(len(after.topology.tail)))


@LAW
@given(ringed())
def test_two_links_that_fail_together_are_a_pair_of_the_sweep(question: Question) -> None:
    pairs = list(link_pairs(question.network))[:20]
    base = prepare(question.network)
    for pair in pairs:
        _agree(base, pair)
