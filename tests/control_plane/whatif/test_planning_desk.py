"""Before a push, and before something is built: long questions to the twin, on the network as it is believed to be."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from agents.capacity import Capacity
from control_plane.whatif.believing import Alone
from control_plane.whatif.planning_desk import PlanningDesk, as_believed
from domain.capacity import Terms
from domain.changes import ScaleDemand
from domain.clock import ManualClock
from domain.errors import BadInput, NotFound, Refused, Unavailable
from domain.identity import Principal, Scope
from tests.control_plane.whatif.remembered_weeks import remember
from tests.stage import Stage, make_stage
from twin.configuration import generate, write
from twin.planning.history import fold

TERMS = Terms(horizons_weeks=(4,), futures=10, failures=2)


@pytest.fixture
def stage(clock: ManualClock) -> Stage:
    return make_stage(clock)


@pytest.fixture
def desk(stage: Stage) -> PlanningDesk:
    tools = SimpleNamespace(twin=stage.road.live)
    return PlanningDesk(stage.road, lambda: Capacity(tools))


@pytest.fixture
def sound(stage: Stage) -> str:
    return write(generate(stage.road.live.inventory))


def test_a_sound_configuration_passes_beside_the_error_of_the_twin(
    stage: Stage, desk: PlanningDesk, sound: str
) -> None:
    found = desk.check(stage.one, sound, sound)

    assert (found.blocks, found.findings, found.order, found.diff) == (False, (), (), "")
    assert found.believed.fidelity == stage.road.live.fidelity()


def _one_metric(text: str) -> str:
    """Return the configuration with the metric of one end of the first link altered."""
    head, tail = text.split("description link:a-b", 1)
    return head + "description link:a-b" + tail.replace("ospf metric 10", "ospf metric 11", 1)


def test_what_blocks_a_push_is_named_with_its_lines(stage: Stage, desk: PlanningDesk, sound: str) -> None:
    found = desk.check(stage.one, _one_metric(sound), sound)

    assert found.blocks
    assert [finding.id for finding in found.findings if finding.blocks] == ["CFG-IGP-METRIC"]
    assert found.findings[0].lines


def test_a_push_is_judged_by_the_traffic_that_is_believed(stage: Stage) -> None:
    surge = stage.road.live.snapshot().with_changes([ScaleDemand(demand="demand:a-b", factor=6.0)])

    (demand,) = as_believed(surge).demands

    assert demand.mbps == pytest.approx(120.0)
    assert as_believed(surge).links == surge.inventory.links


@pytest.mark.parametrize(
    ("text", "said"), [("", "empty"), ("router node:nowhere\n", "`node:nowhere` is no router"), ("colour\n", "line 1")]
)
def test_a_configuration_that_cannot_be_read_is_said(stage: Stage, desk: PlanningDesk, text: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        desk.check(stage.one, text)


def test_capacity_is_planned_by_what_the_house_has_measured(
    stage: Stage, desk: PlanningDesk, clock: ManualClock
) -> None:
    remember(stage.ledger, clock, 13, {"tp:a-b": 57.0, "tp:b-c": 10.0})

    found = desk.capacity(stage.one, terms=TERMS)

    assert {one.element for one in found.plan.congestion} == {"tp:a-b", "tp:b-c"}
    assert [one.element for one in found.plan.upgrades] == ["link:a-b"]
    assert len(found.plan.upgrades[0].compared) >= 3
    assert (found.history.hours, found.history.measured) == (13 * 168, 1.0)
    assert found.history.source == "measured by this house"
    assert found.believed.fidelity == stage.road.live.fidelity()
    assert found.plan.snapshot_digest == found.believed.digest


@pytest.mark.parametrize(("weeks", "hours"), [(0, 0), (2, 336)])
def test_too_short_a_history_says_how_long_it_is_and_how_long_it_must_be(
    stage: Stage, desk: PlanningDesk, clock: ManualClock, weeks: int, hours: int
) -> None:
    if weeks:
        remember(stage.ledger, clock, weeks, {"tp:a-b": 20.0})

    with pytest.raises(NotFound, match=rf"measured {hours} whole hours of link load, and needs 2016 \(12 weeks\)"):
        desk.capacity(stage.one)


def test_a_history_that_is_sent_along_is_taken_instead(stage: Stage, desk: PlanningDesk, clock: ManualClock) -> None:
    remember(stage.ledger, clock, 13, {"tp:a-b": 20.0})
    weeks = stage.ledger.read(lambda tables: tables.hourly_loads.find())
    sent = [[row.sent["tp:a-b"][0] / 3600 for row in sorted(weeks, key=lambda row: row.starts)]]
    history = fold(["link:b-c"], np.array(sent), 60, clock.now())

    found = desk.capacity(stage.one, history, TERMS)

    assert [one.element for one in found.plan.congestion] == ["link:b-c"]
    assert (found.history.source, found.history.hours) == ("sent by the caller", 13 * 168)


def test_one_long_question_at_a_time_and_none_without_an_agent(stage: Stage, sound: str, clock: ManualClock) -> None:
    alone = Alone()
    desk = PlanningDesk(stage.road, alone=alone)
    remember(stage.ledger, clock, 12, {"tp:a-b": 20.0})

    with alone(), pytest.raises(Unavailable, match="another long question"):
        desk.check(stage.one, sound)
    with pytest.raises(Unavailable, match="nobody plans capacity here"):
        desk.capacity(stage.one)


def test_who_may_not_look_or_sees_some_regions_only_is_refused(stage: Stage, desk: PlanningDesk, sound: str) -> None:
    nobody = Principal(id="acc_nobody", name="nobody", roles=frozenset())
    local = stage.one.but(scope=Scope(regions=frozenset({"north"})))
    questions: tuple[Callable[[Principal], object], ...] = (lambda who: desk.check(who, sound), desk.capacity)
    for who in (nobody, local):
        for ask in questions:
            with pytest.raises(Refused):
                ask(who)
