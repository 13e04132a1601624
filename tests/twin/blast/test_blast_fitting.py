"""A calibration from cases: as often right as it claims, on networks that it has not seen, and no wider than needed."""

from pathlib import Path

import numpy as np
import pytest

from domain.actions import ActionClass
from domain.blast import BlastRadius, Quantity, Span
from domain.errors import BadInput
from twin.blast import calibration
from twin.blast.calibration import POOLED, Calibration
from twin.blast.fitting import Case, fit

DRAIN, CREW, LOCK = ActionClass.DRAIN_LINK, ActionClass.DISPATCH_CREW, ActionClass.LOCK_CELL


def case(rng: np.random.Generator, action_class: ActionClass, group: int) -> Case:
    """Most plans leave nothing behind, some a little, few fail; the twin's times are off by a factor of the class."""
    hit = float(rng.gamma(1.0, 20.0))
    fails, leaves = rng.random() < 0.05, rng.random() < 0.2
    doubt = float(rng.choice((0.01, 0.1, 0.3), p=(0.7, 0.2, 0.1)))
    left = hit if fails else float(leaves) * rng.uniform(0, 0.1) * hit
    sure = doubt < 0.05
    time = 5.0 * (3.0 if action_class is CREW else 1.0) * rng.lognormal(0.0, 0.3)
    counts = (float(fails), float(round(left / 10)), float(round(left / 20)), left)
    spans = [
        Span(quantity=quantity, expected=doubt * whole, low=0.0, high=doubt * whole if sure else whole)
        for quantity, whole in zip(Quantity, (1.0, round(hit / 10), round(hit / 20), hit), strict=False)
    ]
    spans.append(Span(quantity=Quantity.RECOVERY, expected=5.0, low=1.0, high=20.0 if sure else None))
    truth: dict[Quantity, float | None] = dict(zip(Quantity, counts, strict=False))
    truth[Quantity.RECOVERY] = None if fails else time
    return Case(action_class=action_class, raw=BlastRadius(spans=tuple(spans)), truth=truth, group=str(group))


def cases(seed: int, count: int = 200) -> list[Case]:
    rng = np.random.default_rng(seed)
    return [case(rng, kind, number // 10) for kind in (DRAIN, CREW) for number in range(count)]


def holds(radius: BlastRadius, truth: dict[Quantity, float | None]) -> bool:
    return all(span.holds(truth[span.quantity]) for span in radius.spans)


def coverage(made: Calibration, known: list[Case]) -> float:
    return float(np.mean([holds(made.apply(each.raw, each.action_class), each.truth) for each in known]))


def width(radius: BlastRadius, quantity: Quantity) -> float:
    span = radius.of(quantity)
    assert span is not None
    return np.inf if span.high is None else span.high - span.low


@pytest.fixture(scope="module")
def made() -> Calibration:
    return fit(cases(1))


def test_all_spans_hold_at_once_as_often_as_claimed_in_every_class(made: Calibration) -> None:
    unseen = cases(2, 1000)

    for kind in (DRAIN, CREW):
        assert 0.87 <= coverage(made, [each for each in unseen if each.action_class is kind]) <= 0.94
    assert coverage(Calibration.none(), unseen) < 0.85


def test_what_is_corrected_is_corrected_per_class(made: Calibration) -> None:
    raw = cases(3, 1)[0].raw
    drain, crew = (made.apply(raw, kind).of(Quantity.RECOVERY) for kind in (DRAIN, CREW))

    assert drain is not None
    assert crew is not None
    assert 2 < crew.expected / drain.expected < 4


def test_sure_plans_that_fail_rarely_keep_an_end_of_the_recovery_and_narrow_spans(made: Calibration) -> None:
    sure = [each for each in cases(4) if width(each.raw, Quantity.RECOVERY) < np.inf]
    found = [made.apply(each.raw, each.action_class) for each in sure]

    assert all(width(radius, Quantity.RECOVERY) < 30 for radius in found)
    assert np.median([width(radius, Quantity.LOST) for radius in found]) < 10


def test_a_class_without_cases_takes_what_all_classes_taught_and_says_so(made: Calibration) -> None:
    raw = cases(5, 1)[0].raw
    known, strange = made.apply(raw, DRAIN), made.apply(raw, LOCK)

    assert (known.calibrated_for, strange.calibrated_for) == ("drain_link", POOLED)
    assert 100 < known.cases < strange.cases


def test_without_cases_nothing_is_changed_and_nothing_is_claimed() -> None:
    raw = cases(6, 1)[0].raw

    assert Calibration.none().apply(raw, DRAIN) == raw
    with pytest.raises(BadInput, match="at least 30 cases"):
        fit(cases(6, 12))


def test_a_count_without_a_truth_is_refused_and_one_that_was_not_measured_is_passed_over() -> None:
    known = cases(7, 100)
    partly = [each.but(truth={Quantity.LOST: each.truth[Quantity.LOST]}) for each in known]

    assert fit(partly).apply(known[0].raw, DRAIN).cases > 60
    with pytest.raises(BadInput, match="leave it out"):
        fit([each.but(truth={**each.truth, Quantity.CELLS: None}) for each in known])


def test_a_missing_file_is_no_calibration_and_a_damaged_one_is_named(tmp_path: Path, made: Calibration) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(made.model_dump_json())
    bad.write_text("{")

    assert calibration._shipped(tmp_path / "none.json") == Calibration.none()
    assert calibration._shipped(good) == made
    with pytest.raises(BadInput, match="is damaged"):
        calibration._shipped(bad)


def test_where_the_house_has_a_past_its_own_times_stay_the_centre(made: Calibration) -> None:
    strange = cases(8, 1)[0].raw
    known = strange.but(earlier=12)
    elsewhere, here = (made.apply(raw, CREW).of(Quantity.RECOVERY) for raw in (strange, known))

    assert elsewhere is not None
    assert here is not None
    assert here.expected == pytest.approx(5.0)
    assert elsewhere.expected > 10
    assert here.low < 5.0
