"""Where traffic goes and how much of it is lost: worked out on paper."""

import pytest

from domain.changes import ScaleDemand, SetCapacity, SetLoss, SetMetric, SetOperational, SetVia
from domain.errors import BadInput
from domain.network import Operational
from tests.twin.small_networks import cell_site, network, square
from twin.evaluate import evaluate
from twin.snapshot import Snapshot


def test_two_equal_ways_carry_half_each() -> None:
    predicted = evaluate(Snapshot.of(square(mbps=80.0, capacity=100.0)))
    assert [predicted.utilisation(f"l{number}") for number in range(4)] == [0.4, 0.4, 0.4, 0.4]


def test_shares_are_per_next_hop_and_not_per_path() -> None:
    # from a: one hop b, one hop c; from b two ways to d, from c one: the paths carry 1/4, 1/4 and 1/2
    edges = [("a", "b", 2, 100.0), ("a", "c", 2, 100.0), ("b", "d", 1, 100.0), ("b", "d", 1, 100.0), ("c", "d", 1, 1e3)]
    predicted = evaluate(Snapshot.of(network(edges, [("a", "d", 100.0)])))
    assert [predicted.utilisation(link) for link in ("l0", "l2", "l3")] == [0.5, 0.25, 0.25]
    assert predicted.utilisation("l4") == 0.05


def test_an_interface_shows_what_leaves_by_it() -> None:
    predicted = evaluate(Snapshot.of(square(mbps=80.0)))
    assert predicted.utilisation("l0.a") == 0.4
    assert predicted.utilisation("l0.b") == 0.0


def test_a_raised_metric_moves_the_traffic() -> None:
    predicted = evaluate(Snapshot.of(square()), [SetMetric(link="l0", metric=5)])
    assert predicted.utilisation("l0") == 0.0
    assert predicted.utilisation("l2") == 0.8


def test_a_way_that_becomes_equally_short_takes_its_share() -> None:
    snapshot = Snapshot.of(square()).with_changes([SetMetric(link="l0", metric=2)])
    assert evaluate(snapshot).utilisation("l0") == 0.0
    assert evaluate(snapshot, [SetMetric(link="l0", metric=1)]).utilisation("l0") == 0.4


def test_a_waypoint_bends_the_path() -> None:
    predicted = evaluate(Snapshot.of(square()), [SetVia(demand="d0", via="c")])
    assert (predicted.utilisation("l0"), predicted.utilisation("l2")) == (0.0, 0.8)


def test_a_policy_whose_waypoint_is_down_is_not_in_force() -> None:
    changes = [SetVia(demand="d0", via="c"), SetOperational(element="c", state=Operational.DISABLED)]
    predicted = evaluate(Snapshot.of(square()), changes)
    assert predicted.utilisation("l0") == 0.8
    assert predicted.loss("d0") == 0.0


def test_what_does_not_fit_is_lost() -> None:
    # 250 Mbit/s on two ways of 100: each is offered 125 and loses 1 - 100/125
    predicted = evaluate(Snapshot.of(square(mbps=250.0)))
    assert predicted.loss("d0") == pytest.approx(1 - (100 / 125) ** 2)
    assert predicted.impact().overloaded == ("l0", "l1", "l2", "l3")


def test_loss_is_composed_along_the_path_and_averaged_over_ways() -> None:
    changes = [SetLoss(link="l0", share=0.1), SetLoss(link="l1", share=0.2)]
    predicted = evaluate(Snapshot.of(square()), changes)
    assert predicted.loss("d0") == pytest.approx((1 - 0.9 * 0.8) / 2)
    assert predicted.impact().lost_mbps == pytest.approx(80 * 0.14)


def test_loss_on_both_legs_of_a_policy_counts() -> None:
    changes = [SetVia(demand="d0", via="b"), SetLoss(link="l0", share=0.5), SetLoss(link="l1", share=0.5)]
    assert evaluate(Snapshot.of(square()), changes).loss("d0") == pytest.approx(0.75)


