"""The fidelity bench has every figure that it promises, and its truth is a network of its own."""

import numpy as np
import pytest

from benchmarks.fidelity import run
from benchmarks.fidelity_truth import Truth, full_mesh, shown
from domain.changes import SetOperational
from domain.network import Operational
from tests.twin.small_networks import network, square
from twin.evaluate import evaluate
from twin.reference import from_topohub
from twin.snapshot import Snapshot


def test_the_truth_splits_unevenly_over_equal_ways_and_loses_nothing() -> None:
    truth = Truth.drawn(square(), np.random.default_rng(1))
    loads = truth.loads()
    a, d = truth.places.index("a"), truth.places.index("d")
    leaving, entering = truth.mbps.sum(axis=1), truth.mbps.sum(axis=0)
    for place in range(4):
        out, into = loads[truth.tail == place].sum(), loads[truth.head == place].sum()
        assert out - into == pytest.approx(leaving[place] - entering[place])
    assert truth.mbps[a, d] > 0
    upper = loads[(truth.tail == a) & (truth.head == truth.places.index("b"))]
    assert upper != pytest.approx(truth.mbps[a, truth.places.index("b")] + truth.mbps[a, d] / 2, rel=1e-3)


def test_truth_and_twin_agree_where_hashing_is_even_and_the_matrix_known() -> None:
    """The two share no code, so this checks both: with all links, and with each of them down."""
    inventory = from_topohub("topozoo/Abilene")
    drawn = Truth.drawn(inventory, np.random.default_rng(2))
    even = Truth(
        drawn.places, drawn.tail, drawn.head, drawn.metric, drawn.capacity, np.ones_like(drawn.hashing), drawn.mbps
    )
    twin = Snapshot.of(full_mesh(inventory, even.places, even.mbps))
    order = [
        2 * [link.id for link in inventory.links].index(link) + way for link in twin.topology.links for way in (0, 1)
    ]
    assert evaluate(twin).arc_load == pytest.approx(even.loads()[order])
    for number, link in enumerate(inventory.links):
        down = evaluate(twin, [SetOperational(element=link.id, state=Operational.DISABLED)])
        assert down.arc_load == pytest.approx(even.loads(number)[order])


def test_counters_err_and_some_say_nothing() -> None:
    rng = np.random.default_rng(3)
    edges = [(f"n{number}", f"n{number + 1}", 1, 100.0) for number in range(200)]
    seen = shown(Truth.drawn(network(edges), rng), rng, noise=0.02, silent=0.1)
    assert 0.03 < np.isnan(seen.arcs).mean() < 0.2
    exact = Truth.drawn(square(), np.random.default_rng(4))
    assert shown(exact, rng, noise=0.0, silent=0.0).arcs == pytest.approx(exact.loads())


def test_counters_make_the_twin_several_times_better_than_gravity() -> None:
    made = run(True, None, lambda _: None)
    figures, baselines = made["figures"], made["baselines"]
    for table in (figures, *baselines.values()):
        assert {"load_wmape", "worst_link_error", "delay_error"} <= set(table)
    assert figures["load_wmape"] < 0.5 * baselines["gravity"]["load_wmape"]
    assert figures["load_wmape"] < figures["silent"]["load_wmape"] < 0.8 * baselines["gravity"]["silent"]["load_wmape"]
    assert figures["worst_link_error"] < baselines["gravity"]["worst_link_error"]
    assert figures["delay_error"] < 0.5 * baselines["mm1"]["delay_error"]
    assert baselines["exact_matrix"]["matrix_wmape"] == 0.0
