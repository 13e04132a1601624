"""Evidence: one fact, where it came from, when it was true, when we knew it, and how much it weighs."""

from enum import StrEnum

from pydantic import Field

from domain.base import Stored, Utc


class EvidenceKind(StrEnum):
    ALARM = "alarm"
    MEASUREMENT = "measurement"
    SILENCE = "silence"  # a source that should speak and does not
    ORDER = "order"  # a customer's wish


class Evidence(Stored):
    """One immutable fact. `statement` is written by us; outside text stays in `quoted`."""

    kind: EvidenceKind
    incident_id: str
    element: str
    statement: str
    quoted: str = ""
    source: str
    event_time: Utc
    known_time: Utc
    weight: float = Field(default=1.0, ge=0, le=1)
    ref: str = ""
    metric: str = ""
    value: float | None = None
