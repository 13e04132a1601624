"""Weeks of hourly loads on the shelf of a store, as a house that has run for so long would have kept them."""

from datetime import timedelta

import numpy as np

from control_plane.hours import Sums, hour_of, shelve
from control_plane.ports import Ledger, Written
from control_plane.tables import Tables
from domain.clock import Clock
from domain.records import Entry
from tests.stats.loads import loads


def remember(ledger: Ledger, clock: Clock, weeks: int, means: dict[str, float], growth: float = 0.01) -> None:
    """Put whole hours up to now on the shelf; each interface has such a mean (Mbit/s) in the last week."""
    made = loads(list(means.values()), weeks, growth=growth, noise=0.02) * np.exp(-growth * (weeks - 1))
    flat = np.repeat(made, 168 // made.shape[2], axis=2).reshape(len(means), -1)
    now = hour_of(clock.now())
    sums: Sums = {
        ("default", now - timedelta(hours=hours)): {
            name: (float(row[-hours]) * 3600, 3600.0) for name, row in zip(means, flat, strict=True)
        }
        for hours in range(flat.shape[1], 0, -1)
    }
    entry = Entry(kind="test.hours.kept", actor="test", event_time=clock.now())

    def change(tables: Tables) -> Written[None]:
        shelve(tables, sums)
        return Written(None, (entry,))

    ledger.do(change)
