"""The promotion rule on made-up figures: worked out by hand, over networks and not over episodes."""

import math

import pytest

from domain.errors import BadInput
from twin.ground.promotion import Pair, verdict


def pairs(gains: list[float], episodes: int = 3) -> list[Pair]:
    """One network per gain (a logarithm), each with some equal episodes."""
    return [
        Pair(f"n{number}", 0.8, 0.8 * math.exp(-gain)) for number, gain in enumerate(gains) for _ in range(episodes)
    ]


def test_clearly_better_on_enough_networks_is_promoted() -> None:
    found = verdict(pairs([0.02, 0.03] * 6), violations=0)

    assert found.promoted
    assert found.gain == pytest.approx(0.025)
    # Student's t with 11 degrees of freedom: 2.201 × 0.005222 / √12
    assert (found.low, found.high) == pytest.approx((0.02168, 0.02832), abs=1e-5)
    assert (found.networks, found.episodes) == (12, 36)


def test_as_good_as_greedy_everywhere_is_at_greedy_and_is_promoted() -> None:
    assert verdict(pairs([0.0] * 12), violations=0).promoted


@pytest.mark.parametrize(
    ("gains", "violations"),
    [([-0.01] * 12, 0), ([0.1, -0.09] * 6, 0), ([0.02] * 9, 0), ([0.02] * 12, 1)],
    ids=["worse", "not sure", "too few networks", "one violation"],
)
def test_worse_unsure_scarce_or_unsafe_is_not(gains: list[float], violations: int) -> None:
    assert not verdict(pairs(gains), violations).promoted


def test_many_episodes_on_few_networks_make_nobody_surer() -> None:
    gains = [0.05, -0.03] * 6

    once, often = verdict(pairs(gains, 1), 0), verdict(pairs(gains, 50), 0)

    assert often.low == pytest.approx(once.low)
    assert not often.promoted


@pytest.mark.parametrize("given", [[], [Pair("n", 1.0, 1.0)], [Pair("n", 0.0, 1.0), Pair("m", 1.0, 1.0)]])
def test_figures_that_give_no_interval_are_refused(given: list[Pair]) -> None:
    with pytest.raises(BadInput):
        verdict(given, 0)
