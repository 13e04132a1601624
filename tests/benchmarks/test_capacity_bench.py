"""The drawn histories are what they say they are, the rules know nothing of the future, and the figures are there."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.capacity import run
from benchmarks.capacity_baselines import BASELINES
from benchmarks.capacity_histories import HOURS, draw
from domain.errors import BadInput


def test_histories_are_drawn_from_the_seed_alone() -> None:
    one, same, other = draw(1, 6, 14), draw(1, 6, 14), draw(2, 6, 14)

    assert one.loads.shape == (6, 14, HOURS)
    assert np.array_equal(one.loads, same.loads, equal_nan=True)
    assert not np.array_equal(one.loads, other.loads, equal_nan=True)
    assert np.nanmin(one.loads) >= 0
    assert 0 < np.isnan(one.loads).mean() < 0.1


@pytest.mark.parametrize("name", BASELINES)
def test_a_baseline_repeats_what_repeats_itself_and_says_a_chance(name: str) -> None:
    week = np.array([[10.0] * HOURS, [95.0] * HOURS])
    history = np.repeat(week[:, None], 20, axis=1)

    said = BASELINES[name](history, 4, np.full(2, 100.0), np.full(2, 80.0), 0.9)

    assert said.median == pytest.approx(week)
    assert said.low == pytest.approx(week)
    assert said.high == pytest.approx(week)
    assert ((said.chance >= 0) & (said.chance <= 1)).all()
    assert said.chance[0] <= said.chance[1]


def written(folder: Path, **changes: object) -> Path:
    """Write a drawn history in the outside form."""
    drawn = draw(3, 5, 30)
    rows = np.where(np.isnan(drawn.loads), None, drawn.loads).reshape(5, -1).tolist()
    plain = {
        "ends": "2026-01-12T00:00:00Z",
        "slot_minutes": 60,
        "loads": {f"l{number}": row for number, row in enumerate(rows)},
        "capacity_mbps": {f"l{number}": float(value) for number, value in enumerate(drawn.capacity[:4])},
    }
    file = folder / "history.json"
    file.write_text(json.dumps(plain | changes))
    return file


def test_outside_histories_can_be_put_in(tmp_path: Path) -> None:
    made = run(True, written(tmp_path), lambda _: None)

    assert made["conditions"]["given"]
    assert (made["conditions"]["links"], made["conditions"]["left_out"]) == (4, 1)
    assert 0 <= made["figures"]["brier"] <= 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"capacity_mbps": None}, "no JSON history"),
        ({"capacity_mbps": {}}, "no link with a capacity"),
        ({"loads": {"l0": [1.0] * 20 * HOURS}}, "20 weeks and this bench needs 26"),
        ({"loads": {}}, "malformed at `loads`"),
    ],
)
def test_a_history_that_cannot_be_measured_is_refused(tmp_path: Path, changes: dict[str, object], reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        run(True, written(tmp_path, **changes), lambda _: None)


@pytest.mark.slow
def test_the_forecast_is_better_than_every_baseline() -> None:
    made = run(True, None, lambda _: None)
    figures, baselines = made["figures"], made["baselines"]

    assert {"brier", "ece", "mae", "interval_coverage"} <= set(figures)
    assert {"persistence", "base_rate", "seasonal_naive"} <= set(baselines)
    assert all(set(table) == set(figures) for table in baselines.values())
    assert all(figures["brier"] < table["brier"] for table in baselines.values())
    assert all(figures["mae"] < table["mae"] for table in baselines.values())
    assert 0.85 <= figures["interval_coverage"] <= 0.95
