"""A traffic matrix from counters: cases worked out on paper, gaps, ages, and what cannot be."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from domain.errors import BadInput
from tests.twin.small_networks import network
from twin.estimating.matrix import Counters, Estimate, estimate, gravity_guess
from twin.estimating.routes import Shares, routing_matrix
from twin.evaluate import predict
from twin.snapshot import Snapshot

Floats = NDArray[np.float64]

#: A line a – b – c with demands a>b, a>c, b>c: the first link carries the first two, the second the last two.
LINE = [("a", "b", 1, 100.0), ("b", "c", 1, 100.0)]
BEGINS, ENDS = np.array([0, 0, 1], np.int32), np.array([1, 2, 2], np.int32)
UNKNOWN = np.full(3, np.nan)


def line() -> Shares:
    snapshot = Snapshot.of(network(LINE, [("a", "b", 1.0), ("a", "c", 1.0), ("b", "c", 1.0)]))
    return routing_matrix(snapshot.topology, predict(snapshot).routing)


def found(arcs: list[float], guess: list[float] | None = None, age: list[float] | None = None, **edge: Any) -> Estimate:
    """Estimate on the line; `arcs` are a>b, b>a, b>c, c>b."""
    counters = Counters(
        arcs=np.array(arcs),
        leaving=np.array(edge.get("leaving", UNKNOWN)),
        entering=np.array(edge.get("entering", UNKNOWN)),
        arc_age=0.0 if age is None else np.array(age),
    )
    return estimate(line(), BEGINS, ENDS, counters, None if guess is None else np.array(guess))


def test_a_guess_that_explains_the_counters_stands() -> None:
    made = found([30.0, 0.0, 50.0, 0.0], guess=[10.0, 20.0, 30.0])
    assert made.mbps == pytest.approx([10.0, 20.0, 30.0])
    assert made.residual == pytest.approx(0.0, abs=1e-9)


def test_what_is_missing_is_spread_by_how_uncertain_each_guess_is() -> None:
    """One link of 60 for guesses of 10 and 20: the missing 30 goes 1 : 4, by the squares of the spreads."""
    made = found([60.0, 0.0, np.nan, 0.0], guess=[10.0, 20.0, 0.0])
    assert made.mbps[:2] == pytest.approx([16.0, 44.0], rel=0.02)


def test_what_no_counter_sees_stays_as_guessed_and_is_not_informed() -> None:
    made = found([60.0, 0.0, np.nan, 0.0], guess=[10.0, 20.0, 7.0])
    assert made.mbps[2] == pytest.approx(7.0)
    assert made.informed.tolist() == [True, True, False]


def test_a_fresh_counter_outweighs_a_stale_one() -> None:
    """The counters contradict what the only demand over both links is; the fresh one is believed."""
    first = found([40.0, 0.0, 20.0, 0.0], guess=[0.0, 30.0, 0.0], age=[0.0, 0.0, 3600.0, 0.0])
    second = found([40.0, 0.0, 20.0, 0.0], guess=[0.0, 30.0, 0.0], age=[3600.0, 0.0, 0.0, 0.0])
    assert first.mbps[1] == pytest.approx(40.0, rel=0.03)
    assert second.mbps[1] == pytest.approx(20.0, rel=0.03)


def test_edges_and_links_together_make_the_matrix_without_a_guess() -> None:
    """What leaves a and b and enters b and c, with both links, leaves no freedom: 10, 20 and 30."""
    made = found([30.0, 0.0, 50.0, 0.0], leaving=[30.0, 30.0, 0.0], entering=[0.0, 10.0, 50.0])
    assert made.mbps == pytest.approx([10.0, 20.0, 30.0], rel=0.03)


def test_no_traffic_in_the_counters_is_no_traffic() -> None:
    made = found([0.0, 0.0, 0.0, 0.0], guess=[10.0, 20.0, 30.0])
    assert made.mbps.tolist() == [0.0, 0.0, 0.0]
    assert found([0.0] * 4, leaving=[0.0] * 3, entering=[0.0] * 3).mbps.tolist() == [0.0, 0.0, 0.0]


def test_a_demand_that_is_well_known_moves_less_than_one_that_is_guessed() -> None:
    counters = Counters.of_links(np.array([60.0, 0.0, np.nan, 0.0]), 3)
    spread = np.array([0.01, 0.7, 0.7])
    made = estimate(line(), BEGINS, ENDS, counters, np.array([20.0, 20.0, 0.0]), spread)
    assert made.mbps[:2] == pytest.approx([20.0, 40.0], rel=0.02)


def test_gravity_is_fitted_to_the_totals_of_the_edge() -> None:
    counters = Counters(arcs=np.full(4, np.nan), leaving=np.array([30.0, 30.0, 0.0]), entering=np.array([0, 10.0, 50]))
    assert gravity_guess(BEGINS, ENDS, counters) == pytest.approx([10.0, 20.0, 30.0], rel=1e-3)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"arcs": np.full(4, np.nan)}, "no counter says anything"),
        ({"arcs": np.array([1.0, -1.0, 1.0, 1.0])}, "negative or infinite"),
        ({"arcs": np.array([1.0, np.inf, 1.0, 1.0])}, "negative or infinite"),
        ({"arcs": np.ones(3)}, "does not fit 4 arcs"),
        ({"entering": np.ones(2)}, "does not fit"),
        ({"arc_age": np.ones(2)}, "does not fit"),
        ({"arc_age": np.array([1.0, np.nan, 1.0, 1.0])}, "no number"),
        ({"arc_age": -1.0}, "negative or infinite"),
    ],
)
def test_impossible_counters_are_refused(changes: dict[str, Any], said: str) -> None:
    plain: dict[str, Any] = {"arcs": np.ones(4), "leaving": UNKNOWN, "entering": UNKNOWN}
    with pytest.raises(BadInput, match=said):
        estimate(line(), BEGINS, ENDS, Counters(**(plain | changes)), np.ones(3))


@pytest.mark.parametrize(
    ("guess", "ends", "said"),
    [
        (np.ones(2), ENDS, "does not fit"),
        (np.array([1.0, np.nan, 1.0]), ENDS, "no number"),
        (np.array([1.0, -1.0, 1.0]), ENDS, "negative"),
        (np.ones(3), np.array([1, 2, 3], np.int32), "none of the 3"),
        (None, ENDS, "no place says"),
    ],
    ids=["short", "unknown", "negative", "no such place", "no edge"],
)
def test_impossible_questions_are_refused(guess: Floats | None, ends: NDArray[np.int32], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        estimate(line(), BEGINS, ends, Counters.of_links(np.ones(4), 3), guess)
