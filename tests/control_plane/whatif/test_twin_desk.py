"""Questions to the twin: what is believed, what would follow, and within which horizon."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from control_plane.live import Live
from control_plane.whatif.desk import TwinDesk
from control_plane.whatif.sweeping import SweepKind
from domain.changes import Change, ScaleDemand, SetCapacity, SetMetric, SetVia
from domain.clock import ManualClock
from domain.errors import BadInput, Refused
from domain.identity import Principal, Scope
from domain.network import Demand, Dependency, DependencyKind, Inventory, Node, NodeKind, Radio, UserGroup
from tests.stage import Stage, make_stage, ring
from twin.consequences import service_levels
from twin.evaluate import evaluate
from twin.scene import usd


@pytest.fixture
def stage(clock: ManualClock) -> Stage:
    return make_stage(clock)


@pytest.fixture
def desk(stage: Stage) -> TwinDesk:
    return TwinDesk(stage.road)


def test_the_twin_says_what_it_believes_and_how_far_it_is_off(stage: Stage, desk: TwinDesk) -> None:
    view = desk.show(stage.one)

    assert (view.name, view.nodes, view.links, view.demands) == ("ring", 5, 4, 1)
    assert view.believed.source == "live"
    assert view.believed.fidelity == stage.road.live.fidelity()
    assert view.busiest[0].then == max(load.then for load in view.busiest)


def test_a_failure_is_compared_with_now_and_changes_nothing(stage: Stage, desk: TwinDesk) -> None:
    before = stage.road.live.snapshot().digest

    found = desk.what_if(stage.one, ["node:b"])

    assert found.now is not None
    assert found.then is not None
    assert found.now.lost_mbps == 0.0
    assert found.then.demands_hit == ("demand:a-b",)
    assert found.then.lost_mbps == pytest.approx(found.then.offered_mbps)
    assert {"node:b", "demand:a-b"} <= set(found.worse)
    assert found.better == ()
    assert stage.road.live.snapshot().digest == before


def test_a_change_moves_load_to_the_other_way(stage: Stage, desk: TwinDesk) -> None:
    found = desk.what_if(stage.one, [], [SetMetric(link="link:a-b", metric=1000)])
    loads = {load.link: (load.now, load.then) for load in found.busiest}

    assert loads["link:a-b"][1] == 0.0
    assert loads["link:b-c"] == (0.0, loads["link:a-b"][0])


def test_a_past_moment_is_answered_from_what_was_stored(stage: Stage, desk: TwinDesk, clock: ManualClock) -> None:
    found = desk.what_if(stage.one, ["link:a-b"], at=clock.now() - timedelta(days=1))
    assert "no earlier snapshot" in found.believed.source


@pytest.mark.parametrize(
    ("fail", "changes", "said"),
    [
        ([], [], "1 to 1000 changes, not 0"),
        (["link:nowhere"], [], "`link:nowhere` is no element"),
        (["link:a-b"] * 2, [SetCapacity(link="link:x", share=0.5)], "`link:x` is no element"),
        ([], [SetVia(demand="demand:a-b", via="power:a")], "`power:a` is no routing node"),
        ([], [SetMetric(link="link:a-b", metric=m) for m in (1, 2)], "to two values"),
        ([], [SetMetric(link="link:a-b", metric=1)] * 1001, "not 1001"),
    ],
)
def test_what_cannot_be_asked_is_said(
    stage: Stage, desk: TwinDesk, fail: list[str], changes: list[Change], said: str
) -> None:
    with pytest.raises(BadInput, match=said):
        desk.what_if(stage.one, fail, changes)


def test_steering_relieves_the_fullest_link_and_says_how_good_it_could_be(stage: Stage, desk: TwinDesk) -> None:
    found = desk.steer(stage.one)

    assert found.now == desk.show(stage.one).busiest[0].now
    assert found.optimum is not None
    assert found.optimum <= found.after <= found.now
    assert found.after_failure is not None
    assert found.after_failure >= found.after


def test_steering_says_what_its_moves_would_lose_and_make_late(stage: Stage) -> None:
    full = ring().but(demands=tuple(demand.but(mbps=150.0) for demand in ring().demands))
    stage.road.live = Live(full, stage.clock, period_s=1.0, lateness_s=60.0)
    found = TwinDesk(stage.road).steer(stage.one)

    moves = [SetVia(demand=move.demand, via=move.via, share=move.share) for move in found.moves]
    now, then = evaluate(stage.road.live.snapshot()), evaluate(stage.road.live.snapshot(), moves)
    assert moves
    assert (found.lost_now, found.lost_after) == (now.lost_mbps, then.lost_mbps)
    assert found.lost_after < found.lost_now
    assert set(found.late_after) == set(then.late_demands) - set(now.late_demands)


def test_the_learner_is_shown_in_shadow_beside_greed_and_nothing_follows_from_it(stage: Stage, desk: TwinDesk) -> None:
    before = desk.show(stage.one).believed.digest

    found = desk.steer(stage.one)

    assert found.shadow.learner is not None
    assert found.shadow.greedy is not None
    assert max(found.shadow.learner.after, found.shadow.greedy.after) <= found.now
    assert "in shadow" in found.shadow.note
    assert desk.show(stage.one).believed.digest == before


def test_without_moves_nothing_is_relieved(stage: Stage, desk: TwinDesk) -> None:
    found = desk.steer(stage.one, 0)
    assert (found.moves, found.after) == ((), found.now)


@pytest.mark.parametrize("limit", [-1, 101])
def test_a_limit_out_of_bounds_is_refused(stage: Stage, desk: TwinDesk, limit: int) -> None:
    with pytest.raises(BadInput, match="0 to 100 moves"):
        desk.steer(stage.one, limit)


def test_a_sweep_says_of_every_failure_what_a_what_if_says(stage: Stage, desk: TwinDesk) -> None:
    found = desk.sweep(stage.one, SweepKind.LINKS).found

    assert (found.scenarios, found.overloading, found.losing) == (4, 0, 0)
    for failure in found.worst:
        alone = desk.what_if(stage.one, [failure.name]).then
        assert alone is not None
        assert failure.max_utilisation == pytest.approx(alone.max_utilisation, abs=1e-3)


def test_the_worst_failures_of_nodes_come_first(stage: Stage, desk: TwinDesk) -> None:
    found = desk.sweep(stage.one, SweepKind.NODES).found

    assert found.losing == 2
    assert {failure.name for failure in found.worst[:2]} == {"node:a", "node:b"}


@pytest.mark.parametrize(("kind", "count"), [(SweepKind.PAIRS, 6), (SweepKind.SHARED_RISKS, 0)])
def test_pairs_and_groups_are_swept(stage: Stage, desk: TwinDesk, kind: SweepKind, count: int) -> None:
    assert desk.sweep(stage.one, kind).found.scenarios == count


def test_the_future_is_not_known(stage: Stage, desk: TwinDesk, clock: ManualClock) -> None:
    with pytest.raises(BadInput, match="future"):
        desk.show(stage.one, clock.now() + timedelta(hours=1))


def test_who_may_not_look_may_not_ask(stage: Stage, desk: TwinDesk) -> None:
    nobody = Principal(id="acc_nobody", name="nobody", roles=frozenset())
    questions: tuple[Callable[[], object], ...] = (
        lambda: desk.show(nobody),
        lambda: desk.what_if(nobody, ["link:a-b"]),
        lambda: desk.scene(nobody),
        lambda: desk.steer(nobody),
        lambda: desk.sweep(nobody, SweepKind.LINKS),
    )
    for ask in questions:
        with pytest.raises(Refused):
            ask()


def site() -> Inventory:
    """Return the stage's ring with what more physics need: a battery, a bound on delay, elastic traffic and a cell."""
    plain = ring()
    cell = Node(
        id="cell:b",
        kind=NodeKind.CELL,
        name="cell",
        latitude=50.0,
        longitude=8.0,
        radio=Radio(
            power_dbm=43.0, prbs=50, users=(UserGroup(latitude=50.003, longitude=8.0, count=30, offered_mbps=4.0),)
        ),
    )
    nodes = tuple(node.but(battery_hours=4.0) if node.id == "power:a" else node for node in plain.nodes)
    bulk = Demand(id="demand:bulk", source="node:a", destination="node:b", mbps=300.0, traffic_class="bulk")
    return plain.but(
        nodes=(*nodes, cell),
        dependencies=(
            *plain.dependencies,
            Dependency(dependent="cell:b", on=("node:b",), kind=DependencyKind.SERVED_BY, needs=1),
        ),
        demands=(*plain.demands, bulk),
        slices=(plain.slices[0].but(max_delay_ms=100.0),),
        elastic_classes=("bulk",),
    )


