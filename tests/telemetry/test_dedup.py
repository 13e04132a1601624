"""Folding reports into alarms."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from domain.alarms import Alarm, AlarmKey, AlarmReport, AlarmType, Severity
from telemetry.dedup import Folded, fold

NOW = datetime(2026, 1, 12, 12, 0, tzinfo=UTC)


def report(
    at: float, *, cleared: bool = False, severity: Severity = Severity.MAJOR, resource: str = "tp:1"
) -> AlarmReport:
    key = AlarmKey(resource=resource, type=AlarmType.LINK_DOWN)
    time = NOW + timedelta(seconds=at)
    return AlarmReport(key=key, severity=severity, cleared=cleared, event_time=time, source="s", text=f"at {at}")


@pytest.fixture
def folded() -> Callable[..., Folded]:
    numbers = count(1)

    def run(reports: Sequence[AlarmReport], *standing: Alarm) -> Folded:
        return fold(reports, {a.identity: a for a in standing}, NOW, lambda prefix: f"{prefix}_{next(numbers)}")

    return run


Fold = Callable[..., Folded]


def only(folded: Folded) -> Alarm:
    (alarm,) = (*folded.new, *(new for _, new in folded.changed))
    return alarm


def seconds(at: datetime | None) -> float | None:
    return None if at is None else (at - NOW).total_seconds()


def test_a_raise_opens_an_alarm(folded: Fold) -> None:
    result = folded([report(1)])
    alarm = only(result)
    assert (alarm.id, alarm.cleared, alarm.repeats, alarm.known_time) == ("alarm_1", False, 0, NOW)
    assert (result.changed, result.repeats) == ((), 0)


def test_repeats_are_counted_and_the_highest_severity_is_kept(folded: Fold) -> None:
    result = folded([report(1), report(2, severity=Severity.CRITICAL), report(3, severity=Severity.MINOR)])
    alarm = only(result)
    assert (alarm.repeats, result.repeats) == (2, 2)
    assert (alarm.severity, alarm.highest_severity) == (Severity.MINOR, Severity.CRITICAL)
    assert (seconds(alarm.event_time), seconds(alarm.last_event_time), alarm.text) == (1, 3, "at 3")


def test_a_clear_ends_a_standing_alarm(folded: Fold) -> None:
    standing = only(folded([report(1)])).but(incident_id="inc_1", correlated=True)
    ((old, new),) = folded([report(5, cleared=True)], standing).changed
    assert old == standing
    assert (new.id, new.cleared, seconds(new.cleared_time), new.repeats) == (old.id, True, 5, 0)
    assert (new.incident_id, new.correlated) == ("inc_1", True)


def test_an_older_clear_does_not_end_a_newer_raise(folded: Fold) -> None:
    standing = only(folded([report(5)]))
    result = folded([report(3, cleared=True)], standing)
    assert (only(result).cleared, result.repeats) == (False, 1)


def test_an_older_raise_does_not_reopen_what_was_cleared_after_it(folded: Fold) -> None:
    standing = only(folded([report(2), report(5, cleared=True)]))
    result = folded([report(1), report(4)], standing)
    alarm = only(result)
    assert alarm.cleared
    assert (seconds(alarm.event_time), result.repeats, result.new) == (1, 2, ())


def test_a_raise_after_the_clear_is_a_new_alarm(folded: Fold) -> None:
    standing = only(folded([report(1), report(2, cleared=True)]))
    result = folded([report(3)], standing)
    assert [(a.id, a.cleared) for a in result.new] == [("alarm_2", False)]
    assert result.changed == ()


def test_a_flapping_alarm_in_one_batch_is_several_alarms(folded: Fold) -> None:
    reports = [report(k, cleared=k % 2 == 0) for k in range(1, 6)]
    result = folded(reports)
    assert [(seconds(a.event_time), seconds(a.cleared_time)) for a in result.new] == [(1, 2), (3, 4), (5, None)]
    assert result.repeats == 0


def test_a_clear_that_nobody_raised_is_kept_as_cleared(folded: Fold) -> None:
    result = folded([report(4, cleared=True)])
    alarm = only(result)
    assert (alarm.cleared, seconds(alarm.cleared_time), result.repeats) == (True, 4, 0)
    assert only(folded([report(3)], alarm)).cleared


def test_at_the_same_moment_the_clear_comes_after_the_raise(folded: Fold) -> None:
    assert only(folded([report(1, cleared=True), report(1)])).cleared


def test_a_clear_that_comes_twice_changes_no_time(folded: Fold) -> None:
    standing = only(folded([report(1), report(2, cleared=True)]))
    alarm = only(folded([report(9, cleared=True)], standing))
    assert (seconds(alarm.cleared_time), alarm.repeats) == (2, 1)


def test_alarms_of_different_resources_or_qualifiers_are_different(folded: Fold) -> None:
    other = report(1).model_copy(update={"key": AlarmKey(resource="tp:1", type=AlarmType.LINK_DOWN, qualifier="q")})
    assert len(folded([report(1), report(1, resource="tp:2"), other]).new) == 3


def test_nothing_in_is_nothing_out(folded: Fold) -> None:
    assert folded([], only(folded([report(1)]))) == Folded((), (), 0)
