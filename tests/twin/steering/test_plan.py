"""Few moves near the optimum: cases worked out on paper, and everything that can be the matter with a network."""

import math

import pytest

from domain.changes import SetOperational, SetVia
from domain.errors import BadInput
from domain.network import Inventory, Operational, Slice
from tests.twin.small_networks import network
from twin.evaluate import evaluate
from twin.reference import from_topohub
from twin.snapshot import Snapshot
from twin.steering.plan import Move, SteeringPlan, steering_plan
from twin.steering.scene import scene_of

METHODS = pytest.mark.parametrize("budget_s", [20.0, 0.0], ids=["lp", "greedy"])


def two_ways(*volumes: float, detour_ms: float = 1.0) -> Inventory:
    """Demands from a to d: the short way leads over b, the long one over c; each carries 100 Mbit/s."""
    edges = [("a", "b", 1, 100.0), ("b", "d", 1, 100.0), ("a", "c", 2, 100.0), ("c", "d", 2, 100.0)]
    made = network(edges, [("a", "d", mbps) for mbps in volumes])
    slow = tuple(link.but(delay_ms=detour_ms) if link.id in {"l2", "l3"} else link for link in made.links)
    return made.but(links=slow)


def plan_of(inventory: Inventory, budget_s: float = 20.0, **wishes: float) -> SteeringPlan:
    """Wishes: see `steering_plan`."""
    return steering_plan(Snapshot.of(inventory), budget_s=budget_s, **wishes)  # type: ignore[arg-type]


@pytest.mark.parametrize(("budget_s", "method"), [(20.0, "lp"), (0.0, "greedy")])
def test_one_of_two_demands_is_moved_as_a_whole_and_all_figures_are_right(budget_s: float, method: str) -> None:
    found = plan_of(two_ways(60.0, 30.0), budget_s, split=False)

    assert found.moves in {(Move("d0", "c", None),), (Move("d1", "c", None),)}
    assert (found.now, found.after, found.method) == (pytest.approx(0.9), pytest.approx(0.6), method)
    assert found.optimum == (pytest.approx(0.45) if budget_s else None)
    assert found.after_failure is not None
    assert found.after_failure.worst == pytest.approx(0.9)


def test_a_share_of_the_big_demand_is_moved_in_hundredths() -> None:
    found = plan_of(two_ways(60.0, 30.0))

    (move,) = found.moves
    assert (move.demand, move.via, move.previous) == ("d0", "c", None)
    assert move.share == round(move.share, 2)
    assert found.after == pytest.approx(max(90 - 60 * move.share, 60 * move.share) / 100)
    assert found.after <= 1.05 * 0.45


def test_a_share_that_would_read_as_the_name_of_another_node_is_not_chosen() -> None:
    edges = [("a", "b", 1, 100.0), ("b", "d", 1, 100.0), ("a", "c", 2, 100.0), ("c", "d", 2, 100.0)]
    misleading = [("d", name, 1, 100.0) for name in ("c@0.50", "c@0.49")]

    found = plan_of(network([*edges, *misleading], [("a", "d", 90.0)]), epsilon=0.0)

    assert found.moves == (Move("d0", "c", None, share=0.51),)
    assert found.after == pytest.approx(0.459)


def test_a_share_in_force_is_altered_where_it_does_not_fit_any_more() -> None:
    grown = Snapshot.of(two_ways(90.0)).with_changes([SetVia(demand="d0", via="c", share=0.1)])

    found = steering_plan(grown, epsilon=0.0, budget_s=20.0)

    assert found.now == pytest.approx(0.81)
    assert found.moves == (Move("d0", "c", "c", share=0.5, previous_share=0.1),)
    assert found.after == pytest.approx(0.45)
    assert evaluate(grown, found.changes()).arc_load.max() == pytest.approx(45.0)


def test_no_link_is_above_the_aim_because_shares_were_rounded() -> None:
    found = plan_of(two_ways(97.3, 41.9, 0.3), enough=0.7)

    assert found.moves
    assert found.after <= max(0.7, 1.05 * (found.optimum or 0.0))


def test_no_more_is_moved_than_the_aim_asks_for() -> None:
    even = two_ways(*[10.0] * 9)  # 90 on one way; 45 each would be the optimum, 50 and 40 the best in whole demands

    exact, modest = plan_of(even, split=False), plan_of(even, enough=0.7, split=False)

    assert (len(exact.moves), exact.after) == (4, pytest.approx(0.5))
    assert (len(modest.moves), modest.after) == (2, pytest.approx(0.7))


@METHODS
def test_moves_stay_within_their_limit(budget_s: float) -> None:
    assert len(plan_of(two_ways(*[10.0] * 9), budget_s, limit=2).moves) == 2
    assert plan_of(two_ways(*[10.0] * 9), budget_s, limit=0).moves == ()


@METHODS
def test_a_detour_that_is_too_slow_for_its_slice_is_not_taken(budget_s: float) -> None:
    inventory = two_ways(60.0, 30.0, detour_ms=30.0)
    strict = inventory.demands[1].but(slice_id="fast")
    bound = inventory.but(
        slices=(Slice(id="fast", name="Fast", max_delay_ms=20.0),), demands=(inventory.demands[0], strict)
    )

    assert [move.demand for move in plan_of(bound, budget_s).moves] == ["d0"]


