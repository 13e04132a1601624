"""Load histories: what was measured of links, termination points and demands, folded into whole weeks.

As JSON: `{"ends": "2026-01-12T00:00:00Z", "slot_minutes": 60, "loads": {"link:a--b": [812.5, null, …], …}}`: mean
Mbit/s per slot, oldest first, all of one length, `null` where nothing was measured. `ends` is the end of the last slot.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from pydantic import Field, ValidationError

from domain.base import Utc, Word
from domain.errors import BadInput, TooLarge
from stats.forecasting import LEAST_WEEKS
from twin.topology import Floats

_MINUTES_PER_WEEK = 7 * 24 * 60
#: 5,000 elements over two years of hours.
_MOST_SAMPLES = 90_000_000
#: What ends outside of these years was dated by a clock that is wrong.
_YEARS = range(2000, 2200)


class _Written(Word):
    """The JSON form."""

    ends: Utc
    slot_minutes: int = Field(ge=5, le=24 * 60)
    loads: dict[str, tuple[float | None, ...]] = Field(min_length=1)


@dataclass(frozen=True, eq=False)
class LoadHistory:
    """`mbps`: (elements, weeks, slots of a week), NaN where nothing was measured; the last week ends at `ends`."""

    elements: tuple[str, ...]
    mbps: Floats
    ends: datetime

    @property
    def weeks(self) -> int:
        return int(self.mbps.shape[1])

    def of(self, elements: Sequence[str]) -> Floats:
        """Return the loads of some elements, in their order."""
        place = {name: at for at, name in enumerate(self.elements)}
        return self.mbps[[place[name] for name in elements]]


def fold(elements: Sequence[str], samples: Floats, slot_minutes: int, ends: datetime) -> LoadHistory:
    """Return samples of equal distance, (elements, n) Mbit/s, as whole weeks; what is older than those is left out.

    Raises:
        BadInput: an element is named twice, the shapes differ, a week has no whole number of slots, a load is negative
            or infinite, or there are fewer than the weeks that a forecast needs.
        TooLarge: there are more samples than can be worked on.
    """
    if len(set(elements)) != len(elements) or samples.ndim != 2 or len(samples) != len(elements):
        raise BadInput("a history has one row of samples per element, each named once; correct the rows")
    if slot_minutes < 1 or _MINUTES_PER_WEEK % slot_minutes:
        raise BadInput(f"a week has no whole number of slots of `{slot_minutes}` minutes; send hourly means")
    if samples.size > _MOST_SAMPLES:
        raise TooLarge(f"{samples.size} samples are more than {_MOST_SAMPLES}; send hourly means, or fewer elements")
    for name, row in zip(elements, samples, strict=True):
        if np.isinf(row).any() or (row < 0).any():
            raise BadInput(
                f"the loads of `{name[:96]}` are not all numbers from 0 on; write null where none was measured"
            )
    slots = _MINUTES_PER_WEEK // slot_minutes
    weeks = samples.shape[1] // slots
    if weeks < LEAST_WEEKS:
        raise BadInput(f"the history has {weeks} whole weeks, and a forecast needs {LEAST_WEEKS}; send a longer one")
    whole = np.ascontiguousarray(samples[:, samples.shape[1] - weeks * slots :], np.float64)
    return LoadHistory(tuple(elements), whole.reshape(len(elements), weeks, slots), ends)


def parse(plain: Mapping[str, Any]) -> LoadHistory:
    """Return a history from its JSON form (see the module). Raises BadInput (see `fold`)."""
    try:
        written = _Written.model_validate(plain)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])[:96]
        raise BadInput(f"the history is malformed at `{where}`: {first['msg'].lower()}; correct it") from None
    if written.ends.year not in _YEARS:
        raise BadInput(f"the history ends in the year {written.ends.year}; correct `ends`")
    rows = list(written.loads.values())
    if len({len(row) for row in rows}) != 1:
        raise BadInput("the rows of `loads` differ in length; write null where nothing was measured")
    return fold(tuple(written.loads), np.array(rows, np.float64), written.slot_minutes, written.ends)
