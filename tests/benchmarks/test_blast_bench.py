"""The blast bench in miniature: cases on a real house over a driven plant, and figures on cases made by hand."""

from collections.abc import Sequence

import numpy as np
import pytest

from benchmarks.blast import figures_of, held, judged
from benchmarks.blast_baselines import alarm_after, constant, halved
from benchmarks.blast_campaign import LEARNT_ON, MEASURED_ON, STORY, Ground, ground_of, played, read_rows
from benchmarks.blast_case import NO_ELEMENT, Row
from benchmarks.blast_training import case_of, learnt
from domain.actions import ActionClass
from domain.blast import BlastRadius, Quantity, Span
from domain.diagnosis import FaultKind
from domain.errors import Unavailable

CLASSES = (ActionClass.INTERFACE_UP, ActionClass.DISPATCH_CREW)
WIDTHS = {Quantity.CELLS: 1.0, Quantity.CIRCUITS: 2.0, Quantity.CUSTOMERS: 2.0}


def row(number: int, lost: float, *, action_class: ActionClass = CLASSES[0], recovery: float | None = 4.0) -> Row:
    """A case of which the twin said: some circuits, 40 to 60 Mbit/s lost, over within 2 to 8 s."""
    counts = [Span(quantity=quantity, expected=1.0, low=0.0, high=width) for quantity, width in WIDTHS.items()]
    spans = (
        *counts,
        Span(quantity=Quantity.LOST, expected=50.0, low=40.0, high=60.0),
        Span(quantity=Quantity.RECOVERY, expected=4.0, low=2.0, high=8.0),
    )
    truth = dict.fromkeys(WIDTHS, 1.0) | {Quantity.LOST: lost, Quantity.RECOVERY: recovery}
    return Row(
        network="generated:60",
        seed=number // 10,
        case=number % 10,
        fault="link_down",
        element="link:a",
        story="honest",
        action_class=str(action_class),
        raw=BlastRadius(spans=spans),
        truth=truth,
        resolution="restored",
    )


def rows(count: int, seed: int) -> list[Row]:
    """Cases that lose 50 Mbit/s, give or take twice what the twin believes."""
    rng = np.random.default_rng(seed)
    return [
        row(number, float(max(0.0, rng.normal(50.0, 15.0))), action_class=CLASSES[number % 2])
        for number in range(count)
    ]


@pytest.fixture(scope="module")
def came() -> Sequence[Row | str]:
    story = (FaultKind.CELL_LOCKED, FaultKind.CONGESTION, FaultKind.INTERFACE_LOCKED)
    return list(played(Ground("generated:60", 5001, 2.0, story)))


def test_a_fault_becomes_a_case_with_what_was_said_and_what_was_so(came: Sequence[Row | str]) -> None:
    cell, congestion, _ = came

    assert isinstance(cell, Row)
    assert (cell.action_class, cell.fault) == (ActionClass.UNLOCK_CELL, "cell_locked")
    assert {span.quantity for span in cell.raw.spans} == set(Quantity) == cell.truth.keys()
    assert cell.raw.cases == 0  # the twin's own words
    assert congestion == NO_ELEMENT


def test_a_repaired_network_is_whole_again_and_the_house_measured_the_same(came: Sequence[Row | str]) -> None:
    repaired = [case for case in came if isinstance(case, Row) and case.resolution == "restored"]

    assert repaired
    for case in repaired:
        truth, measured = case.truth, case.measured
        assert measured is not None
        assert [truth[quantity] for quantity in WIDTHS] == [0.0, 0.0, 0.0]
        assert [measured[quantity] for quantity in WIDTHS] == [0.0, 0.0, 0.0]
        assert 0.0 < (truth[Quantity.RECOVERY] or 0.0) < 10.0


def test_what_was_learnt_from_and_what_is_measured_on_share_no_network() -> None:
    assert not set(LEARNT_ON) & set(MEASURED_ON)
    assert len({ground_of(seed) for seed in (*LEARNT_ON, *MEASURED_ON)}) == len(LEARNT_ON) + len(MEASURED_ON)
    assert len(set(STORY)) == 9


