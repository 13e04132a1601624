"""What a plan is predicted to leave behind, in the twin's own words."""

import pytest

from domain.actions import DispatchCrew, DrainLink, InterfaceUp, OpenTicket, RestartProcess, SteerDemand, UnlockCell
from domain.blast import BlastRadius, Quantity
from domain.diagnosis import FaultKind
from domain.faults import hypothesis
from domain.network import Inventory
from domain.proposals import Plan
from tests.twin.small_networks import cell_site, network, square
from twin.blast.classes import class_of
from twin.blast.recovery import Recovery, prior, recovery_of
from twin.blast.spread import Suffering, spread
from twin.snapshot import Snapshot
from twin.worlds import demand_levels, worlds

TIME = Recovery(median_s=4.0, low_s=1.0, high_s=9.0)
REPAIR = InterfaceUp(target="l0.a")


def line(mbps: float = 50.0) -> Inventory:
    """One way from `a` to `b`, and a second line that nothing uses."""
    return network([("a", "b", 1, 100.0), ("b", "c", 1, 100.0)], [("a", "b", mbps)])


def spans(
    inventory: Inventory, *given: tuple[float, FaultKind, str], seen: Suffering | None = None, error: float = 0.0
) -> BlastRadius:
    hypotheses = [(weight, hypothesis(fault, element)) for weight, fault, element in given]
    found = worlds(Snapshot.of(inventory), hypotheses, Plan(steps=(REPAIR,)))
    return spread(found, demand_levels(error), TIME, seen)


def told(radius: BlastRadius, quantity: Quantity) -> tuple[float, float, float | None]:
    span = radius.of(quantity)
    assert span is not None
    return pytest.approx(span.expected), span.low, span.high


def test_what_a_sure_repair_mends_suffers_no_more() -> None:
    found = spans(line(), (1.0, FaultKind.INTERFACE_LOCKED, "l0.a"))

    assert [told(found, quantity) for quantity in Quantity] == [(0, 0, 0)] * 4 + [(4, 1, 9)]
    assert (found.cases, found.calibrated_for) == (0, "")


def test_a_cause_that_the_plan_does_not_mend_counts_with_its_weight() -> None:
    found = spans(line(), (0.7, FaultKind.INTERFACE_LOCKED, "l0.a"), (0.3, FaultKind.NODE_DOWN, "b"))

    assert told(found, Quantity.CIRCUITS) == (0.3, 0, 1)
    assert told(found, Quantity.LOST) == (15, 0, 50)
    assert told(found, Quantity.RECOVERY) == (4, 1, None)


def test_where_the_cause_is_something_else_what_is_seen_to_suffer_goes_on_suffering() -> None:
    seen = Suffering(cells=2, circuits=3, customers=1, lost_mbps=70)
    found = spans(line(), (0.8, FaultKind.INTERFACE_LOCKED, "l0.a"), seen=seen)
    blind = spans(line(), (0.8, FaultKind.INTERFACE_LOCKED, "l0.a"))

    assert told(found, Quantity.CELLS) == (0.4, 0, 2)
    assert told(found, Quantity.LOST) == (14, 0, 70)
    assert told(blind, Quantity.LOST) == (0, 0, 0)


def test_a_small_doubt_leaves_an_end_of_the_recovery_and_a_larger_one_does_not() -> None:
    ends = [spans(line(), (1 - doubt, FaultKind.INTERFACE_LOCKED, "l0.a")) for doubt in (0.04, 0.06)]

    assert [told(found, Quantity.RECOVERY)[2] for found in ends] == [9, None]


def test_the_less_the_twin_knows_of_the_load_the_wider_the_lost_traffic() -> None:
    fault = (1.0, FaultKind.INTERFACE_LOCKED, "l0.a")
    exact, vague = (spans(line(90.0), fault, error=error) for error in (0.0, 0.3))

    assert told(exact, Quantity.LOST) == (0, 0, 0)
    high = told(vague, Quantity.LOST)[2]
    assert high is not None
    assert high > 20


def test_cells_and_customers_are_counted() -> None:
    down = hypothesis(FaultKind.NODE_DOWN, "gnb")
    found = worlds(Snapshot.of(cell_site()), [(1.0, down)], Plan(steps=(UnlockCell(target="cell"),)))
    left = spread(found, demand_levels(0.0), TIME)

    assert told(left, Quantity.CELLS) == (1, 1, 1)
    assert told(left, Quantity.CUSTOMERS) == (1, 1, 1)
    assert told(left, Quantity.RECOVERY)[2] is None


def test_a_detour_that_halves_what_is_lost_leaves_the_other_half() -> None:
    found = spans(square(), (1.0, FaultKind.LINK_DOWN, "l0"))

    assert told(found, Quantity.CIRCUITS)[0] == 0


def test_the_class_of_a_plan_is_that_of_its_most_harmful_step() -> None:
    ticket = OpenTicket(target="inc_1", description="x")
    drain = DrainLink(target="l0", previous_metric=1)

    assert class_of(Plan(steps=(ticket, REPAIR))) is REPAIR.kind
    assert class_of(Plan(steps=(DispatchCrew(target="l0"), drain))) is drain.kind
    assert class_of(Plan(steps=(REPAIR, DispatchCrew(target="l0")))) is REPAIR.kind
    assert class_of(Plan(steps=(RestartProcess(target="a"), SteerDemand(target="d0", via="b")))).value == (
        "restart_process"
    )


def test_few_earlier_plans_tell_nothing_and_five_do() -> None:
    assert recovery_of([1.0] * 4, TIME) == TIME
    found = recovery_of([2.0, 3.0, 4.0, 5.0, 6.0], TIME)
    assert found.median_s == 4.0
    assert 2.0 <= found.low_s < 4.0 < found.high_s <= 6.0


def test_a_crew_is_given_the_time_that_the_house_gives_it() -> None:
    times = {"reaction_s": 4.0, "period_s": 0.5, "crew_s": 3600.0}
    device, crew = (prior(kind, **times) for kind in (REPAIR.kind, DispatchCrew(target="l0").kind))

    assert device.low_s < device.median_s < device.high_s < 60
    assert crew.low_s < crew.median_s < 3600 < crew.high_s
