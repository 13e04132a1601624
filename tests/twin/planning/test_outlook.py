"""Which links will be too full and when; futures drawn for the demands."""

from datetime import timedelta

import numpy as np
import pytest

from domain.capacity import Terms
from domain.errors import BadInput
from tests.twin.planning.planned_network import NOON, of, triangle
from tests.twin.small_networks import network
from twin.evaluate import evaluate
from twin.planning.futures import assumed, draw
from twin.planning.history import LoadHistory
from twin.planning.implied import crossing
from twin.planning.outlook import Outlook, congestion, first_time, look_ahead
from twin.snapshot import Snapshot

TERMS = Terms(horizons_weeks=(4, 8), futures=30)
SOON = TERMS.but(horizons_weeks=(4,))


def outlook(history: LoadHistory, snapshot: Snapshot | None = None, terms: Terms = TERMS) -> Outlook:
    return look_ahead(snapshot or Snapshot.of(triangle()), history, terms)


def test_a_link_that_grows_into_its_threshold_is_likelier_to_be_congested_later() -> None:
    found = congestion(outlook(of({"l0": 52.0, "l1": 100.0}, growth=0.01)), TERMS)  # a peak of 76, and 80 is too much

    chance = {(one.element, one.horizon_weeks): one.probability for one in found}
    assert chance["l0", 4] < 0.9 < chance["l0", 8]
    assert chance["l1", 8] < 0.02
    assert found[0].element == "l0"
    assert found[0].week_ends == NOON + timedelta(weeks=found[0].horizon_weeks)
    assert all(one.low_mbps < one.peak_mbps < one.high_mbps for one in found)


def test_the_capacity_for_relief_carries_the_peak_within_the_threshold() -> None:
    (one,) = congestion(outlook(of({"l0": 70.0}, noise=0.001), terms=SOON), SOON)

    assert one.relief_mbps == pytest.approx(one.peak_mbps / 0.8, rel=0.01)


def test_a_termination_point_is_measured_against_its_link() -> None:
    (one,) = congestion(outlook(of({"l0.a": 70.0}), terms=SOON), SOON)

    assert (one.element, one.capacity_mbps) == ("l0.a", 100.0)


def test_links_without_a_history_carry_what_their_demands_add_up_to() -> None:
    made = outlook(of({"d0": 60.0, "d1": 10.0}, noise=0.001))

    expected = {one.element: one.peak_mbps for one in congestion(made, TERMS) if one.horizon_weeks == 4}
    assert (made.links, made.implied) == (("l0", "l1"), 2)  # l2 carries nothing
    assert expected["l0"] == pytest.approx(6 * expected["l1"], rel=0.01)
    assert "loads of 2 links are what the demands" in assumed(Snapshot.of(triangle()), made)[0]


def test_a_link_is_not_implied_by_some_of_its_demands() -> None:
    two = Snapshot.of(network([("a", "b", 1, 100.0)], [("a", "b", 30.0), ("a", "b", 30.0)]))

    assert outlook(of({"d0": 30.0}), two).links == ()


def test_what_cannot_be_trusted_is_left_out_with_its_reason() -> None:
    history = of({"l0": 50.0, "l1": 50.0})
    history.mbps[1] = 7.0

    made = outlook(history)

    assert made.links == ("l0",)
    assert [(one.element, "never changes" in one.reason) for one in made.abstained] == [("l1", True)]


def test_a_horizon_is_asked_for_only_as_far_as_the_history_reaches() -> None:
    assert outlook(of({"l0": 50.0}, weeks=13)).horizons == (4,)
    with pytest.raises(BadInput, match="send 12 weeks"):
        outlook(of({"l0": 50.0}, weeks=11))


def test_no_horizon_is_offered_whose_earlier_forecasts_cannot_be_checked() -> None:
    history = of({"l0": 50.0})
    history.mbps[:, :31] = np.nan

    assert outlook(history, terms=TERMS.but(horizons_weeks=(4, 26))).horizons == (4,)
    with pytest.raises(BadInput, match="fewer gaps"):
        outlook(history, terms=TERMS.but(horizons_weeks=(26,)))