def test_a_case_survives_being_written_down() -> None:
    kept = row(1, 50.0, recovery=None)

    assert read_rows([f'{{"row": {kept.model_dump_json()}}}', '{"missed": "no sound repair"}', ""]) == [kept]


def test_all_five_spans_must_hold_at_once() -> None:
    inside, late, never = row(1, 55.0), row(2, 55.0, recovery=9.0), row(3, 55.0, recovery=None)

    assert held(inside.raw, inside.truth)
    assert not held(late.raw, late.truth)
    assert not held(never.raw, never.truth)
    without_end = never.raw.but(spans=(*never.raw.spans[:4], never.raw.spans[4].but(high=None)))
    assert held(without_end, never.truth)


def test_figures_are_counted_over_all_by_class_and_by_quantity() -> None:
    cases = [row(1, 50.0), row(2, 70.0), row(3, 50.0, action_class=CLASSES[1]), row(4, 45.0, action_class=CLASSES[1])]

    figures = figures_of(cases, lambda case: case.raw)

    assert (figures["n"], figures["coverage_90"], figures["coverage_worst_class"]) == (4, 0.75, 0.5)
    assert figures["median_width"] == 20.0
    assert figures["by_class"]["dispatch_crew"] | {"low": 0, "high": 0} == {
        "coverage": 1.0,
        "n": 2,
        "low": 0,
        "high": 0,
    }
    assert figures["by_quantity"]["lost_mbps"]["coverage"] == 0.75
    assert figures["by_quantity"]["cells"] == {"coverage": 1.0, "median_width": 1.0, "open": 0.0}


def test_what_was_learnt_holds_as_often_as_it_claims_on_cases_it_never_saw() -> None:
    calibration = learnt(rows(400, seed=1), range(40))

    figures, baselines = judged(rows(400, seed=2), calibration)

    assert 0.85 <= figures["coverage_90"] <= 0.95
    assert baselines["unscaled"]["coverage_90"] < 0.6
    assert baselines["biased"]["coverage_90"] < 0.5
    assert baselines["biased"]["alarms"] == 1.0 > figures["alarms"]
    assert 0 < baselines["biased"]["alarm_after"] < 40
    assert set(baselines["constant"]) >= {"coverage_90", "coverage_worst_class", "n", "median_width"}
    assert baselines["constant"]["coverage_90"] >= 0.9


def test_the_card_tells_where_a_calibration_comes_from() -> None:
    card = learnt(rows(130, seed=3), range(1, 14)).card

    assert card["command"] == "nocturne train blast"
    assert card["networks"] == "1-13"
    assert card["cases"] == {"dispatch_crew": 65, "interface_up": 65}


def test_a_width_that_is_the_same_for_all_is_no_wider_than_the_residuals_ask() -> None:
    cases = [case_of(case) for case in rows(200, seed=4)]
    width = constant(cases).widths["all classes"][Quantity.LOST]

    assert width is not None
    off = sorted(abs(float(case.truth[Quantity.LOST] or 0.0) - 50.0) for case in cases)
    assert off[int(0.96 * len(off))] <= width <= off[-1]


def test_a_twin_that_belittles_halves_what_suffers_and_a_hasty_one_the_time_as_well() -> None:
    made = halved(row(1, 50.0).raw)

    assert made.of(Quantity.LOST) == Span(quantity=Quantity.LOST, expected=25.0, low=20.0, high=30.0)
    assert made.of(Quantity.RECOVERY) == row(1, 50.0).raw.of(Quantity.RECOVERY)
    hasty = halved(row(1, 50.0).raw, time_too=True)
    assert hasty.of(Quantity.RECOVERY) == Span(quantity=Quantity.RECOVERY, expected=2.0, low=1.0, high=4.0)


def test_the_watch_speaks_up_soon_when_half_the_plans_are_off_and_not_when_a_tenth_are() -> None:
    assert alarm_after([True, False] * 60)["alarms"] == 1.0
    assert alarm_after([True] * 108 + [False] * 12)["alarms"] < 0.1


def test_no_cases_are_no_measurement() -> None:
    with pytest.raises(Unavailable):
        judged([], learnt(rows(130, seed=3), range(13)))
