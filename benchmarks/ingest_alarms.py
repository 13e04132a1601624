"""Alarms for the ingest bench, in the words of each door: all distinct, all about elements that exist.

What tells them apart is the qualifier; so many alarms of so few elements are what a storm looks like.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

SOURCE = "bench"


@dataclass(frozen=True)
class Alarms:
    """Numbers alarms from 0 on and writes number `i` as a door wants it. `elements` are named in turn."""

    elements: Sequence[str]
    at: datetime

    def alertmanager(self, numbers: range) -> bytes:
        """Return the body of one webhook with these alarms."""
        alerts = [
            {
                "status": "firing",
                "labels": {
                    "alertname": "link_down",
                    "severity": "critical",
                    "element": self._element(number),
                    "qualifier": f"webhook-{number}",
                },
                "annotations": {"summary": "no light on the receiver"},
                "startsAt": self._time(),
                "endsAt": "0001-01-01T00:00:00Z",
                "fingerprint": f"{number:016x}",
            }
            for number in numbers
        ]
        return json.dumps({"version": "4", "status": "firing", "receiver": SOURCE, "alerts": alerts}).encode()

    def tmf642(self, number: int) -> bytes:
        """Return one alarm as TMF642 has it."""
        alarm = {
            "alarmType": "communicationsAlarm",
            "perceivedSeverity": "major",
            "probableCause": "lossOfSignal",
            "specificProblem": f"single-{number}",
            "alarmedObject": {"id": self._element(number)},
            "sourceSystemId": SOURCE,
            "state": "raised",
            "alarmRaisedTime": self._time(),
        }
        return json.dumps(alarm).encode()

    def feed(self, numbers: range) -> list[dict[str, Any]]:
        """Return items of a network's feed."""
        return [
            {
                "type": "alarm",
                "vendor": "alba",
                "resource": self._element(number),
                "name": "IF_DOWN",
                "qualifier": f"feed-{number}",
                "severity": "CRIT",
                "cleared": False,
                "time": self._time(),
                "id": f"{number:016x}",
                "text": "interface down",
                "source": SOURCE,
            }
            for number in numbers
        ]

    def _element(self, number: int) -> str:
        return self.elements[number % len(self.elements)]

    def _time(self) -> str:
        return self.at.isoformat().replace("+00:00", "Z")


def batches(count: int, size: int, first: int = 0) -> list[range]:
    """Return the numbers from `first` on in batches of `size`, `count` in all."""
    return [range(start, min(start + size, first + count)) for start in range(first, first + count, size)]
