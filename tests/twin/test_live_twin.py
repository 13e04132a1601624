"""The twin that follows the network."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.errors import BadInput
from domain.measurements import Batch, Metric, Reading
from domain.network import Inventory
from tests.twin.small_networks import square
from twin.evaluate import evaluate
from twin.generator import operator_network
from twin.live import LiveTwin
from twin.snapshot import Snapshot

NOON = datetime(2026, 1, 12, 12, tzinfo=UTC)


def batch(*rows: tuple[str, Metric, float | None], at: datetime = NOON) -> Batch:
    readings = tuple(Reading(element=e, metric=m, value=v, event_time=at) for e, m, v in rows)
    return Batch(id="b", source="pm", known_time=at, first_event_time=at, last_event_time=at, readings=readings)


def loads(inventory: Inventory, factor: float, at: datetime = NOON) -> Batch:
    """What all interfaces report when demands are `factor` times what the inventory says."""
    real = evaluate(Snapshot.of(inventory)).at_load(factor)
    points = [point.id for point in inventory.termination_points]
    return batch(*((point, Metric.UTILISATION, real.utilisation(point)) for point in points), at=at)


def test_the_newest_value_counts_whatever_order_it_comes_in() -> None:
    twin = LiveTwin(square())
    twin.readings(batch(("a", Metric.CPU, 0.5)))
    twin.readings(batch(("a", Metric.CPU, 0.9), at=NOON - timedelta(seconds=5)))
    assert twin.observed("a", Metric.CPU) == (0.5, NOON)


def test_a_missing_value_is_not_zero_and_does_not_make_the_old_one_younger() -> None:
    twin = LiveTwin(square())
    twin.readings(batch(("a", Metric.CPU, 0.5)))
    twin.readings(batch(("a", Metric.CPU, None), ("b", Metric.CPU, None), at=NOON + timedelta(seconds=5)))
    assert twin.observed("a", Metric.CPU) == (0.5, NOON)
    assert twin.observed("b", Metric.CPU) == (None, NOON + timedelta(seconds=5))
    assert twin.observed("c", Metric.CPU) is None


def test_configured_state_goes_into_the_snapshot() -> None:
    twin = LiveTwin(square())
    twin.configured("l0.a", "administrative", "locked", NOON)
    twin.configured("l0", "metric", "9", NOON)
    twin.configured("d0", "via", "c", NOON)
    snapshot = twin.snapshot()
    assert [snapshot.value("l0.a", "administrative"), snapshot.value("l0", "metric")] == ["locked", 9]
    twin.configured("d0", "via", "c@0.40", NOON)
    assert twin.snapshot().policy("d0") == ("c", 0.4)
    twin.configured("d0", "via", "", NOON)
    assert twin.snapshot().value("d0", "via") == ""


def test_an_older_notification_does_not_overrule_a_newer_one() -> None:
    twin = LiveTwin(square())
    twin.configured("l0", "metric", "9", NOON)
    twin.configured("l0", "metric", "5", NOON - timedelta(seconds=1))
    assert twin.snapshot().value("l0", "metric") == 9


@pytest.mark.parametrize(
    ("element", "attribute", "value"),
    [
        ("nowhere", "administrative", "locked"),
        ("l0.a", "administrative", "ajar"),
        ("l0", "metric", "many"),
        ("l0", "metric", "0"),
        ("d0", "via", "nowhere"),
        ("d0", "via", "c@1.40"),
        ("l0", "colour", "blue"),
    ],
)
def test_impossible_configuration_is_refused_and_leaves_the_twin_as_it_was(
    element: str, attribute: str, value: str
) -> None:
    twin = LiveTwin(square())
    before = twin.snapshot()
    with pytest.raises(BadInput):
        twin.configured(element, attribute, value, NOON)
    assert twin.snapshot() is before


def test_the_snapshot_stays_the_same_object_until_something_changes() -> None:
    inventory = operator_network(5, 100)
    twin = LiveTwin(inventory)
    before = twin.snapshot()
    twin.readings(loads(inventory, 1.0))
    assert twin.snapshot() is before
    twin.configured(inventory.links[0].id, "metric", "77", NOON)
    assert twin.snapshot() is not before


def test_believed_demands_follow_the_observed_loads() -> None:
    inventory = operator_network(5, 100)
    twin = LiveTwin(inventory)
    twin.readings(loads(inventory, 1.3))
    snapshot = twin.snapshot()
    factors = [float(snapshot.value(d.id, "mbps") or 0) / d.mbps for d in inventory.demands]
    assert factors == pytest.approx([1.3] * len(factors))


def test_following_again_does_not_drift() -> None:
    inventory = operator_network(5, 100)
    twin = LiveTwin(inventory)
    twin.readings(loads(inventory, 1.3))
    once = twin.snapshot()
    twin.readings(loads(inventory, 1.3, NOON + timedelta(seconds=1)))
    assert twin.snapshot() is once


def test_one_observed_link_moves_no_belief() -> None:
    inventory = operator_network(5, 100)
    twin = LiveTwin(inventory)
    twin.readings(batch((inventory.links[0].source, Metric.UTILISATION, 0.95)))
    assert twin.snapshot() == Snapshot.of(inventory)
    assert twin.fidelity() is None


def test_fidelity_is_the_error_of_predicted_loads() -> None:
    inventory = square()
    twin = LiveTwin(inventory)
    twin.readings(loads(inventory, 1.04))  # within the dead band: the belief stays, the error shows
    assert twin.fidelity() == pytest.approx(0.04 / 1.04)


def test_fidelity_is_unknown_without_readings_and_when_they_are_stale() -> None:
    inventory = square()
    twin = LiveTwin(inventory, fresh_s=60)
    assert twin.fidelity() is None
    twin.readings(loads(inventory, 1.0))
    twin.readings(batch(("a", Metric.CPU, 0.5), at=NOON + timedelta(seconds=61)))
    assert twin.fidelity() is None


def test_an_observed_failure_is_no_error_of_the_twin() -> None:
    inventory = square(mbps=80.0)
    twin = LiveTwin(inventory)
    reported = {"l0.a": 0.0, "l0.b": 0.0, "l1.a": 0.0, "l1.b": 0.0, "l2.a": 0.8, "l2.b": 0.0, "l3.a": 0.8, "l3.b": 0.0}
    twin.readings(batch(*((point, Metric.UTILISATION, value) for point, value in reported.items())))
    assert twin.fidelity() == pytest.approx(1.0)
    twin.readings(batch(("l0.a", Metric.OPER_UP, 0.0), ("l0.b", Metric.OPER_UP, 0.0)))
    assert twin.fidelity() == pytest.approx(0.0)
    assert twin.snapshot().value("l0.a", "operational") == "enabled"
