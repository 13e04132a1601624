"""What telemetry makes of the readings around an incident, in a form that agents and scorers share."""

from pydantic import Field

from domain.base import Utc, Word
from domain.measurements import Metric


class Anomaly(Word):
    """One metric of one element that is not as usual.

    `score` is a robust z (|value - median| / (1.4826 MAD)), signed so that positive is trouble; it is
    clipped to ±50. `usual` is the median of the baseline.
    """

    element: str
    metric: Metric
    score: float
    value: float
    usual: float
    event_time: Utc
    source: str


class Picture(Word):
    """The state of telemetry at one moment: what is anomalous, what is healthy, and what says nothing.

    An element without fresh readings is in `silent`, never in `healthy`.
    """

    at: Utc
    anomalies: tuple[Anomaly, ...] = ()
    healthy: frozenset[str] = frozenset()
    silent: frozenset[str] = frozenset()
    silent_sources: tuple[str, ...] = ()
    fresh_share: float = Field(default=1.0, ge=0, le=1)
    oldest_reading: Utc | None = None
