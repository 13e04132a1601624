"""How many failures a second can be answered exactly, beside networkx and scipy on the same networks and demands.

Each of our answers is for a failed link, drawn at random: loads of all arcs, highest utilisation, overloaded arcs,
lost traffic. Rates are per second of CPU time of one core, the best of three runs (another program on the same core
does not count); `wall_per_s` is by the clock. `single_ms` is the median of one question with all its loads as an
answer. The error is the largest difference of any arc over the largest load, against full recomputation by
the house's kernel (`twin.whatif.naive`) and by scipy, with as many destinations as they can do in the time.

Baselines route everything anew per failure. Where a network has too many destinations, they do some of them and the
rate is scaled to all (`destinations` says how many were done).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, NamedTuple

import numpy as np

from benchmarks.report import Figures, resident_mb, result
from benchmarks.whatif_networks import HUB1000, HUB10000, germany50, hub
from benchmarks.whatif_paths import Method, by_networkx, by_scipy
from domain.errors import BadInput
from twin.whatif.base import Base, prepare
from twin.whatif.naive import recompute
from twin.whatif.network import Network
from twin.whatif.reading import read_network
from twin.whatif.scenarios import Scenario, single_links
from twin.whatif.sweep import sweep, what_if

Progress = Callable[[str], None]

_SEED = 7
_RUNS = 3


class Effort(NamedTuple):
    """How much is measured: scenarios per run and single questions; scenarios and destinations of the others."""

    scenarios: int
    singles: int
    checked: int
    goals: int


_QUICK = {
    "germany50": Effort(4_000, 100, 8, 50),
    "hub1000": Effort(2_000, 100, 2, 20),
    "hub10000": Effort(200, 20, 2, 4),
}
_FULL = {
    "germany50": Effort(50_000, 500, 88, 50),
    "hub1000": Effort(10_000, 500, 5, 200),
    "hub10000": Effort(3_000, 200, 2, 100),
}


def run(quick: bool, data: Path | None, progress: Progress) -> dict[str, Any]:
    """Measure and return the object of the bench.

    Args:
        quick: fewer scenarios, and fewer destinations for the others.
        data: a folder with `topology.json` and `demands.json` (see `twin.whatif.reading`): one network more, `given`.
        progress: told what is being done.

    Raises:
        BadInput: the files are not that.
    """
    started = perf_counter()
    effort = dict(_QUICK if quick else _FULL)
    networks: dict[str, Callable[[], Network]] = {
        "germany50": lambda: germany50(_SEED),
        "hub1000": lambda: hub(HUB1000, _SEED),
        "hub10000": lambda: hub(HUB10000, _SEED),
    }
    if data is not None and (data / "topology.json").exists():
        given = read_files(data / "topology.json", data / "demands.json")
        networks["given"], effort["given"] = lambda: given, effort["hub1000"]
    figures, others = Figures(), {"networkx": Figures(), "scipy": Figures()}
    for name, make in networks.items():
        ours, theirs = measure(make(), effort[name], partial(_tell, progress, name))
        figures[name] = ours
        for other, table in theirs.items():
            others[other][name] = table
    conditions = {"seed": _SEED, "n": sum(each["scenarios"] for each in figures.values()), "clock": "cpu"}
    return result("whatif", figures, others, conditions, started)


def _tell(progress: Progress, name: str, text: str) -> None:
    progress(f"{name}: {text}")


def read_files(topology: Path, demands: Path) -> Network:
    """Read a network from two files. Raises BadInput: they cannot be read, or are not what they should be."""
    try:
        return read_network(topology.read_text("utf-8"), demands.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"`{topology.name}` or `{demands.name}` cannot be read: {error}; name two text files") from None


def measure(network: Network, effort: Effort, progress: Progress) -> tuple[Figures, dict[str, Figures]]:
    """Return our figures of one network, and those of the others by name."""
    began = process_time()
    base = prepare(network)
    preparing = process_time() - began
    progress(f"{len(network.nodes)} nodes, {len(network.links)} links, {len(network.mbps)} demands: {preparing:.2f} s")
    rng = np.random.default_rng(_SEED)
    links = single_links(network)
    scenarios = [links[at] for at in rng.integers(len(links), size=effort.scenarios)]
    rate, wall = _rate(base, scenarios)
    singles = [_timed(what_if, base, each) for each in scenarios[: effort.singles]]
    progress(f"{rate:.0f} scenarios/s")
    checked = [links[at] for at in rng.choice(len(links), min(effort.checked, len(links)), replace=False)]
    resident = resident_mb()
    small = _with_destinations(network, rng, effort.goals)
    theirs = _others(small, checked, network, progress)
    ours = {
        "scenarios_per_s": round(rate, 1),
        "wall_per_s": round(wall, 1),
        "max_rel_error": max(_error(prepare(small), checked, full) for full in (_by_house, by_scipy)),
        "single_ms": round(1000 * float(np.median(singles)), 3),
        "rss_mb": resident,
        "base_mb": round(base.nbytes / 1e6, 1),
        "prepare_s": round(preparing, 3),
        "nodes": len(network.nodes),
        "links": len(network.links),
        "demands": len(network.mbps),
        "scenarios": len(scenarios),
    }
    return ours, theirs


def _rate(base: Base, scenarios: Sequence[Scenario]) -> tuple[float, float]:
    """Return scenarios per second of CPU and of the clock, of the best run."""
    cpu, wall = [], []
    for _ in range(_RUNS):
        began, clock = process_time(), perf_counter()
        sweep(base, scenarios)
        cpu.append(process_time() - began)
        wall.append(perf_counter() - clock)
    return len(scenarios) / min(cpu), len(scenarios) / min(wall)


def _timed(question: Callable[..., object], *arguments: object) -> float:
    began = process_time()
    question(*arguments)
    return process_time() - began


def _with_destinations(network: Network, rng: np.random.Generator, most: int) -> Network:
    """Return the network with the demands of some destinations only."""
    goals = np.unique(network.destination)
    kept = np.isin(network.destination, rng.choice(goals, min(most, len(goals)), replace=False))
    return replace(
        network,
        source=network.source[kept],
        destination=network.destination[kept],
        via=network.via[kept],
        mbps=network.mbps[kept],
    )


def _by_house(network: Network, failed: Sequence[int]) -> "np.ndarray[Any, np.dtype[np.float64]]":
    return recompute(network.without(failed))[0]


def _error(base: Base, scenarios: Sequence[Scenario], full: Method) -> float:
    """Return the largest difference of an arc's load over the largest load, in any of the scenarios."""
    worst = 0.0
    for scenario in scenarios:
        load = full(base.network, scenario.links)
        difference = np.abs(what_if(base, scenario).load - load).max(initial=0.0)
        worst = max(worst, float(difference / max(load.max(initial=0.0), 1e-300)))
    return worst


def _others(small: Network, scenarios: Sequence[Scenario], network: Network, progress: Progress) -> dict[str, Figures]:
    done, needed = len(np.unique(small.destination)), len(np.unique(network.destination))
    methods: dict[str, Method] = {"networkx": by_networkx, "scipy": by_scipy}
    tables = {}
    for name, method in methods.items():
        took = [_timed(method, small, each.links) for each in scenarios]
        rate = done / (needed * float(np.mean(took)))
        progress(f"{name}: {rate:.3g} scenarios/s")
        tables[name] = {
            "scenarios_per_s": float(f"{rate:.4g}"),
            "max_rel_error": _error(prepare(small), scenarios[:2], method),
            "single_ms": round(1000 / rate, 3),
            "rss_mb": resident_mb(),
            "destinations": done,
        }
    return tables
