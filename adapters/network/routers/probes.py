"""Pings along every demand, without end: what is lost and how long it takes, measured and not inferred.

`ping` runs where the demand begins, with packets of the size that the traffic has, and says of each whether an answer
came. A way that nobody can tell of (the program ended, or fell silent) has no value.
"""

import re
import subprocess
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from adapters.network.routers.access import Access

INTERVAL_S = 0.1
#: Bytes after the ICMP header: with it and the IP header, a packet of 1,400 bytes.
_PAYLOAD = 1372
_WINDOW = 10
_SILENT_S = 1.5
_ANSWER = re.compile(r"icmp_seq=(\d+) ttl=\d+ time=([\d.]+) ms")
_MISSED = re.compile(r"no answer yet for icmp_seq=(\d+)")


@dataclass(frozen=True)
class Measured:
    """Over the last second or so: the share lost, and the delay one way in ms (half of there and back), if any came."""

    loss: float
    delay_ms: float | None


class Way(Protocol):
    """What measures the way of one demand."""

    def measured(self) -> Measured | None:
        """Return what was measured lately; None when there is nothing to say."""

    def close(self) -> None:
        """Measure no more."""


class Probe:
    """A `Way`: one endless ping."""

    def __init__(self, source: Access, destination: str, *, interval_s: float = INTERVAL_S) -> None:
        words = [*source.inside, "ping", "-n", "-O", "-i", f"{interval_s:g}", "-s", str(_PAYLOAD)]
        self._process = subprocess.Popen(  # noqa: S603  # our own words, as a list
            [*words, "-I", source.address, destination],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._tally = Tally()
        self._reader = threading.Thread(target=self._read, name=f"probe-{source.name}", daemon=True)
        self._reader.start()

    def measured(self) -> Measured | None:
        """Return what was measured lately; None when there is nothing to say."""
        return self._tally.measured(time.monotonic())

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()
        self._reader.join()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._tally.take(line, time.monotonic())


class Tally:
    """What the lines of a ping come to. An answer that comes late counts; a line that is no answer counts for none."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._times: OrderedDict[int, float | None] = OrderedDict()
        self._heard = float("-inf")

    def take(self, line: str, at: float) -> None:
        """Take in one line, heard at a moment of the monotonic clock."""
        answer, missed = _ANSWER.search(line), _MISSED.search(line)
        with self._lock:
            if answer:
                self._times[int(answer[1])] = float(answer[2])
            elif missed:
                self._times.setdefault(int(missed[1]), None)
            else:
                return
            self._heard = at
            while len(self._times) > _WINDOW:
                self._times.popitem(last=False)

    def measured(self, at: float) -> Measured | None:
        """Return loss and delay over the last ten packets; None when too few were heard of, or too long ago."""
        with self._lock:
            if len(self._times) < _WINDOW // 2 or at - self._heard > _SILENT_S:
                return None
            times = [time_ms for time_ms in self._times.values() if time_ms is not None]
            loss = 1.0 - len(times) / len(self._times)
        return Measured(round(loss, 4), round(_median(times) / 2, 4) if times else None)


def _median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]
