"""Planned work: a declared window in which some alarms are expected, and freezes in which nothing may change."""

from domain.alarms import AlarmType
from domain.base import Stored, Utc


class PlannedWork(Stored):
    """Inside the window, alarms of `expected` types on `elements` (worked on) or `affected` ones open no incident."""

    tenant: str = "default"
    change_id: str
    elements: tuple[str, ...]
    affected: tuple[str, ...] = ()
    expected: tuple[AlarmType, ...] = ()
    starts_at: Utc
    ends_at: Utc
    declared_by: str
    declared_at: Utc

    def covers(self, element: str, alarm_type: AlarmType, at: Utc) -> bool:
        """Say whether such an alarm is part of the work's predicted effect."""
        inside = self.starts_at <= at <= self.ends_at
        return inside and element in {*self.elements, *self.affected} and alarm_type in self.expected


class Freeze(Stored):
    """No change is carried out in `region` (or anywhere, when empty) while it lasts."""

    tenant: str = "default"
    region: str = ""
    starts_at: Utc
    ends_at: Utc
    because: str
    declared_by: str
    withdrawn_at: Utc | None = None

    def covers(self, region: str, at: Utc) -> bool:
        """Say whether a change in `region` at `at` falls into the freeze."""
        stands = self.withdrawn_at is None or at < self.withdrawn_at
        return stands and self.starts_at <= at <= self.ends_at and self.region in {"", region}


class ChangeWindow(Stored):
    """A time in which a region takes changes. A region that ever declared one takes changes in its windows only.

    One that was withdrawn is as if it had never been declared.
    """

    tenant: str = "default"
    region: str
    starts_at: Utc
    ends_at: Utc
    because: str
    declared_by: str
    withdrawn_at: Utc | None = None

    def covers(self, at: Utc) -> bool:
        """Say whether the window is open at `at`; both ends belong to it."""
        return self.starts_at <= at <= self.ends_at
