"""Overload that spreads, worked out by hand."""

import pytest

from domain.changes import ScaleDemand, SetOperational
from domain.errors import BadInput
from domain.network import Operational
from tests.twin.small_networks import network
from twin.evaluate import evaluate
from twin.physics.cascade import cascade
from twin.snapshot import Snapshot

#: Four ways from `a` to `z`, longer and longer: directly (100), by b (100), by c (200) and by d (400).
WAYS = [
    ("a", "z", 1, 100.0),
    ("a", "b", 1, 100.0),
    ("b", "z", 1, 100.0),
    ("a", "c", 2, 200.0),
    ("c", "z", 1, 200.0),
    ("a", "d", 3, 400.0),
    ("d", "z", 1, 400.0),
]


def ways(mbps: float) -> Snapshot:
    return Snapshot.of(network(WAYS, [("a", "z", mbps)]))


def test_load_moves_on_until_a_way_holds_it() -> None:
    # 170 is 1.7 of the first two ways, which drop out, and 0.85 of the third
    found = cascade(ways(170.0), trip_at=1.6)
    assert found.rounds == (("l0",), ("l1", "l2"))
    assert found.tripped == {"l0", "l1", "l2"}
    assert found.prediction.utilisation("l3") == pytest.approx(0.85)
    assert found.prediction.lost_mbps == 0.0


def test_the_last_way_may_lose_without_dropping_out() -> None:
    # 500 trips 100, 100 and 200; of 400 it is 1.25
    found = cascade(ways(500.0))
    assert len(found.rounds) == 3
    assert found.prediction.loss("d0") == pytest.approx(1 - (400 / 500) ** 2)


def test_a_cascade_can_take_everything() -> None:
    found = cascade(ways(1_000.0))
    assert found.rounds[-1] == ("l5", "l6")
    assert found.prediction.lost_mbps == 1_000.0


def test_what_is_calm_stays_as_it_is() -> None:
    found = cascade(ways(150.0))
    assert found.rounds == ()
    assert found.prediction.impact() == evaluate(ways(150.0)).impact()


def test_a_failure_or_a_surge_can_be_the_first_push() -> None:
    failed = cascade(ways(170.0), [SetOperational(element="l3", state=Operational.DISABLED)])
    assert failed.prediction.utilisation("l5") == pytest.approx(170 / 400)
    surged = cascade(ways(85.0), [ScaleDemand(demand="d0", factor=2.0)])
    assert surged.rounds == (("l0",), ("l1", "l2"))


def test_a_link_that_was_said_to_work_drops_out_all_the_same() -> None:
    found = cascade(ways(170.0), [SetOperational(element="l0", state=Operational.ENABLED)])
    assert found.rounds[0] == ("l0",)


@pytest.mark.parametrize("trip_at", [0.9, float("nan"), float("inf")])
def test_a_threshold_that_cannot_be_is_refused(trip_at: float) -> None:
    with pytest.raises(BadInput, match="trips"):
        cascade(ways(1.0), trip_at=trip_at)
