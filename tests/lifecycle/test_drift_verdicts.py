"""What the outcomes of a version say, with the numbers that they rest on."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.models import DIAGNOSIS_SLOT
from lifecycle.drift import Drift, Level, drift, error_limit
from lifecycle.trials import TrialVerdict, objections, trial, verdict
from tests.lifecycle.models import FRESH, NOON, WORN, card_of, outcome_of

Answers = list[tuple[bool, bool]]


def drift_of(*right: bool, every_s: float = 60.0, run_length: float = 200.0) -> Drift:
    known = [
        outcome_of(number, WORN, NOON + timedelta(seconds=every_s * number), right=each)
        for number, each in enumerate(right)
    ]
    return drift(card_of(WORN), known, run_length)


@pytest.mark.parametrize(("error", "limit"), [(0.02, 0.1), (0.2, 0.3), (0.9, 0.6)])
def test_the_limit_leaves_room_for_luck_and_has_bounds(error: float, limit: float) -> None:
    assert error_limit(card_of(WORN, error=error)) == pytest.approx(limit)


def test_a_card_that_does_not_say_how_it_errs_is_given_the_widest_limit() -> None:
    assert error_limit(card_of(WORN).but(metrics={})) == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("wrong", "level"), [(3, Level.TOO_FEW), (4, Level.WATCHED), (5, Level.WATCHED), (6, Level.DRIFTED)]
)
def test_the_level_rises_with_each_error(wrong: int, level: Level) -> None:
    assert drift_of(*[False] * wrong).level is level


def test_a_finding_says_how_long_it_took_in_outcomes_and_in_seconds_at_the_event_rate() -> None:
    found = drift_of(*[False] * 8, every_s=600.0)

    assert (found.found_after, found.found_after_s) == (6, 3600.0)
    assert "8 of 8 outcomes were wrong, the card allows 30%" in found.told()
    assert "at most one false alarm in 200 outcomes" in found.told()
    assert "found after 6 outcomes, 3600 s at this event rate" in found.told()


def test_a_warning_says_under_which_budget_it_was_raised() -> None:
    assert "a warning from 20 on, at most one false one in 20 outcomes" in drift_of(*[False] * 5).told()
    assert "a warning" not in drift_of(*[False] * 8).told()


def test_the_confidence_grows_with_the_evidence_and_is_never_certain() -> None:
    grown = [drift_of(*[False] * number).confidence for number in range(1, 12)]

    assert grown == sorted(grown)
    assert 0 < grown[0] < grown[-1] < 1


answers = st.lists(st.tuples(st.booleans(), st.booleans()), max_size=60)


@given(answers=answers)
def test_swapping_the_two_versions_turns_the_trial_round(answers: Answers) -> None:
    there = trial(DIAGNOSIS_SLOT, WORN, FRESH, answers)
    back = trial(DIAGNOSIS_SLOT, FRESH, WORN, [pair[::-1] for pair in answers])

    assert there.chance_better == pytest.approx(1 - back.chance_better)
    assert (there.serving_errors, there.candidate_errors) == (back.candidate_errors, back.serving_errors)


@given(answers=answers)
def test_one_more_case_that_the_candidate_wins_makes_it_no_less_likely_to_be_better(answers: Answers) -> None:
    before = trial(DIAGNOSIS_SLOT, WORN, FRESH, answers)
    after = trial(DIAGNOSIS_SLOT, WORN, FRESH, [*answers, (False, True)])

    assert after.chance_better >= before.chance_better


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([], TrialVerdict.NOT_YET),
        ([(False, True)] * 3, TrialVerdict.NOT_YET),
        ([(False, True)] * 4, TrialVerdict.BETTER),
        ([(True, False)] * 4, TrialVerdict.WORSE),
        ([(True, True), (False, False)] * 30, TrialVerdict.NOT_YET),
        ([(False, True)] * 12 + [(True, False)] * 9, TrialVerdict.NOT_YET),
    ],
)
def test_not_yet_is_the_answer_while_the_cases_do_not_tell(answers: Answers, expected: TrialVerdict) -> None:
    assert verdict(trial(DIAGNOSIS_SLOT, WORN, FRESH, answers)) is expected


@given(answers=answers)
def test_only_better_is_never_objected_to(answers: Answers) -> None:
    found = trial(DIAGNOSIS_SLOT, WORN, FRESH, answers)

    against = objections(found, card_of(WORN), card_of(FRESH), served=False)
    assert (against == ()) == (verdict(found) is TrialVerdict.BETTER)


@pytest.mark.parametrize(("error", "served", "sound"), [(0.3, False, True), (0.31, False, False), (0.31, True, True)])
def test_a_new_version_must_keep_the_limit_on_held_out_cases_too(error: float, served: bool, sound: bool) -> None:
    found = trial(DIAGNOSIS_SLOT, WORN, FRESH, [(False, True)] * 9)

    assert (not objections(found, card_of(WORN), card_of(FRESH, error=error), served=served)) is sound
