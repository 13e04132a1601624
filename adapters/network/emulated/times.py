"""Moments inside the plant are seconds since 1970; outside they are ISO 8601."""

from datetime import UTC, datetime

#: When the life of a driven plant begins.
DRIVEN_FROM = datetime(2026, 1, 12, 12, 0, tzinfo=UTC)


def iso(at: float) -> str:
    """Return seconds since 1970 as ISO 8601 in UTC with microseconds; such texts sort as the times do."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
