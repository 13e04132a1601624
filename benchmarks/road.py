"""The main job's speed: from the last durable alarm of a fault to a rehearsed repair, beside no attribution.

Faults are injected one by one into an emulated network under a whole server (`benchmarks.road_house`), for networks
of 200 and of 1,000 elements. What a fault is comes from the plant's seed; nothing of it reaches the house. Every
fault counts: one without a rehearsed repair is in `no_proposal`, and in the one of its four reasons.
"""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.processes import failed, folder_in, program
from benchmarks.report import Figures, quantile, result
from benchmarks.road_case import NO_INCIDENT, NO_PLAN, STEPS, UNSETTLED, WITH, WITHOUT, Case

Progress = Callable[[str], None]

#: Faults for each size.
_FULL, _QUICK = {200: 25, 1000: 25}, {200: 3, 1000: 2}
_SEED = 1


@dataclass
class _Size:
    """What was measured on one network: cases and resident memory in MB, by way of diagnosing."""

    cases: dict[str, list[Case]] = field(default_factory=lambda: {WITH: [], WITHOUT: []})
    memory: dict[str, list[float]] = field(default_factory=dict)


def run(quick: bool, data: Path | None, progress: Progress) -> dict[str, Any]:
    """Play the faults of both sizes and return the object of the bench.

    A quick run plays few faults and both networks at the same time, so its times are those of a busy machine.

    Raises:
        Unavailable: a house did not run to its end, or a table stayed empty.
    """
    started = perf_counter()
    counts = _QUICK if quick else _FULL
    with folder_in(data) as folder, ThreadPoolExecutor(max_workers=len(counts) if quick else 1) as pool:
        playing = {
            elements: pool.submit(_played, folder, elements, count, progress) for elements, count in counts.items()
        }
        sizes = {elements: future.result() for elements, future in playing.items()}
    conditions = {
        "seed": _SEED,
        "n": {str(elements): count for elements, count in counts.items()},
        "at_the_same_time": len(counts) if quick else 1,
    }
    return result("road", _table(sizes, WITH), {WITHOUT: _table(sizes, WITHOUT)}, conditions, started)


def _played(folder: Path, elements: int, count: int, progress: Progress) -> _Size:
    """Run one house through its cases."""
    size, log = _Size(), folder / f"house-{elements}.log"
    arguments = ("-m", "benchmarks.road_house", str(folder / str(elements)), str(elements), str(count), str(_SEED))
    with program(log, *arguments) as process:
        for told in _lines(process.stdout):
            for way, resident in told.get("memory", {}).items():
                size.memory.setdefault(way, []).append(resident)
            if "case" in told:
                case = Case(**told["case"])
                size.cases[case.arm].append(case)
                progress(f"{elements} elements, {case.arm}: {case.told()}")
        process.wait()
        if process.returncode or any(len(cases) != count for cases in size.cases.values()):
            raise failed(process, log, f"the house with {elements} elements")
    return size


def _lines(pipe: Any) -> Iterator[dict[str, Any]]:
    for line in pipe:
        try:
            yield json.loads(line)
        except ValueError:
            sys.stderr.write(line)


def _table(sizes: dict[int, _Size], way: str) -> Figures:
    """Return the figures of one way of diagnosing. Memory is the first network's or the second's, whichever is more."""
    table: Figures = {str(elements): figures_of(size.cases[way]) for elements, size in sizes.items()}
    # without attribution, only its first case is free of what attribution has loaded since
    table["rss_mb"] = max((s.memory[way][0] if way == WITHOUT else s.memory[way][-1]) for s in sizes.values())
    table["rss_before_first_diagnosis_mb"] = max(size.memory["before"][0] for size in sizes.values())
    return table


def figures_of(cases: Sequence[Case]) -> Figures:
    """Return the figures of some cases; with fewer than 100, the 99th percentile is the slowest."""
    n = len(cases)
    took = [case.latency_s for case in cases if case.latency_s is not None]
    missed = [case.why for case in cases if case.latency_s is None]
    causes = [case for case in cases if case.attributed is not None]

    def share(most: int, ranks: Sequence[int | None]) -> float | None:
        return round(sum(rank is not None and rank <= most for rank in ranks) / n, 4) if n else None

    def spent(values: Sequence[float | None], at: float) -> float | None:
        return quantile([value for value in values if value is not None], at)

    return {
        "p50_s": quantile(took, 0.5),
        "p99_s": quantile(took, 0.99),
        "within_1s": round(sum(latency <= 1.0 for latency in took) / n, 4) if n else None,
        "n": n,
        "no_proposal": len(missed),
        "no_incident": missed.count(NO_INCIDENT),
        "no_verdict": sum(why not in {NO_INCIDENT, NO_PLAN, UNSETTLED} for why in missed),
        "no_plan": missed.count(NO_PLAN),
        "unsettled": missed.count(UNSETTLED),
        "revised": sum(case.revised for case in cases),
        "top1": share(1, [case.rank for case in cases]),
        "top3": share(3, [case.rank for case in cases]),
        "top1_highest_anomaly": share(1, [case.baseline_ranks.get("highest_anomaly") for case in cases]),
        "top1_correlation_only": share(1, [case.baseline_ranks.get("correlation_only") for case in cases]),
        "scoring_p50_s": spent([case.scoring_s for case in cases], 0.5),
        "attribution_p50_s": spent([case.attribution_s for case in cases], 0.5),
        "attribution_p99_s": spent([case.attribution_s for case in cases], 0.99),
        "attributed": round(sum(case.attributed is True for case in causes) / len(causes), 4) if causes else 0.0,
        "settled_p50_s": spent([case.settled_s for case in cases], 0.5),
        "settled_p99_s": spent([case.settled_s for case in cases], 0.99),
        "steps_p50_s": {step: spent([case.steps_s.get(step) for case in cases], 0.5) for step in STEPS},
    }