def test_a_demand_whose_direct_way_is_too_slow_is_moved_as_a_whole() -> None:
    edges = [("a", "b", 1, 100.0), ("b", "d", 1, 100.0), ("a", "c", 2, 100.0), ("c", "d", 2, 100.0)]
    made = network([*edges, ("a", "e", 2, 100.0), ("e", "d", 2, 100.0)], [("a", "d", 60.0), ("a", "d", 40.0)])
    strict = made.but(
        links=tuple(link.but(delay_ms=30.0) if link.id in {"l0", "l1"} else link for link in made.links),
        slices=(Slice(id="fast", name="Fast", max_delay_ms=20.0),),
        demands=tuple(demand.but(slice_id="fast", via="c") for demand in made.demands),
    )

    found = plan_of(strict, epsilon=0.0)

    assert [(move.via, move.share) for move in found.moves] == [("e", 1.0)]
    assert found.after == pytest.approx(0.6)
    assert evaluate(Snapshot.of(strict), found.changes()).late_slices == ()


@METHODS
def test_a_waypoint_in_force_that_makes_it_worse_is_taken_away(budget_s: float) -> None:
    inventory = two_ways(60.0, 50.0)
    crowded = inventory.but(demands=tuple(demand.but(via="c") for demand in inventory.demands))

    (move,) = plan_of(crowded, budget_s, split=False).moves

    assert (move.via, move.previous) in {(None, "c"), ("b", "c")}


@METHODS
def test_a_demand_that_only_its_policy_cuts_off_gets_the_direct_way(budget_s: float) -> None:
    islands = network([("a", "b", 1, 10.0), ("x", "y", 1, 10.0)], [("a", "b", 5.0)])
    stuck = islands.but(demands=(islands.demands[0].but(via="x"),))
    assert evaluate(Snapshot.of(stuck)).lost_mbps == 5.0

    found = plan_of(stuck, budget_s)

    assert (found.moves, found.method) == ((Move("d0", None, "x"),), "greedy")
    assert evaluate(Snapshot.of(stuck), found.changes()).lost_mbps == 0.0
    assert plan_of(stuck, budget_s, limit=0).unrouted == ("d0",)


@METHODS
def test_what_nothing_connects_is_reported_and_the_rest_is_steered(budget_s: float) -> None:
    apart = two_ways(60.0, 30.0)
    more = network([("x", "y", 1, 10.0)], [("x", "y", 0.0)])
    joined = apart.but(
        nodes=(*apart.nodes, *more.nodes), demands=(*apart.demands, apart.demands[0].but(id="lost", destination="x"))
    )

    found = plan_of(joined, budget_s, split=False)

    assert found.unrouted == ("lost",)
    assert found.after == pytest.approx(0.6)


@METHODS
def test_without_traffic_there_is_nothing_to_do(budget_s: float) -> None:
    for inventory in (two_ways(), two_ways(0.0, 0.0)):
        found = plan_of(inventory, budget_s)

        assert (found.moves, found.now, found.after, found.method) == ((), 0.0, 0.0, "none")


def test_a_network_all_of_whose_links_are_down_has_nothing_to_steer() -> None:
    snapshot = Snapshot.of(two_ways(10.0))
    dark = snapshot.with_changes([SetOperational(element=f"l{n}", state=Operational.DISABLED) for n in range(4)])

    found = steering_plan(dark)

    assert (found.moves, found.unrouted, found.optimum) == ((), ("d0",), 0.0)


@METHODS
def test_the_same_question_has_the_same_answer_and_leaves_the_network_as_it_was(budget_s: float) -> None:
    snapshot = Snapshot.of(two_ways(*range(5, 14)))
    digest = snapshot.digest

    first, again = (steering_plan(snapshot, budget_s=budget_s) for _ in range(2))

    assert first.moves == again.moves
    assert snapshot.digest == digest


def test_the_ratio_is_against_the_optimum() -> None:
    found = plan_of(two_ways(60.0, 30.0), split=False)

    assert found.ratio == pytest.approx(0.6 / 0.45)
    assert plan_of(two_ways()).ratio == 1.0
    assert plan_of(two_ways(60.0, 30.0), 0.0).ratio is None


@pytest.mark.parametrize("wish", ["limit", "epsilon", "enough", "budget_s"])
@pytest.mark.parametrize("value", [-1.0, math.nan])
def test_impossible_wishes_are_refused(wish: str, value: float) -> None:
    with pytest.raises(BadInput, match="0 or more"):
        steering_plan(Snapshot.of(two_ways(10.0)), **{wish: value})  # type: ignore[arg-type]


def test_on_a_reference_network_ten_moves_come_near_the_optimum_and_beat_doing_nothing() -> None:
    plain = from_topohub("topozoo/Abilene", seed=5)
    even = plain.but(links=tuple(link.but(capacity_mbps=10_000.0) for link in plain.links))

    found = plan_of(even, limit=10, epsilon=0.02)

    assert found.optimum is not None
    assert found.now > 1.2 * found.optimum
    assert found.after <= 1.1 * found.optimum


def test_a_waypoint_at_which_traffic_only_turns_round_is_pruned() -> None:
    spur = network(
        [("a", "b", 1, 10.0), ("b", "d", 1, 10.0), ("a", "c", 2, 10.0), ("c", "d", 2, 10.0), ("c", "e", 1, 10.0)],
        [("a", "d", 5.0)],
    )

    scene = scene_of(evaluate(Snapshot.of(spur)))

    offered = {scene.via(option) for option in range(scene.direct + 1) if scene.allowed[0, option]}
    assert offered == {None, "b", "c"}