@pytest.mark.parametrize("name", ["l9", "a", "=cmd"])
def test_a_history_of_what_carries_nothing_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="correct it"):
        outlook(of({name: 50.0}))


def test_a_limit_is_passed_between_horizons_by_a_straight_line() -> None:
    weeks, chances = (4, 8, 13), (0.1, 0.3, 0.9)

    assert first_time(NOON, weeks, chances, 0.2) == NOON + timedelta(weeks=6)
    assert first_time(NOON, weeks, chances, 0.05) == NOON + timedelta(weeks=4)
    assert first_time(NOON, weeks, chances, 0.95) is None


def test_futures_of_demands_with_a_history_have_its_loads() -> None:
    snapshot = Snapshot.of(triangle())
    made = draw(snapshot, outlook(of({"d0": 60.0, "d1": 10.0}, noise=0.01), snapshot), 4, TERMS)

    carried = [float(evaluate(snapshot, overlay).demand_mbps[0]) for overlay in made.overlays]

    assert len(carried) == 30
    assert np.median(carried) == pytest.approx(60 * 1.433, rel=0.03)
    assert carried != sorted(carried)


def test_futures_stray_as_far_as_forecasts_did_and_together_where_those_did() -> None:
    snapshot = Snapshot.of(triangle())
    history = of({"d0": 60.0, "d1": 10.0}, noise=0.01)
    common = np.exp(0.15 * np.random.default_rng(3).standard_normal(history.weeks))
    terms = TERMS.but(futures=300)

    def drawn(known: LoadHistory) -> np.ndarray:
        made = draw(snapshot, outlook(known, snapshot, terms), 4, terms)
        return np.log([[change.factor for change in overlay] for overlay in made.overlays])

    apart, together = drawn(history), drawn(LoadHistory(history.elements, history.mbps * common[:, None], NOON))

    assert 0.01 < apart.std(axis=0)[0] < 0.05
    assert (
        0.15 < together.std(axis=0)[0] < 0.4
    )  # a week's level strays by 0.15, and so does the one it is forecast from
    assert np.corrcoef(together.T)[0, 1] > 0.8 > np.corrcoef(apart.T)[0, 1]


def test_demands_that_cross_a_link_are_those_whose_paths_use_it() -> None:
    snapshot = Snapshot.of(triangle())

    assert [crossing(snapshot, link) for link in ("l0", "l1", "l2")] == [{"d0"}, {"d1"}, set()]


def test_futures_of_demands_without_a_history_load_the_links_as_drawn() -> None:
    snapshot = Snapshot.of(triangle())
    made = draw(snapshot, outlook(of({"l0": 30.0, "l1": 20.0}, noise=0.01), snapshot), 4, TERMS)

    loads = np.array([evaluate(snapshot, overlay).arc_load[[0, 2]] for overlay in made.overlays])

    assert np.median(loads, axis=0) == pytest.approx([30 * 1.433, 20 * 1.433], rel=0.03)


def test_the_same_seed_draws_the_same_futures_and_another_does_not() -> None:
    snapshot = Snapshot.of(triangle())
    ahead = outlook(of({"l0": 30.0}), snapshot)

    assert draw(snapshot, ahead, 4, TERMS).overlays == draw(snapshot, ahead, 4, TERMS).overlays
    assert draw(snapshot, ahead, 4, TERMS).overlays != draw(snapshot, ahead, 4, TERMS.but(seed=1)).overlays


def test_without_demands_or_a_history_no_future_is_drawn() -> None:
    empty = Snapshot.of(network([("a", "b", 1, 100.0)]))
    with pytest.raises(BadInput, match="no demands"):
        draw(empty, outlook(of({"l0": 30.0}), empty), 4, TERMS)

    history = of({"l0": 50.0})
    history.mbps[:] = 7.0
    with pytest.raises(BadInput, match="can be trusted"):
        draw(Snapshot.of(triangle()), outlook(history), 4, TERMS)
