"""Elastic traffic shares what is left, worked out on paper."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from domain.changes import SetLoss, SetOperational, SetVia
from domain.errors import BadInput
from domain.network import Inventory, Operational
from tests.twin.small_networks import Edge, network, square
from twin.evaluate import evaluate
from twin.physics.elastic import max_min
from twin.snapshot import Snapshot


def mixed(edges: list[Edge], *demands: tuple[str, str, float, str]) -> Inventory:
    """Demands with their traffic class; `web` is elastic."""
    inventory = network(edges, [demand[:3] for demand in demands])
    classed = zip(inventory.demands, demands, strict=True)
    return inventory.but(
        demands=tuple(entry.but(traffic_class=demand[3]) for entry, demand in classed), elastic_classes=("web",)
    )


def test_one_long_flow_and_two_short_ones() -> None:
    # two arcs of 10; the long flow uses both, one short flow each; the second short flow wants only 2
    uses = csr_array(np.array([[1.0, 1.0], [1.0, 0.0], [0.0, 1.0]]))
    assert max_min(uses, np.array([99.0, 99.0, 2.0]), np.array([10.0, 10.0])).tolist() == [5.0, 5.0, 2.0]
    assert max_min(uses, np.array([99.0, 99.0, 2.0]), np.array([10.0, 4.0])).tolist() == [2.0, 8.0, 2.0]


def test_a_flow_over_two_ways_uses_half_of_its_rate_on_each() -> None:
    # the flow over both ways and the one on the first only: 1.5 x = 9
    uses = csr_array(np.array([[0.5, 0.5], [1.0, 0.0]]))
    assert max_min(uses, np.array([99.0, 99.0]), np.array([9.0, 99.0])).tolist() == pytest.approx([6.0, 6.0])


def test_flows_that_fit_get_what_they_want_and_no_room_gives_nothing() -> None:
    uses = csr_array(np.array([[1.0, 0.0], [0.0, 1.0]]))
    assert max_min(uses, np.array([3.0, 5.0]), np.array([3.0, 0.0])).tolist() == [3.0, 0.0]


@pytest.mark.parametrize(("wanted", "room"), [(-1.0, 1.0), (np.nan, 1.0), (1.0, -1.0), (1.0, np.nan)])
def test_wishes_and_rooms_that_cannot_be_are_refused(wanted: float, room: float) -> None:
    with pytest.raises(BadInput, match="Mbit/s"):
        max_min(csr_array(np.ones((1, 1))), np.array([wanted]), np.array([room]))


def test_elastic_demands_take_what_inelastic_ones_leave() -> None:
    inventory = mixed([("a", "b", 1, 100.0)], ("a", "b", 60.0, "voice"), ("a", "b", 80.0, "web"))
    predicted = evaluate(Snapshot.of(inventory))
    assert predicted.loss("d0") == pytest.approx(0.0)
    assert predicted.loss("d1") == pytest.approx(0.5)
    assert predicted.utilisation("l0") == pytest.approx(1.0)
    assert predicted.impact().overloaded == ()


def test_inelastic_demands_that_do_not_fit_leave_nothing() -> None:
    inventory = mixed([("a", "b", 1, 100.0)], ("a", "b", 125.0, "voice"), ("a", "b", 80.0, "web"))
    predicted = evaluate(Snapshot.of(inventory))
    assert predicted.loss("d0") == pytest.approx(1 - 100 / 125)
    assert predicted.loss("d1") == 1.0
    assert predicted.utilisation("l0") == pytest.approx(1.25)


def test_no_class_is_elastic_unless_it_is_declared() -> None:
    inventory = mixed([("a", "b", 1, 100.0)], ("a", "b", 200.0, "best_effort"))
    assert evaluate(Snapshot.of(inventory)).utilisation("l0") == 2.0
    assert evaluate(Snapshot.of(inventory.but(elastic_classes=()))).sharing is None


def test_the_way_of_an_elastic_demand_with_a_waypoint_counts_twice_where_it_goes_twice() -> None:
    edges = [("a", "b", 1, 100.0), ("b", "d", 1, 100.0), ("b", "w", 1, 30.0)]
    snapshot = Snapshot.of(mixed(edges, ("a", "d", 50.0, "web")))
    bent = evaluate(snapshot, [SetVia(demand="d0", via="w")])
    assert bent.loss("d0") == pytest.approx(0.4)
    assert bent.utilisation("l2") == pytest.approx(1.0)


def test_an_elastic_demand_with_two_ways_is_held_back_by_the_fuller_of_them() -> None:
    edges = [("a", "d", 1, 40.0), ("a", "c", 1, 100.0), ("c", "d", 1, 10.0)]
    snapshot = Snapshot.of(mixed(edges, ("a", "d", 50.0, "web")))
    split = evaluate(snapshot, [SetVia(demand="d0", via="c", share=0.5)])
    assert split.loss("d0") == pytest.approx(0.6)  # half of what it sends fills the 10 Mbit/s behind `c`
    assert [split.utilisation(link) for link in ("l0", "l2")] == pytest.approx([0.25, 1.0])


def test_declared_loss_comes_on_top_of_what_is_held_back() -> None:
    snapshot = Snapshot.of(mixed([("a", "b", 1, 100.0)], ("a", "b", 200.0, "web")))
    assert evaluate(snapshot, [SetLoss(link="l0", share=0.1)]).loss("d0") == pytest.approx(1 - 0.5 * 0.9)


def test_an_elastic_demand_that_is_cut_off_takes_no_room() -> None:
    edges = [("a", "b", 1, 100.0), ("b", "d", 1, 100.0)]
    snapshot = Snapshot.of(mixed(edges, ("a", "d", 90.0, "web"), ("a", "b", 90.0, "web")))
    assert evaluate(snapshot).loss("d1") == pytest.approx(4 / 9)
    cut = evaluate(snapshot, [SetOperational(element="l1", state=Operational.DISABLED)])
    assert (cut.loss("d0"), cut.loss("d1")) == (1.0, pytest.approx(0.0))


def test_equal_ways_are_filled_together() -> None:
    inventory = square(mbps=300.0).but(elastic_classes=("best_effort",))
    predicted = evaluate(Snapshot.of(inventory))
    assert [predicted.utilisation(f"l{number}") for number in range(4)] == pytest.approx([1.0] * 4)
    assert predicted.loss("d0") == pytest.approx(1 / 3)
    assert predicted.at_load(0.5).loss("d0") == pytest.approx(0.0)


def test_factors_on_the_load_multiply() -> None:
    predicted = evaluate(Snapshot.of(square(mbps=300.0).but(elastic_classes=("best_effort",))))
    assert predicted.at_load(2.0).at_load(3.0).loss("d0") == pytest.approx(1 - 200 / 1800)
