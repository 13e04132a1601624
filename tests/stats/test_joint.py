"""Several bounds that hold together as often as is claimed, whether what they bound is smooth or counted."""

import numpy as np
import pytest

from stats.joint import Floats, joint_margins


def needed(rng: np.random.Generator, cases: int) -> Floats:
    """Three bounds of different kinds that depend on each other: one smooth, one mostly nothing, one in units."""
    bad = rng.random(cases) < 0.3
    smooth = rng.normal(0.0, 1.0, cases)
    counts = np.where(bad, rng.poisson(2.0, cases), 0).astype(np.float64)
    return np.column_stack([smooth, counts, 1000.0 * smooth + rng.gamma(2.0, 50.0, cases)])


@pytest.mark.parametrize("level", [0.8, 0.9])
def test_all_bounds_hold_together_as_often_as_claimed(level: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shares = []
    for _ in range(6):
        margins = joint_margins(needed(rng, 200), level, range(200))
        shares.append(float((needed(rng, 1000) <= margins).all(axis=1).mean()))

    assert np.mean(shares) == pytest.approx(level, abs=0.03)


def test_holding_each_bound_alone_as_often_would_not_be_enough(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cases = np.column_stack([rng.normal(size=500) for _ in range(5)])
    alone = np.quantile(cases, 0.9, axis=0)
    margins = joint_margins(cases, 0.9, range(len(cases)))

    assert (margins > alone).all()
    assert (cases <= alone).all(axis=1).mean() < 0.65


def test_a_bound_that_always_holds_costs_the_others_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    smooth = rng.normal(size=(400, 1))
    idle = np.full((400, 1), -np.inf)
    alone = joint_margins(smooth, 0.9, range(400))
    both = joint_margins(np.column_stack([smooth, idle]), 0.9, range(400))

    assert both.tolist() == [alone[0], -np.inf]


def test_where_too_often_no_margin_will_do_it_is_infinite(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cases = np.column_stack([rng.normal(size=400), np.where(rng.random(400) < 0.2, np.inf, 0.0)])

    assert joint_margins(cases, 0.9, range(400))[1] == np.inf
    assert np.isfinite(joint_margins(cases, 0.7, range(400))).all()


def test_cases_of_one_group_do_not_vouch_for_each_other(seed: int) -> None:
    rng = np.random.default_rng(seed)
    of_group = rng.normal(size=10)
    groups = np.repeat(np.arange(10), 40)
    cases = np.column_stack([of_group[groups], -of_group[groups]]) + rng.normal(0.0, 0.01, (400, 2))
    apart = joint_margins(cases, 0.9, groups.tolist())
    mixed = joint_margins(cases, 0.9, range(400))

    assert (apart >= mixed).all()


@pytest.mark.parametrize(
    ("cases", "groups", "level"), [(9, 9, 0.95), (20, 19, 0.9), (20, 20, 1.0)], ids=["few", "unlike", "certain"]
)
def test_what_cannot_be_promised_is_refused(cases: int, groups: int, level: float) -> None:
    with pytest.raises(ValueError):
        joint_margins(np.zeros((cases, 2)), level, range(groups))
