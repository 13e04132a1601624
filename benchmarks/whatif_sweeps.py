"""Large sweeps of the what-if bench: before convergence, all pairs of links, and a million failures on two cores.

These figures are by the clock where they say seconds of waiting (`n2_s`, `million_s`), else per second of CPU time.
"""

from collections.abc import Sequence
from time import perf_counter, process_time

import numpy as np

from benchmarks.report import Figures
from twin.whatif.base import Base
from twin.whatif.bypass import bypasses, rerouted
from twin.whatif.scenarios import Scenario, link_pairs
from twin.whatif.sweep import sweep

_MILLION, _WORKERS = 1_000_000, 2
#: Loads per scenario and arc that are held at a time.
_ROOM = 2_000_000


def fast_reroute(base: Base, scenarios: Sequence[Scenario]) -> Figures:
    """Return how many bypasses a second are laid, how many states are answered on them, and what they need in MB."""
    links = sorted({link for scenario in scenarios for link in scenario.links})
    began = process_time()
    known = bypasses(base, links)
    laid = process_time() - began
    step = max(1, _ROOM // len(base.network.tail))
    began = process_time()
    for first in range(0, len(scenarios), step):
        rerouted(base, known, scenarios[first : first + step])
    answered = process_time() - began
    share = known.share
    held = share.data.nbytes + share.indices.nbytes + share.indptr.nbytes
    loads = 8 * min(step, len(scenarios)) * len(base.network.tail)
    return {
        "bypasses_per_s": round(2 * len(links) / laid, 1),
        "fast_reroute_per_s": round(len(scenarios) / answered, 1),
        "fast_reroute_mb": round((held + loads) / 1e6, 2),
    }


def pairs(base: Base) -> Figures:
    """Return how long it takes to fail each two links together (N-2)."""
    scenarios = list(link_pairs(base.network))
    began, clock = process_time(), perf_counter()
    sweep(base, scenarios)
    took = process_time() - began
    return {
        "n2_scenarios": len(scenarios),
        "n2_s": round(perf_counter() - clock, 4),
        "n2_per_s": round(len(scenarios) / took, 1),
    }


def million(base: Base, scenarios: Sequence[Scenario], count: int) -> Figures:
    """Return how long a million failures take in two processes, start included, from `count` that are answered.

    What starting costs is told from a sweep of a few, so that only the rest is scaled.
    """
    few = max(2, count // 10)
    times = []
    for size in (few, count):
        asked = [scenarios[at] for at in np.resize(np.arange(len(scenarios)), size).tolist()]
        clock = perf_counter()
        sweep(base, asked, workers=_WORKERS)
        times.append(perf_counter() - clock)
    per_one = max(0.0, times[1] - times[0]) / (count - few)
    return {
        "million_s": round(times[1] + per_one * (_MILLION - count), 2),
        "million_answered": count,
        "million_workers": _WORKERS,
    }
