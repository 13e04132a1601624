"""The one source of time. Nothing else in the house asks the machine what time it is."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time and waits."""

    def now(self) -> datetime:
        """Return the present moment, aware and in UTC."""

    def sleep(self, seconds: float) -> None:
        """Return after `seconds` of this clock's time have passed."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        threading.Event().wait(seconds)


class ManualClock:
    """A clock that stands still until it is moved; sleeping moves it."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)
        self._lock = threading.Lock()

    def now(self) -> datetime:
        with self._lock:
            return self._now

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Move the clock by `seconds`."""
        with self._lock:
            self._now += timedelta(seconds=seconds)
