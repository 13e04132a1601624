"""Histories are folded into whole weeks, and refused with a reason when they cannot be true."""

import numpy as np
import pytest

from domain.errors import BadInput
from tests.twin.planning.planned_network import NOON
from twin.planning.history import fold, parse

HOURS = 168


def test_what_is_older_than_whole_weeks_is_left_out() -> None:
    samples = np.arange(9 * HOURS + 5, dtype=np.float64)[None, :]

    history = fold(("l0",), samples, 60, NOON)

    assert history.mbps.shape == (1, 9, HOURS)
    assert history.mbps[0, 0, 0] == 5.0
    assert history.mbps[0, -1, -1] == samples[0, -1]


def test_the_written_form_is_read_and_null_is_not_known() -> None:
    row: list[float | None] = [1.0] * (8 * HOURS)
    row[3] = None

    history = parse({"ends": "2026-01-12T12:00:00Z", "slot_minutes": 60, "loads": {"l0": row, "d0": row}})

    assert history.elements == ("l0", "d0")
    assert (history.ends, history.weeks) == (NOON, 8)
    assert np.isnan(history.mbps[0, 0, 3])
    assert np.isnan(history.of(("d0",))).sum() == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"loads": {}}, "malformed at `loads`"),
        ({"loads": {"l0": ["many"]}}, "malformed at `loads.l0.0`"),
        ({"loads": {"l0": [1.0, float("nan")]}}, "malformed at `loads.l0.1`"),
        ({"ends": "2026-01-12T12:00:00"}, "malformed at `ends`"),
        ({"slot_minutes": 50}, "no whole number of slots"),
        ({"slot_minutes": 0}, "malformed at `slot_minutes`"),
        ({"loads": {"l0": [1.0] * 1344, "l1": [1.0]}}, "differ in length"),
        ({"loads": {"l0": [-1.0] * 1344}}, "not all numbers from 0 on"),
        ({"loads": {"l0": [1.0] * 1343}}, "7 whole weeks"),
        ({"more": 1}, "malformed at `more`"),
    ],
)
def test_a_history_that_cannot_be_is_refused_with_its_place(changes: dict[str, object], reason: str) -> None:
    plain = {"ends": "2026-01-12T12:00:00Z", "slot_minutes": 60, "loads": {"l0": [1.0] * 1344}}

    with pytest.raises(BadInput, match=reason):
        parse(plain | changes)


def test_an_element_is_named_once() -> None:
    with pytest.raises(BadInput, match="each named once"):
        fold(("l0", "l0"), np.ones((2, 1344)), 60, NOON)