@pytest.fixture
def sited(stage: Stage) -> TwinDesk:
    """The desk of a road on that network."""
    stage.road.live = Live(site(), stage.clock, period_s=1.0, lateness_s=60.0)
    return TwinDesk(stage.road)


def test_delays_elastic_traffic_and_radio_stand_beside_now(stage: Stage, sited: TwinDesk) -> None:
    now = sited.show(stage.one).levels
    found = sited.what_if(stage.one, ["link:a-b"])

    assert found.levels_now == now
    assert now is not None
    assert found.levels_then is not None
    assert (now.demands_late, now.users_unserved, now.cells_overloaded) == ((), 0, ())
    assert found.levels_then.demands_late == ("demand:a-b",)  # three full buffers in place of one
    assert found.levels_then.slices_late == ("slice:1",)
    assert found.levels_then.customers_late == ("customer:1",)
    assert found.levels_then.held_back_mbps == pytest.approx(now.held_back_mbps) == pytest.approx(220.0)

    lost = sited.what_if(stage.one, ["node:b"]).levels_then
    assert lost is not None
    assert lost.users_unserved == 30


def test_delays_are_told_with_queues_as_bursty_as_they_were_measured(stage: Stage, sited: TwinDesk) -> None:
    found = sited.show(stage.one).levels
    state = stage.road.live.snapshot()
    assert found is not None
    assert found == service_levels(stage.road.live.twin.as_bursty(evaluate(state)))


