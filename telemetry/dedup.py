"""Many reports, one alarm: identity is (resource, type, qualifier), and event time decides, not arrival.

A raise opens an alarm; further raises are repeats of it; a clear ends it. What arrives out of order cannot lie
about the present: an older clear does not end a newer raise, an older raise does not reopen what was cleared
after it. A raise after the clear is a new alarm. A clear that nobody raised is kept as an alarm that is
already cleared, and opens nothing.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.alarms import Alarm, AlarmReport


@dataclass(frozen=True)
class Folded:
    """What a batch of reports amounts to.

    `changed` pairs an alarm as it stood with what it is now. `repeats` counts the reports that neither opened an
    alarm nor ended one: `len(reports) == opened + ended + repeats`.
    """

    new: tuple[Alarm, ...]
    changed: tuple[tuple[Alarm, Alarm], ...]
    repeats: int


def fold(
    reports: Sequence[AlarmReport], standing: Mapping[str, Alarm], now: datetime, new_id: Callable[[str], str]
) -> Folded:
    """Fold reports into alarms. The order of the batch does not matter where event times differ.

    Args:
        reports: what came in.
        standing: the newest alarm of each identity (`str(report.key)`), cleared or not.
        now: when we came to know it.
        new_id: makes an identifier for a prefix; called once per new alarm, in order of event time.
    """
    groups: dict[str, list[AlarmReport]] = defaultdict(list)
    for report in sorted(reports, key=_order):
        groups[str(report.key)].append(report)
    new: list[Alarm] = []
    changed: list[tuple[Alarm, Alarm]] = []
    repeats = 0
    for identity, group in groups.items():
        lives, repeated = _lives(group, standing.get(identity), now)
        repeats += repeated
        for life in lives:
            if life.stood is None:
                new.append(life.alarm(new_id("alarm")))
            elif life.touched:
                changed.append((life.stood, life.alarm(life.stood.id)))
    return Folded(tuple(new), tuple(changed), repeats)


def _order(report: AlarmReport) -> tuple[datetime, bool, str, int, str, str, str]:
    """Event time first; at the same moment a raise comes before its clear, and the rest only makes order total."""
    return (
        *(report.event_time, report.cleared, str(report.key), report.severity.rank),
        *(report.source, report.external_id, report.text),
    )


class _Life:
    """One alarm from its raise to its clear, while reports are folded into it."""

    def __init__(self, report: AlarmReport | None, stood: Alarm | None, now: datetime) -> None:
        self.stood, self.touched, self._now = stood, False, now
        first = stood or report
        assert first is not None
        self.first = first.event_time
        self.last = stood.last_event_time if stood else first.event_time
        self.cleared_time = stood.cleared_time if stood else (first.event_time if first.cleared else None)
        self.repeats = stood.repeats if stood else 0
        self.newest: Alarm | AlarmReport = first
        self.highest = stood.highest_severity if stood else first.severity

    @property
    def cleared(self) -> bool:
        return self.cleared_time is not None

    def takes(self, report: AlarmReport) -> bool:
        """A raise after the clear is not of this life."""
        return self.cleared_time is None or report.cleared or report.event_time <= self.cleared_time

    def ends_with(self, report: AlarmReport) -> bool:
        return report.cleared and not self.cleared and report.event_time >= self.last

    def end(self, report: AlarmReport) -> None:
        self.touched, self.cleared_time = True, report.event_time

    def repeat(self, report: AlarmReport) -> None:
        self.touched = True
        self.repeats += 1
        if report.cleared:
            return
        self.first = min(self.first, report.event_time)
        self.highest = min(self.highest, report.severity, key=lambda severity: severity.rank)
        if report.event_time >= self.last:
            self.last, self.newest = report.event_time, report

    def alarm(self, id: str) -> Alarm:
        """Return the alarm as it is now."""
        told, stood = self.newest, self.stood
        return Alarm(
            id=id,
            key=told.key,
            severity=told.severity,
            highest_severity=self.highest,
            cleared=self.cleared,
            event_time=self.first,
            last_event_time=self.last,
            known_time=stood.known_time if stood else self._now,
            cleared_time=self.cleared_time,
            source=told.source,
            technology=told.technology,
            external_id=told.external_id,
            text=told.text,
            repeats=self.repeats,
            incident_id=stood.incident_id if stood else None,
            planned_work_id=stood.planned_work_id if stood else None,
            correlated=stood.correlated if stood else False,
        )


def _lives(group: Sequence[AlarmReport], stood: Alarm | None, now: datetime) -> tuple[list[_Life], int]:
    """Return the lives of one identity, oldest first, and how many reports were repeats."""
    lives = [] if stood is None else [_Life(None, stood, now)]
    repeats = 0
    for report in group:
        if not lives or not lives[-1].takes(report):
            lives.append(_Life(report, None, now))
        elif lives[-1].ends_with(report):
            lives[-1].end(report)
        else:
            lives[-1].repeat(report)
            repeats += 1
    return lives, repeats
