"""Remedies are sized, priced and weighed as worked out by hand; on paper they run nothing."""

import csv
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.capacity import CapacityPlan, Prices, Remedy, RemedyKind, Terms, Upgrade, Weighed
from domain.changes import Change, ScaleDemand, SetOperational, SetVia
from domain.errors import BadInput
from domain.network import Operational
from tests.twin.planning.planned_network import NOON, triangle
from tests.twin.small_networks import network
from twin.evaluate import evaluate
from twin.planning.export import COLUMNS, as_csv, as_json
from twin.planning.futures import Futures
from twin.planning.remedies import NOTHING, buildable, built, steering
from twin.planning.weighing import failures, screened, weigh
from twin.snapshot import Snapshot

PRICES = Prices()
DOUBLE = (ScaleDemand(demand="d0", factor=2.0),)  # 120 Mbit/s from a to b
TERMS = Terms(unavailability=0.01)


def remedies(snapshot: Snapshot, needed: float, load: tuple[Change, ...] = DOUBLE) -> dict[RemedyKind, Remedy]:
    found = buildable(snapshot, "l0", needed, evaluate(snapshot, load), PRICES)
    return {one.kind: one for one in reversed(found)}  # the smaller of two upgrades


def test_an_upgrade_is_the_smallest_bundle_that_is_large_enough_and_costs_what_is_added() -> None:
    upgrade = remedies(Snapshot.of(triangle()), 151.0)[RemedyKind.UPGRADE_LINK]

    assert built(Snapshot.of(triangle()), upgrade).value("l0", "capacity") == 200.0
    assert upgrade.cost == pytest.approx(5.0 + 1.0 * 0.1)


def test_the_next_larger_bundle_is_offered_too_and_nothing_beyond_what_an_overlay_can_say() -> None:
    snapshot = Snapshot.of(triangle())
    state = evaluate(snapshot, DOUBLE)

    def sizes(needed: float) -> list[object]:
        found = buildable(snapshot, "l0", needed, state, PRICES)
        upgrades = [one for one in found if one.kind is RemedyKind.UPGRADE_LINK]
        return [built(snapshot, one).value("l0", "capacity") for one in upgrades]

    assert sizes(151.0) == [200.0, 300.0]
    assert sizes(5_000.0) == [1_000.0]


def test_a_parallel_link_takes_half_of_the_load_and_leaves_the_network_as_it_was() -> None:
    snapshot = Snapshot.of(triangle())
    parallel = remedies(snapshot, 150.0)[RemedyKind.PARALLEL_LINK]

    after = evaluate(built(snapshot, parallel), DOUBLE)

    assert (after.utilisation("l0"), after.utilisation("l0+parallel")) == (0.6, 0.6)
    assert parallel.cost == pytest.approx(12.0 + 1.2 * 0.1)
    assert snapshot == Snapshot.of(triangle())
    assert remedies(snapshot, 590.0)[RemedyKind.PARALLEL_LINK].links[0].capacity_mbps == 300.0


def test_an_express_link_takes_what_came_over_the_hop_before() -> None:
    edges = [("a", "b", 5, 100.0), ("x", "a", 5, 100.0), ("y", "a", 5, 100.0)]
    snapshot = Snapshot.of(network(edges, [("x", "b", 50.0), ("y", "b", 20.0), ("a", "b", 10.0)]))
    express = remedies(snapshot, 100.0, ())[RemedyKind.EXPRESS_LINK]

    after = evaluate(built(snapshot, express))

    assert {point.node for point in express.points} == {"x", "b"}
    assert after.utilisation("l0") == pytest.approx(0.3)
    assert after.utilisation(express.links[0].id) == pytest.approx(0.5)
    # two spans of 1 ms are 400 km
    assert express.cost == pytest.approx(30 + 1.2 * 0.1 + 0.02 * 400)


def test_where_all_traffic_begins_and_ends_there_is_no_express_link() -> None:
    assert set(remedies(Snapshot.of(triangle()), 150.0)) == {RemedyKind.UPGRADE_LINK, RemedyKind.PARALLEL_LINK}


