"""Rehearsals: what speaks for a plan, what against it, and what the verdict rests on."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pytest

from domain.actions import (
    DRAINED_METRIC,
    Action,
    DispatchCrew,
    DrainLink,
    InterfaceDown,
    InterfaceUp,
    LockCell,
    OpenTicket,
    RestartProcess,
    SteerDemand,
    UndrainLink,
    UnlockCell,
)
from domain.changes import Change, ScaleDemand, SetLoss, SetVia
from domain.diagnosis import FaultKind
from domain.errors import BadInput
from domain.faults import hypothesis
from domain.network import Administrative, Inventory
from domain.proposals import Plan
from domain.rehearsal import Fact, Rehearsal
from tests.twin.small_networks import cell_site, network, square
from twin.rehearsal import rehearse
from twin.snapshot import Snapshot
from twin.steps import left_behind

NOON = datetime(2026, 1, 12, 12, tzinfo=UTC)
LOCKED = [(1.0, hypothesis(FaultKind.INTERFACE_LOCKED, "l0.a"))]
Seen = Mapping[tuple[str, str], str | float]


def rehearsed(
    inventory: Inventory,
    *steps: Action,
    given: Sequence[tuple[float, tuple[Change, ...]]] = (),
    seen: Seen | None = None,
    error: float | None = 0.05,
) -> Rehearsal:
    values = seen or {}
    return rehearse(
        proposal_id="prop_1",
        plan=Plan(steps=steps),
        snapshot=Snapshot.of(inventory),
        hypotheses=given,
        observed=lambda element, attribute: values.get((element, attribute)),
        twin_error=error,
        self_heal=0.2,
        now=NOON,
        new_id=lambda prefix: f"{prefix}_1",
    )


def test_unlocking_what_is_locked_is_sound() -> None:
    result = rehearsed(square(), InterfaceUp(target="l0.a"), given=LOCKED)
    assert result.sound
    assert result.recovers == ("l0", "l0.a", "l0.b")
    assert result.at_risk == ()
    assert result.nothing.expected.unavailable == ("l0", "l0.a", "l0.b")


def test_a_plan_that_brings_nothing_is_not_sound() -> None:
    result = rehearsed(square(), InterfaceUp(target="l0.a"))
    assert not result.sound
    assert "no better than doing nothing" in result.reasons[0]


def test_steering_around_congestion_is_sound() -> None:
    edges = [("a", "b", 1, 100.0), ("a", "c", 1, 200.0), ("c", "b", 1, 200.0)]
    inventory = network(edges, [("a", "b", 70.0), ("a", "b", 20.0)])
    surge = [(0.9, (ScaleDemand(demand="d0", factor=2.0),))]
    result = rehearsed(inventory, SteerDemand(target="d0", via="c"), given=surge)
    assert result.sound
    assert result.nothing.expected.lost_mbps == pytest.approx(60.0)
    assert result.plan.expected.lost_mbps == pytest.approx(0.0)
    assert {"d0", "d1", "l0"} <= set(result.recovers)


def test_half_of_a_demand_is_steered_where_neither_way_could_carry_all_of_it() -> None:
    edges = [("a", "b", 1, 100.0), ("a", "c", 1, 100.0), ("c", "b", 1, 100.0)]
    surge = [(0.9, (ScaleDemand(demand="d0", factor=2.0),))]
    inventory = network(edges, [("a", "b", 80.0)])
    whole = rehearsed(inventory, SteerDemand(target="d0", via="c"), given=surge)
    half = rehearsed(inventory, SteerDemand(target="d0", via="c", share=0.5), given=surge)
    assert (whole.sound, half.sound) == (False, True)
    assert half.plan.expected.lost_mbps == pytest.approx(0.0)


def test_a_plan_that_forgets_the_share_in_force_cannot_be_undone() -> None:
    edges = [("a", "b", 1, 100.0), ("a", "c", 1, 100.0), ("c", "b", 1, 100.0)]
    shared = Snapshot.of(network(edges, [("a", "b", 80.0)])).with_changes([SetVia(demand="d0", via="c", share=0.5)])
    step = SteerDemand(target="d0", via=None, previous_via="c")
    assert left_behind(shared, Plan(steps=(step,))) == ("`via` of `d0` is 'c' and was 'c@0.50'",)
    assert left_behind(shared, Plan(steps=(step.but(previous_share=0.5),))) == ()


def test_draining_a_spoiled_link_onto_one_that_cannot_take_it_is_not_sound() -> None:
    inventory = square(mbps=190.0, capacity=100.0)
    spoiled = [(1.0, (SetLoss(link="l0", share=0.05),))]
    result = rehearsed(inventory, DrainLink(target="l0", previous_metric=1), given=spoiled)
    assert not result.sound
    assert "worse than doing nothing" in result.reasons[0]


def test_customers_who_would_have_been_spared_speak_against_a_plan() -> None:
    result = rehearsed(cell_site(), LockCell(target="cell"), UnlockCell(target="cell"))
    assert not result.sound
    assert any("after step 1 customers suffer" in reason and "acme" in reason for reason in result.reasons)


def test_customers_who_suffer_in_the_end_speak_against_a_plan() -> None:
    result = rehearsed(cell_site(), InterfaceDown(target="l0.a"))
    assert "after step 1 customers suffer who would not otherwise: acme" in result.reasons


def test_an_inverse_that_leads_elsewhere_speaks_against_a_plan() -> None:
    spoiled = [(1.0, (SetLoss(link="l0", share=0.05),))]
    good = rehearsed(square(), DrainLink(target="l0", previous_metric=1), given=spoiled)
    bad = rehearsed(square(), DrainLink(target="l0", previous_metric=7), given=spoiled)
    assert good.sound
    assert not bad.sound
    assert "`metric` of `l0` is 7 and was 1" in bad.reasons[0]


def test_the_inverse_is_forecast_to_lead_back_to_doing_nothing() -> None:
    spoiled = [(1.0, (SetLoss(link="l0", share=0.05),))]
    result = rehearsed(square(), DrainLink(target="l0", previous_metric=1), given=spoiled)
    assert result.inverse == result.nothing


def test_what_cannot_be_undone_has_no_inverse_and_may_be_sound() -> None:
    hung = [(1.0, hypothesis(FaultKind.PROCESS_HUNG, "gw"))]
    result = rehearsed(cell_site(), RestartProcess(target="gw"), given=hung)
    assert result.inverse is None
    assert result.sound
    assert {"gw", "l0", "gnb", "cell", "d0"} <= set(result.recovers)


def test_a_crew_repairs_and_its_recall_undoes_no_repair() -> None:
    result = rehearsed(cell_site(), DispatchCrew(target="l0"), given=[(1.0, hypothesis(FaultKind.LINK_DOWN, "l0"))])
    assert result.sound
    assert "l0" in result.recovers


def test_a_ticket_is_sound_and_recovers_nothing() -> None:
    result = rehearsed(square(), OpenTicket(target="inc_1", description="a link is down"), given=LOCKED)
    assert result.sound
    assert result.recovers == ()
    assert result.facts == ()


def test_under_another_cause_a_plan_gets_no_credit() -> None:
    open_line = network([("a", "b", 1, 100.0)], [("a", "b", 10.0)])
    points = tuple(p.but(administrative=Administrative.LOCKED) for p in open_line.termination_points[:1])
    locked_line = open_line.but(termination_points=(*points, *open_line.termination_points[1:]))
    plan = rehearsed(locked_line, InterfaceUp(target="l0.a"), given=[(0.5, ())], error=0.0).plan
    assert (plan.lost_low, plan.lost_high) == (0.0, 10.0)


def test_under_another_cause_a_plan_can_still_do_harm() -> None:
    line = network([("a", "b", 1, 100.0)], [("a", "b", 10.0)])
    half = [(0.5, hypothesis(FaultKind.INTERFACE_LOCKED, "l0.a"))]
    result = rehearsed(line, InterfaceDown(target="l0.b"), given=half, error=0.0)
    assert (result.nothing.lost_low, result.plan.lost_low) == (0.0, 10.0)


def test_the_interval_holds_the_uncertainty_of_cause_and_of_load() -> None:
    cut = network([("a", "b", 1, 100.0)], [("a", "b", 10.0)])
    half = [(0.5, hypothesis(FaultKind.INTERFACE_LOCKED, "l0.a"))]
    sure = rehearsed(cut, InterfaceUp(target="l0.a"), given=LOCKED, error=0.0).nothing
    unsure = rehearsed(cut, InterfaceUp(target="l0.a"), given=half, error=0.2).nothing
    assert (sure.lost_low, sure.lost_high) == (10.0, 10.0)
    assert unsure.lost_low == 0.0
    assert unsure.lost_high > 12.0


def test_a_twin_that_is_wrong_or_unmeasured_is_not_fit() -> None:
    fits = [rehearsed(square(), InterfaceUp(target="l0.a"), error=error).twin_fit for error in (0.05, 0.6, None)]
    assert fits == [True, False, False]


@pytest.mark.parametrize(
    ("step", "named"),
    [
        (InterfaceUp(target="cell"), "termination_point, and `cell` is a cell"),
        (UnlockCell(target="gnb"), "`gnb` is a gnb"),
        (DrainLink(target="l0.a", previous_metric=1), "`l0.a` is a termination_point"),
        (SteerDemand(target="d9", via="gw"), "`d9`, which is not there"),
        (SteerDemand(target="d0", via="power"), "`power` is no routing node"),
        (RestartProcess(target="power"), "`power` is a power"),
        (DispatchCrew(target="s0"), "`s0`, which is not there"),
    ],
)
def test_a_step_that_does_not_fit_the_network_is_refused(step: Action, named: str) -> None:
    with pytest.raises(BadInput, match=named):
        rehearsed(cell_site(), step)


def test_a_hypothesis_about_nothing_is_refused() -> None:
    with pytest.raises(BadInput, match="`l9`"):
        rehearsed(square(), InterfaceUp(target="l0.a"), given=[(0.5, hypothesis(FaultKind.LINK_DOWN, "l9"))])


def test_facts_are_what_was_rehearsed_and_what_was_seen() -> None:
    seen: Seen = {("l0.a", "administrative"): "locked", ("l0.a", "oper_up"): "0", ("l0.b", "oper_up"): "0"}
    result = rehearsed(square(), InterfaceUp(target="l0.a"), given=LOCKED, seen=seen)
    assert result.facts == (
        Fact(element="l0.a", attribute="administrative", value="locked"),
        Fact(element="l0.a", attribute="oper_up", value="0"),
        Fact(element="l0.b", attribute="oper_up", value="0"),
    )


def test_where_nothing_is_known_there_is_no_fact() -> None:
    assert rehearsed(square(), InterfaceUp(target="l0.a"), given=LOCKED).facts == ()


def test_a_link_that_the_plan_loads_is_held_to_the_level_at_which_it_would_overflow() -> None:
    spoiled = [(1.0, (SetLoss(link="l0", share=0.05),))]
    seen: Seen = {("l2.a", "utilisation"): 0.45, ("l0.a", "utilisation"): 0.4}
    result = rehearsed(square(mbps=80.0), DrainLink(target="l0", previous_metric=1), given=spoiled, seen=seen)
    assert result.sound
    (band,) = result.facts
    assert (band.element, band.attribute, band.low) == ("l2.a", "utilisation", 0.0)
    assert band.high == pytest.approx(0.6)


def test_measured_load_that_leaves_no_room_speaks_against_a_plan() -> None:
    spoiled = [(1.0, (SetLoss(link="l0", share=0.05),))]
    seen: Seen = {("l2.a", "utilisation"): 0.7}
    result = rehearsed(square(mbps=80.0), DrainLink(target="l0", previous_metric=1), given=spoiled, seen=seen)
    assert not result.sound
    assert "`l2.a` carries 70%" in result.reasons[0]


def test_facts_of_a_later_step_are_those_of_the_state_rehearsed_so_far() -> None:
    drain, undrain = DrainLink(target="l0", previous_metric=1), UndrainLink(target="l0", metric=5)
    result = rehearsed(square(), drain, undrain, seen={("l0", "metric"): "1"})
    assert result.step_facts == (
        (Fact(element="l0", attribute="metric", value="1"),),
        (Fact(element="l0", attribute="metric", value=str(DRAINED_METRIC)),),
    )


def test_the_impact_of_each_step_is_shown() -> None:
    drain, undrain = DrainLink(target="l0", previous_metric=1), UndrainLink(target="l0", metric=1)
    steps = rehearsed(square(mbps=80.0), drain, undrain).steps
    assert [step.max_utilisation for step in steps] == [0.8, 0.4]
