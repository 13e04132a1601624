"""The fidelity bench has every figure that it promises, and its truth is a network of its own."""

import numpy as np
import pytest

from benchmarks.fidelity import run
from benchmarks.fidelity_cascade import Spread, compared, neighbours
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
    for table in (figures, *baselines.values()):
        assert {"hop_1", "hop_2", "end"} <= set(table["cascade"])
    assert figures["cascade"]["end"]["recall"] > baselines["gravity"]["cascade"]["end"]["recall"]
    assert figures["cascade"]["end"]["precision"] > baselines["neighbours"]["cascade"]["end"]["precision"]
    assert figures["load_wmape"] < figures["silent"]["load_wmape"] < 0.8 * baselines["gravity"]["silent"]["load_wmape"]
    assert figures["worst_link_error"] < baselines["gravity"]["worst_link_error"]
    assert figures["delay_error"] < 0.5 * baselines["mm1"]["delay_error"]
    assert baselines["exact_matrix"]["matrix_wmape"] == 0.0


def test_a_spread_is_counted_hop_by_hop_over_the_links_that_are_down_by_then() -> None:
    spread = Spread()
    spread.add([frozenset({1, 2}), frozenset({3})], [frozenset({1}), frozenset({2}), frozenset({4})])
    spread.add([frozenset({7})], [frozenset({7})])

    assert spread.figures() == {
        "hop_1": {"precision": round(2 / 3, 4), "recall": 1.0, "n": 2},
        "hop_2": {"precision": round(2 / 3, 4), "recall": 1.0, "n": 1},
        "hop_3": {"precision": round(2 / 3, 4), "recall": round(2 / 3, 4), "n": 1},
        "end": {"precision": 0.75, "recall": 0.75, "n": 2},
    }


def test_truth_and_twin_tell_one_story_where_hashing_is_even_and_the_matrix_known() -> None:
    inventory = from_topohub("topozoo/Abilene")
    rng = np.random.default_rng(5)
    drawn = Truth.drawn(inventory, rng)
    even = Truth(
        drawn.places, drawn.tail, drawn.head, drawn.metric, drawn.capacity, np.ones_like(drawn.hashing), drawn.mbps
    )

    peaks = {link: float((even.loads(link) / even.capacity).max()) for link in range(len(inventory.links))}

    found = compared(even, inventory, {"known": even.mbps}, peaks, rng)

    told = found["known"].figures()
    assert told["hop_2"]["n"] >= 1  # overload spreads further than one hop in some of them
    assert all((hop["precision"], hop["recall"]) == (1.0, 1.0) for hop in told.values())


def test_who_sees_no_loads_takes_what_touches_what_is_down() -> None:
    line = network([(name, after, 1, 100.0) for name, after in zip("abcde", "bcdef", strict=True)])
    truth = Truth.drawn(line, np.random.default_rng(6))

    assert neighbours(truth, 2, 2) == [frozenset({1, 3}), frozenset({0, 4})]