def test_names_of_new_links_are_not_yet_taken() -> None:
    snapshot = Snapshot.of(triangle())
    once = built(snapshot, remedies(snapshot, 150.0)[RemedyKind.PARALLEL_LINK])
    twice = built(once, remedies(once, 150.0)[RemedyKind.PARALLEL_LINK])

    assert {"l0", "l0+parallel", "l0+parallel+"} <= set(twice.topology.links)


def test_risk_is_what_goes_beyond_over_the_states_by_their_probability() -> None:
    snapshot = Snapshot.of(triangle())
    made = remedies(snapshot, 150.0)
    drawn = Futures(overlays=(DOUBLE,), high=DOUBLE)

    both = [made[RemedyKind.UPGRADE_LINK], made[RemedyKind.PARALLEL_LINK]]
    nothing, upgrade, parallel = weigh(snapshot, "l0", both, drawn, TERMS)

    # normal: 120 on l0, 80 wanted. l0 down: 120 on l2. l1 down: 120 + 10 on l0. l2 down: 120 on l0
    assert nothing.risk_mbps == pytest.approx(0.97 * 40 + 0.01 * (20 + 30 + 20))
    # 150 on l0: only its own failure overloads l2
    assert upgrade.risk_mbps == pytest.approx(0.01 * 20)
    # either of the two fails: the other carries 120
    assert parallel.risk_mbps == pytest.approx(0.01 * (20 + 20))
    assert upgrade.removed_mbps == pytest.approx(nothing.risk_mbps - upgrade.risk_mbps)
    assert (nothing.chance_normal, upgrade.chance_normal, upgrade.chance_n1) == (1.0, 0.0, 1.0)
    assert (nothing.chance_target, upgrade.chance_target, parallel.chance_target) == (1.0, 0.0, 0.0)
    assert (nothing.states, upgrade.states, parallel.states) == (4, 4, 5)
    assert nothing.worst_utilisation == pytest.approx(1.2)


def test_of_very_many_links_one_is_always_down_and_risk_stays_a_mean() -> None:
    snapshot = Snapshot.of(network([("a", "b", 1, 100.0)] * 120, [("a", "b", 11_950.0)]))
    terms = Terms(unavailability=0.01, failures=200)

    (nothing,) = weigh(snapshot, "l0", [], Futures(overlays=((),), high=()), terms)

    assert nothing.states == 121
    assert nothing.risk_mbps == pytest.approx(11_950 - 119 * 100)  # 120 × 1 % of the time is more than all of it


@settings(max_examples=20)
@given(st.floats(0.1, 4.0), st.floats(101.0, 900.0))
def test_more_capacity_on_a_link_never_adds_risk(factor: float, needed: float) -> None:
    snapshot = Snapshot.of(triangle())
    load = (ScaleDemand(demand="d0", factor=factor),)
    upgrade = remedies(snapshot, needed)[RemedyKind.UPGRADE_LINK]

    nothing, weighed = weigh(snapshot, "l0", [upgrade], Futures((load,), load), TERMS)

    assert 0 <= weighed.risk_mbps <= nothing.risk_mbps
    assert weighed.chance_target <= nothing.chance_target


def test_steering_removes_what_fits_elsewhere() -> None:
    edges = [("a", "b", 1, 100.0), ("a", "c", 1, 1_000.0), ("c", "b", 1, 100.0)]
    snapshot = Snapshot.of(network(edges, [("a", "b", 60.0), ("a", "b", 45.0)]))
    move = steering((SetVia(demand="d1", via="c"),), "l0", PRICES)

    nothing, steered = weigh(snapshot, "l0", [move], Futures(((),), ()), TERMS.but(failures=0))

    assert (nothing.risk_mbps, steered.risk_mbps) == (pytest.approx(25.0), 0.0)  # 105 of 100, and 80 is wanted
    assert move.cost == 0.5
    assert move.title == "Steer 1 demand another way"


