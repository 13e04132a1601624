"""The simulated judges decide as the house does, and the bench has every figure that it promises."""

import pytest

from benchmarks.autonomy import FixedThreshold, House, run


def test_the_simulated_house_promotes_with_88_clean_outcomes_and_demotes_with_one_failure_alone() -> None:
    house = House()
    for _ in range(87):
        house.learn(failure=False, alone=False)
    assert not house.promoted

    house.learn(failure=False, alone=False)
    assert house.promoted

    house.learn(failure=True, alone=True)
    assert not house.promoted


def test_the_baseline_promotes_as_soon_as_the_share_looks_right() -> None:
    baseline = FixedThreshold()
    for number in range(50):
        baseline.learn(failure=number == 0, alone=False)

    assert baseline.promoted


@pytest.mark.slow
def test_a_bad_agent_is_seldom_promoted_and_a_turned_one_soon_stopped() -> None:
    made = run(True, None, lambda _: None)
    figures, baseline = made["figures"], made["baselines"]["fixed_threshold"]

    assert figures["agents"] >= 1_000
    assert figures["p_promotion_bad"] <= 0.05 < baseline["p_promotion_bad"]
    assert figures["events_to_demotion"] < baseline["events_to_demotion"]
    assert set(figures) == set(baseline)
