"""`nocturne train blast`: plays the campaign that the calibration of the blast radius is learnt on, and fits it."""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.blast_baselines import constant
from benchmarks.blast_campaign import LEARNT_ON, STORY, campaign
from benchmarks.blast_case import LYING, SELF_HEALING, Row
from benchmarks.processes import folder_in
from domain.actions import ActionClass
from twin.blast.calibration import Calibration
from twin.blast.fitting import Case, fit

COMMAND = "nocturne train blast"
_QUICK_NETWORKS = 6


def run(quick: bool, data: Path | None, progress: Callable[[str, int, int], None]) -> Calibration:
    """Return a calibration that was learnt on the networks set aside for it.

    Raises:
        BadInput: too few faults led to plans (`quick` learns on little, to try the way).
        Unavailable: a campaign did not run to its end.
    """
    seeds = LEARNT_ON[:_QUICK_NETWORKS] if quick else LEARNT_ON
    with folder_in(data) as folder:
        rows = campaign(folder, seeds, lambda done, of: progress("faults on plants", done, of))
    return learnt(rows, seeds)


def learnt(rows: Sequence[Row], seeds: Sequence[int]) -> Calibration:
    """Return the calibration that these cases teach, with its card."""
    cases = [case_of(row) for row in rows]
    card: dict[str, Any] = {
        "command": COMMAND,
        "networks": _ranges(seeds),
        "story": [str(kind) for kind in STORY],
        "shares": {"lying": LYING, "self_healing": SELF_HEALING},
        "cases": dict(sorted(Counter(row.action_class for row in rows).items())),
        "constant": constant(cases).model_dump(mode="json"),
    }
    return fit(cases).but(card=card)


def _ranges(seeds: Sequence[int]) -> str:
    """Return seeds as ranges: `1001-1080, 1101-1136`."""
    breaks = [place for place in range(1, len(seeds)) if seeds[place] != seeds[place - 1] + 1]
    parts = [seeds[start:end] for start, end in pairwise((0, *breaks, len(seeds)))]
    return ", ".join(f"{part[0]}-{part[-1]}" if len(part) > 1 else str(part[0]) for part in parts)


def case_of(row: Row) -> Case:
    """Return a row as the fit takes it; cases of one network belong together."""
    return Case(action_class=ActionClass(row.action_class), raw=row.raw, truth=row.truth, group=str(row.seed))
