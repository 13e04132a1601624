"""Alarms, after X.733 and RFC 8632: identity is (resource, type, qualifier), and clear is not a severity."""

from enum import StrEnum
from typing import Annotated

from pydantic import StringConstraints

from domain.base import Stored, Utc, Word


class Severity(StrEnum):
    """X.733 perceived severities, without `cleared`."""

    CRITICAL = "critical"
    MAJOR = "major"
    MINOR = "minor"
    WARNING = "warning"
    INDETERMINATE = "indeterminate"

    @property
    def rank(self) -> int:
        """0 for the worst, 4 for the least known."""
        return list(Severity).index(self)


class Technology(StrEnum):
    """What kind of equipment speaks; one canonical model holds them all."""

    GSM = "2g"
    LTE = "4g"
    NR = "5g"
    IP = "ip"
    OPTICAL = "optical"
    MICROWAVE = "microwave"
    POWER = "power"
    UNKNOWN = "unknown"


class AlarmType(StrEnum):
    """Canonical alarm types; `telemetry/mappings.py` translates the vendors' names."""

    LINK_DOWN = "link_down"
    LINK_DEGRADED = "link_degraded"
    LOSS_OF_SIGNAL = "loss_of_signal"
    ADJACENCY_LOST = "adjacency_lost"
    NODE_UNREACHABLE = "node_unreachable"
    PROCESS_FAILED = "process_failed"
    CONGESTION = "congestion"
    HIGH_DELAY = "high_delay"
    POWER_LOST = "power_lost"
    ON_BATTERY = "on_battery"
    CELL_UNAVAILABLE = "cell_unavailable"
    CELL_DEGRADED = "cell_degraded"
    CONFIGURATION_CHANGED = "configuration_changed"
    MODEL_DRIFT = "model_drift"
    OTHER = "other"


Text = Annotated[str, StringConstraints(max_length=4096)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class AlarmKey(Word):
    """What makes two reports the same alarm."""

    resource: Name
    type: AlarmType
    qualifier: Annotated[str, StringConstraints(max_length=256)] = ""

    def __str__(self) -> str:
        return f"{self.resource}|{self.type}|{self.qualifier}"


class AlarmReport(Word):
    """One message about an alarm, already in our words: it was raised, repeated, or cleared.

    `text` and `external_id` come from outside. They are data: shown quoted, never followed.
    """

    key: AlarmKey
    severity: Severity
    cleared: bool = False
    event_time: Utc
    source: Name
    technology: Technology = Technology.UNKNOWN
    external_id: Annotated[str, StringConstraints(max_length=256)] = ""
    text: Text = ""


class Alarm(Stored):
    """One element says, once, that something is wrong; repeats are counted on it, a clear ends it."""

    key: AlarmKey
    severity: Severity
    highest_severity: Severity
    cleared: bool = False
    event_time: Utc
    last_event_time: Utc
    known_time: Utc
    cleared_time: Utc | None = None
    source: Name
    technology: Technology = Technology.UNKNOWN
    external_id: str = ""
    text: Text = ""
    repeats: int = 0
    tenant: str = "default"
    incident_id: str | None = None
    planned_work_id: str | None = None
    correlated: bool = False

    @property
    def resource(self) -> str:
        return self.key.resource

    @property
    def identity(self) -> str:
        """The searchable form of the key."""
        return str(self.key)
