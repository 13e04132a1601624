"""How many failures a second can be answered exactly, beside networkx and scipy on the same networks and demands.

Each of our answers is for a failed link, drawn at random: loads of all arcs, highest utilisation, overloaded arcs,
lost traffic. Rates are per second of CPU time of one core, the best of three runs (another program on the same core
does not count); `wall_per_s` is by the clock. `single_ms` is the median of one question with all its loads as an
answer. The error is the largest difference of any arc over the largest load, against full recomputation by
the house's kernel (`twin.whatif.naive`) and by scipy, with as many destinations as they can do in the time.

Beside them: the time before convergence (fast reroute), and for the smallest network all pairs of links and a million
failures in two processes (`benchmarks.whatif_sweeps`).

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

from benchmarks.given import given_network
from benchmarks.report import Figures, resident_mb, result
from benchmarks.whatif_networks import HUB1000, HUB10000, germany50, hub
from benchmarks.whatif_paths import Method, by_networkx, by_scipy
from benchmarks.whatif_sweeps import fast_reroute, million, pairs
from domain.errors import BadInput
from twin.whatif.base import Base, prepare
from twin.whatif.naive import recompute
from twin.whatif.network import Network
from twin.whatif.scenarios import Scenario, single_links
from twin.whatif.sweep import sweep, what_if

Progress = Callable[[str], None]

_SEED = 7
_RUNS = 3


class Effort(NamedTuple):
    """How much is measured.

    Attributes:
        scenarios: per run.
        singles: questions one by one.
        checked: scenarios of the others.
        goals: destinations of the others.
        early: states before convergence.
        million: how many of a million failures in two processes are answered; 0: none, nor all pairs of links.
    """

    scenarios: int
    singles: int
    checked: int
    goals: int
    early: int = 20
    million: int = 0


_QUICK = {
    "germany50": Effort(4_000, 100, 8, 50, 200, 50_000),
    "hub1000": Effort(2_000, 100, 2, 20, 100),
    "hub10000": Effort(200, 20, 2, 4, 50),
}
_FULL = {
    "germany50": Effort(50_000, 500, 88, 50, 5_000, 1_000_000),
    "hub1000": Effort(10_000, 500, 5, 200, 1_000),
    "hub10000": Effort(3_000, 200, 2, 100, 500),
}


def run(
    quick: bool, data: Path | None, progress: Progress, topology: Path | None = None, demands: Path | None = None
) -> dict[str, Any]:
    """Measure and return the object of the bench.

    Args:
        quick: fewer scenarios, and fewer destinations for the others.
        data: a folder with `topology.json` and `demands.json` (see `twin.whatif.reading`): one network more, `given`.
        progress: told what is being done.
        topology: a file of that form with one network more, `given`, with its `demands`.
        demands: likewise.

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
    if topology is None and demands is None and data is not None and (data / "topology.json").exists():
        topology, demands = data / "topology.json", data / "demands.json"
    given = given_network(topology, demands)
    if given is not None:
        networks["given"], effort["given"] = _asked(given), effort["hub1000"]
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


def _asked(given: Network) -> Callable[[], Network]:
    """Refuse a network in which nothing could be measured: no link that could fail, or no traffic."""
    if not given.live.any() or not (given.mbps > 0).any():
        raise BadInput("a network without a link or without a demand above 0 Mbit/s cannot be measured; add some")
    return lambda: given


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
    more = fast_reroute(base, scenarios[: effort.early])
    if effort.million > 0:
        more |= pairs(base) | million(base, links, effort.million)
        progress(f"{more['n2_scenarios']} pairs in {more['n2_s']} s, a million in {more['million_s']} s")
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
    return ours | more, theirs


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