def test_the_interval_holds_the_futures() -> None:
    snapshot = Snapshot.of(triangle())
    overlays = tuple((ScaleDemand(demand="d0", factor=1.4 + 0.01 * step),) for step in range(41))
    upgrade = remedies(snapshot, 300.0)[RemedyKind.UPGRADE_LINK]

    _, weighed = weigh(snapshot, "l0", [upgrade], Futures(overlays, overlays[-1]), TERMS.but(failures=0))

    # 60 · (1.4 … 1.8) − 80 = 4 … 28 go beyond, and nothing does after the upgrade
    assert weighed.removed_mbps == pytest.approx(16.0)
    assert (weighed.removed_low, weighed.removed_high) == (pytest.approx(5.2), pytest.approx(26.8))


def test_failures_are_of_each_link_and_of_each_group_that_shares_a_risk() -> None:
    down = [{change.element for change in failure} for failure in failures(Snapshot.of(triangle()))]

    assert down == [{"l0"}, {"l1"}, {"l2"}, {"l0", "l1"}]  # l0 and l1 share a span


def test_only_failures_that_overload_something_are_simulated_the_worst_first() -> None:
    snapshot = Snapshot.of(triangle())

    down = {link: (SetOperational(element=link, state=Operational.DISABLED),) for link in ("l0", "l1", "l2")}
    drawn = Futures((), DOUBLE)

    assert screened(snapshot, Futures((), ()), TERMS) == ()
    assert screened(snapshot, drawn, TERMS.but(failures=1)) == (down["l1"],)
    assert set(screened(snapshot, drawn, TERMS)) == set(down.values())
    assert screened(snapshot, drawn, TERMS.but(failures=0)) == ()
    assert screened(snapshot, drawn, TERMS.but(screened=2)) == (down["l0"],)  # it and its group carry most


def test_a_remedy_that_does_not_fit_the_network_is_refused() -> None:
    with pytest.raises(BadInput, match="no element"):
        built(Snapshot.of(triangle()), steering((SetVia(demand="d9", via="c"),), "l0", PRICES))


def plan(element: str) -> CapacityPlan:
    figures = {"risk_mbps": 2.0, "removed_mbps": -0.5, "removed_low": -1.0, "removed_high": 0.0}
    chances = {
        "chance_target": 0.5,
        "chance_normal": 0.5,
        "chance_n1": 1.0,
        "worst_utilisation": 1.1,
        "futures": 40,
        "states": 80,
    }
    nothing = Weighed(remedy=NOTHING, **figures, **chances)
    other = nothing.model_copy(update={"remedy": remedies(Snapshot.of(triangle()), 150.0)[RemedyKind.PARALLEL_LINK]})
    upgrade = Upgrade(
        rank=1,
        element=element,
        probability=0.75,
        needed_by=NOON,
        earliest=NOON,
        latest=None,
        chosen=other,
        compared=(nothing, other),
        why="it is",
    )
    return CapacityPlan(
        made_at=NOON,
        snapshot_digest="0",
        terms=Terms(),
        congestion=(),
        upgrades=(upgrade,),
        abstained=(),
        assumed=(),
    )


def test_the_sheet_has_a_row_per_remedy_and_marks_the_chosen_one() -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(plan("l0")))))

    assert tuple(rows[0]) == COLUMNS
    assert [(row["remedy"], row["chosen"]) for row in rows] == [("nothing", ""), ("parallel_link", "yes")]
    assert (rows[1]["from"], rows[1]["to"], rows[1]["needed_by"], rows[1]["latest"]) == ("a", "b", "2026-01-12", "")
    assert rows[0]["risk_removed_mbps"] == "-0.5"


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "+1", "-2+3", "@SUM(A1)", "|x", "%1", " =1", "\t=1", "\r=1"])
def test_no_cell_of_a_sheet_is_run(name: str) -> None:
    row = next(iter(csv.DictReader(io.StringIO(as_csv(plan(name))))))

    assert row["element"].startswith("'")


def test_the_json_is_read_back_to_the_same_plan_and_holds_no_control_characters() -> None:
    made = plan("l\u202e0\x1b[31m")

    written = as_json(made)

    assert CapacityPlan.model_validate(json.loads(written)) == made
    assert all(sign == "\n" or " " <= sign <= "~" for sign in written)