@pytest.mark.parametrize(("hours", "lost"), [(3.9, False), (4.0, True), (None, True)])
def test_a_site_without_mains_works_as_long_as_its_battery(
    stage: Stage, sited: TwinDesk, hours: float | None, lost: bool
) -> None:
    found = sited.what_if(stage.one, ["power:a"], hours=hours)

    assert found.hours == hours
    assert found.then is not None
    assert ("demand:a-b" in found.then.demands_hit) is lost


@pytest.mark.parametrize("hours", [-1.0, float("nan"), float("inf")])
def test_no_horizon_is_refused(stage: Stage, desk: TwinDesk, hours: float) -> None:
    with pytest.raises(BadInput, match="horizon"):
        desk.what_if(stage.one, ["link:a-b"], hours=hours)


def test_overload_spreads_round_by_round_only_where_that_is_asked(stage: Stage, desk: TwinDesk) -> None:
    surge = [ScaleDemand(demand="demand:a-b", factor=10.0)]

    alone, spread = (desk.what_if(stage.one, [], surge, spreading=spreading) for spreading in (False, True))

    assert alone.rounds is None
    assert spread.rounds == (("link:a-b",), ("link:b-c", "link:c-d", "link:d-a"))
    assert alone.then is not None
    assert spread.then is not None
    assert alone.then.lost_mbps < spread.then.lost_mbps == pytest.approx(200.0)
    assert desk.what_if(stage.one, ["link:c-d"], spreading=True).rounds == ()


def test_a_caller_of_some_regions_is_told_nothing_of_the_whole(stage: Stage, desk: TwinDesk) -> None:
    local = stage.one.but(scope=Scope(regions=frozenset({"north"})))

    view = desk.show(local)

    assert (view.impact, view.levels, view.busiest) == (None, None, ())


def test_a_shared_risk_that_reaches_beyond_what_one_sees_reads_like_none(stage: Stage) -> None:
    plain = ring()
    south = {"node:c", "node:d"}
    split = plain.but(
        nodes=tuple(node.but(region="south" if node.id in south else "north") for node in plain.nodes),
        links=tuple(
            link.but(srlgs={"link:a-b": ("duct", "own"), "link:c-d": ("duct",)}.get(link.id, ()))
            for link in plain.links
        ),
    )
    stage.road.live = Live(split, stage.clock, period_s=1.0, lateness_s=60.0)
    desk, local = TwinDesk(stage.road), stage.one.but(scope=Scope(regions=frozenset({"north"})))

    assert [change.kind for change in desk.what_if(local, ["own"]).changes] == ["set_operational"]
    with pytest.raises(BadInput, match="`duct` is no element") as refused:
        desk.what_if(local, ["duct"])
    assert "c-d" not in refused.value.reason


def test_a_scene_says_how_far_the_twin_is_off(stage: Stage, desk: TwinDesk) -> None:
    taken = desk.scene(stage.one)

    assert taken["believed"]["fidelity"] == stage.road.live.fidelity().plain()
    assert f'string nocturne:fidelity = "{stage.road.live.fidelity().reason}"' in usd(taken)
