"""The one source of time. Nothing else in the house asks the machine what time it is."""

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time and waits."""

    def now(self) -> datetime:
        """Return the present moment, aware and in UTC. Somebody may set it back or forward at any time."""

    def monotonic(self) -> float:
        """Return seconds since some moment. They only ever grow, whatever is done to the time of day."""

    def sleep(self, seconds: float) -> None:
        """Return after `seconds` of this clock's time have passed."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        threading.Event().wait(seconds)


class ManualClock:
    """A clock that stands still until it is moved; sleeping moves it."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)
        self._passed = 0.0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        with self._lock:
            return self._now

    def monotonic(self) -> float:
        with self._lock:
            return self._passed

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass."""
        with self._lock:
            self._now += timedelta(seconds=seconds)
            self._passed += seconds

    def jump(self, seconds: float) -> None:
        """Set the time of day forward or (below zero) back, while no time passes."""
        with self._lock:
            self._now += timedelta(seconds=seconds)