def test_a_share_goes_by_the_waypoint_and_the_rest_directly() -> None:
    # 80 Mbit/s: 32 by way of `c`; of the other 48, half by `b` and half by `c`
    predicted = evaluate(Snapshot.of(square()), [SetVia(demand="d0", via="c", share=0.4)])
    assert [predicted.utilisation(link) for link in ("l0", "l2")] == pytest.approx([0.24, 0.56])


def test_each_way_of_a_shared_demand_loses_its_own_part() -> None:
    changes = [SetVia(demand="d0", via="c", share=0.4), SetLoss(link="l2", share=0.5)]
    assert evaluate(Snapshot.of(square()), changes).loss("d0") == pytest.approx(0.4 * 0.5 + 0.6 * 0.25)


def test_of_a_policy_that_leads_nowhere_only_its_share_is_lost() -> None:
    islands = network([("a", "b", 1, 10.0), ("x", "y", 1, 10.0)], [("a", "b", 5.0)])
    predicted = evaluate(Snapshot.of(islands), [SetVia(demand="d0", via="x", share=0.3)])
    assert predicted.loss("d0") == pytest.approx(0.3)
    assert predicted.utilisation("l0") == pytest.approx(0.35)


def test_lost_capacity_congests() -> None:
    predicted = evaluate(Snapshot.of(square()), [SetCapacity(link="l0", share=0.2)])
    assert predicted.utilisation("l0") == 2.0
    assert predicted.loss("d0") == pytest.approx(0.25)


def test_a_demand_that_is_cut_off_loses_everything() -> None:
    down = [SetOperational(element=link, state=Operational.DISABLED) for link in ("l1", "l3")]
    impact = evaluate(Snapshot.of(square(mbps=80.0)), down).impact()
    assert impact.lost_mbps == 80.0
    assert (impact.demands_hit, impact.slices_hit, impact.customers_hit) == (("d0",), ("gold",), ("acme",))


def test_a_demand_of_nothing_is_cut_off_as_well() -> None:
    snapshot = Snapshot.of(network([("a", "b", 1, 10.0)], [("a", "b", 0.0)]))
    assert evaluate(snapshot).loss("d0") == 0.0
    assert evaluate(snapshot, [SetOperational(element="l0", state=Operational.DISABLED)]).loss("d0") == 1.0


def test_a_lost_cell_hits_the_customer_who_pays_for_it() -> None:
    impact = evaluate(Snapshot.of(cell_site()), [SetOperational(element="gnb", state=Operational.DISABLED)]).impact()
    assert (impact.cells_down, impact.customers_hit, impact.demands_hit) == (("cell",), ("acme",), ())


def test_predicting_at_another_load_is_the_same_as_scaling_every_demand() -> None:
    snapshot = Snapshot.of(square(mbps=250.0))
    scaled = evaluate(snapshot, [ScaleDemand(demand="d0", factor=1.5)])
    assert evaluate(snapshot).at_load(1.5).loss("d0") == pytest.approx(scaled.loss("d0"))


def test_who_is_worse_off_is_named() -> None:
    snapshot = Snapshot.of(square())
    spoiled = evaluate(snapshot, [SetLoss(link="l0", share=0.1)])
    assert spoiled.affected(evaluate(snapshot)) == {"l0", "l0.a", "l0.b", "d0"}
    assert evaluate(snapshot).affected(spoiled) == frozenset()


def test_a_detour_without_loss_makes_nobody_worse_off_but_the_link() -> None:
    snapshot = Snapshot.of(square())
    failed = evaluate(snapshot, [SetOperational(element="l0", state=Operational.DISABLED)])
    assert failed.affected(evaluate(snapshot)) == {"l0", "l0.a", "l0.b"}


def test_questions_about_the_wrong_kind_are_refused() -> None:
    predicted = evaluate(Snapshot.of(square()))
    for question in (predicted.utilisation, predicted.loss, predicted.reachable):
        with pytest.raises(BadInput, match="`nowhere`"):
            question("nowhere")
