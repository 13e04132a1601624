"""Many failures, one after the other: what each would do, in short.

`sweep` answers a list of scenarios, `what_if` and `before_convergence` a single one with all its loads.
A scenario in which the waypoint of a demand fails is routed anew as a whole: its traffic takes another way altogether.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from time import perf_counter

import numpy as np

from domain.errors import BadInput, TooLarge
from twin.snapshot import Snapshot
from twin.whatif.base import Base, prepare
from twin.whatif.bypass import Bypasses, bypasses, rerouted
from twin.whatif.compiled import Floats, Ints
from twin.whatif.naive import recompute
from twin.whatif.network import network_of
from twin.whatif.pool import Found, Part, scan_here, scan_in_processes, scan_part, scan_with_ray
from twin.whatif.scan import OVERLOAD
from twin.whatif.scenarios import Scenario

Progress = Callable[[int, int], None]

#: Arcs times scenarios of one part: bounds the memory of its answer.
_ROOM = 2_000_000
_SAMPLES = (1, 7, 25, 100, 400, 1600)
_SAMPLE_S = 0.2
#: What starting a pool of processes costs at least.
_START_S = 2.0


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Per scenario: highest load over capacity, the arc that has it (-1: none), Mbit/s lost, overloaded arcs."""

    max_utilisation: Floats
    worst: Ints
    lost_mbps: Floats
    over: tuple[Ints, ...]


@dataclass(frozen=True, eq=False)
class Sweep:
    """Outcomes once routing has converged, and before that if it was asked for (see `bypass.py`)."""

    scenarios: tuple[Scenario, ...]
    converged: Outcomes
    fast_reroute: Outcomes | None


@dataclass(frozen=True, eq=False)
class Answer:
    """One scenario in one state: Mbit/s per arc, and Mbit/s lost."""

    load: Floats
    lost_mbps: float


def base_of(snapshot: Snapshot) -> Base:
    """Return what questions about a snapshot start from; it is worked out once and kept with it."""
    known: Base | None = snapshot.memo.get("whatif")
    if known is None:
        known = snapshot.memo["whatif"] = prepare(network_of(snapshot))
    return known


def sweep(
    base: Base,
    scenarios: Iterable[Scenario],
    *,
    fast_reroute: bool = False,
    workers: int = 1,
    ray: bool = False,
    budget_s: float | None = None,
    progress: Progress | None = None,
) -> Sweep:
    """Answer all scenarios, in their order; the answers do not depend on where they are worked out.

    Args:
        base: see `prepare`.
        scenarios: see `scenarios.py`.
        fast_reroute: whether to answer for the time before convergence, too.
        workers: processes, or actors of Ray.
        ray: whether to use Ray instead of processes.
        budget_s: refuse a sweep that would take longer.
        progress: told how many scenarios of how many are done.

    Raises:
        BadInput: a scenario names what is not there, there is no worker, or Ray is not installed.
        TooLarge: the sweep does not fit into its budget; says how long it would take.
    """
    listed = scenarios if isinstance(scenarios, Sequence) else tuple(scenarios)
    _check(base, (), workers)
    if budget_s is not None:  # before all of them are made and looked at: pairs may be many millions
        _check_budget(base, listed, fast_reroute, workers, budget_s)
    asked = tuple(listed)
    _check(base, asked, workers)
    size = _size(base, len(asked), workers)
    parts = [asked[first : first + size] for first in range(0, len(asked), size)]
    packed = [_pack(part) for part in parts]
    if ray:
        found = scan_with_ray(base.state, packed, workers)
    elif workers > 1 and len(parts) > 1:
        found = scan_in_processes(base.state, packed, workers)
    else:
        found = scan_here(base.state, packed)
    converged, early = [], []
    known = _bypasses_of(base, asked) if fast_reroute else None
    done = 0
    for part, each in zip(parts, found, strict=True):
        converged.append(_outcomes(base, part, each))
        if known is not None:
            early.append(_summary(base, *rerouted(base, known, part)))
        done += len(part)
        if progress is not None:
            progress(done, len(asked))
    return Sweep(asked, _join(converged), _join(early) if fast_reroute else None)


def what_if(base: Base, scenario: Scenario) -> Answer:
    """Answer one scenario, once routing has converged. Raises BadInput when it names what is not there."""
    _check(base, (scenario,), 1)
    if _moves_waypoints(base, scenario):
        return Answer(*recompute(base.network.without(scenario.links, scenario.nodes)))
    found = scan_part(base.state, base.work(), _pack((scenario,)), loads=True)
    return Answer(found.load[0], float(found.lost[0]) + base.lost_mbps)


def before_convergence(base: Base, scenario: Scenario) -> Answer:
    """Answer one scenario while fast reroute carries the traffic. Raises BadInput when it names what is not there."""
    _check(base, (scenario,), 1)
    load, lost = rerouted(base, _bypasses_of(base, (scenario,)), (scenario,))
    return Answer(load[0], float(lost[0]))


def estimate_s(base: Base, scenarios: Sequence[Scenario], *, fast_reroute: bool = False, workers: int = 1) -> float:
    """Return about how many seconds a sweep takes, from a sample of it that is timed (0.2 s, or a little more).

    Samples grow, and the largest counts: what each call costs once is little in it.
    """
    taken, each = 0.0, 0.0
    for size in _SAMPLES:
        step = max(1, len(scenarios) // size)
        sample = scenarios[step // 2 :: step][:size]
        if not sample or taken > _SAMPLE_S:
            break
        started = perf_counter()
        sweep(base, sample, fast_reroute=fast_reroute)
        took = perf_counter() - started
        taken, each = taken + took, took / len(sample)
    return (_START_S if workers > 1 else 0.0) + each * len(scenarios) / workers


def _check(base: Base, scenarios: Sequence[Scenario], workers: int) -> None:
    if workers < 1:
        raise BadInput(f"a sweep needs a worker, not `{workers}`; ask for 1 or more")
    links = [link for scenario in scenarios for link in scenario.links]
    nodes = [node for scenario in scenarios for node in scenario.nodes]
    if _are_places(links, base.network.links) and _are_places(nodes, base.network.nodes):
        return
    for scenario in scenarios:
        if not (_are_places(scenario.links, base.network.links) and _are_places(scenario.nodes, base.network.nodes)):
            raise BadInput(f"the scenario `{scenario.name}` names a link or node that this network has not; correct it")


def _are_places(places: Sequence[int], names: Sequence[str]) -> bool:
    return not places or 0 <= min(places) <= max(places) < len(names)


def _check_budget(base: Base, scenarios: Sequence[Scenario], fast_reroute: bool, workers: int, budget_s: float) -> None:
    needed = estimate_s(base, scenarios, fast_reroute=fast_reroute, workers=workers)
    if needed > budget_s:
        raise TooLarge(
            f"a sweep of {len(scenarios)} scenarios would take about {needed:.1f} s, more than its budget of "
            f"{budget_s:g} s; allow more time or workers, or ask about fewer scenarios"
        )


def _size(base: Base, count: int, workers: int) -> int:
    """Return how many scenarios to scan in one go: as memory allows, and four goes per worker."""
    return max(1, min(_ROOM // max(1, len(base.network.tail)), -(-count // (1 if workers == 1 else 4 * workers))))


def _pack(scenarios: Sequence[Scenario]) -> Part:
    rows = np.cumsum([0, *[len(scenario.links) for scenario in scenarios]]).astype(np.int32)
    return Part(rows, np.array([link for scenario in scenarios for link in scenario.links], np.int32))


def _bypasses_of(base: Base, scenarios: Sequence[Scenario]) -> Bypasses:
    return bypasses(base, sorted({link for scenario in scenarios for link in scenario.links}))


def _moves_waypoints(base: Base, scenario: Scenario) -> bool:
    return bool(scenario.nodes) and bool(np.isin(base.network.via, scenario.nodes).any())


def _outcomes(base: Base, scenarios: Sequence[Scenario], found: Found) -> Outcomes:
    none = found.over[:0]
    short = Outcomes(
        found.utilisation,
        found.worst,
        found.lost + base.lost_mbps,
        tuple(found.over[begin:end] if begin < end else none for begin, end in pairwise(found.over_rows.tolist())),
    )
    moved = [at for at, scenario in enumerate(scenarios) if scenario.nodes and _moves_waypoints(base, scenario)]
    if not moved:
        return short
    over = list(short.over)
    short = Outcomes(short.max_utilisation.copy(), short.worst.copy(), short.lost_mbps, ())
    for at in moved:
        load, lost = recompute(base.network.without(scenarios[at].links, scenarios[at].nodes))
        anew = _summary(base, load[None, :], np.array([lost]))
        short.max_utilisation[at], short.worst[at] = anew.max_utilisation[0], anew.worst[0]
        short.lost_mbps[at], over[at] = lost, anew.over[0]
    return Outcomes(short.max_utilisation, short.worst, short.lost_mbps, tuple(over))


def _summary(base: Base, load: Floats, lost: Floats) -> Outcomes:
    """Sum up loads of shape (scenarios, arcs)."""
    used = load / base.network.capacity
    if used.shape[1] == 0:
        none = np.full(len(load), -1, np.int32)
        return Outcomes(np.zeros(len(load)), none, lost, tuple(none[:0] for _ in load))
    highest = used.max(axis=1)
    worst = np.where(highest > 0, used.argmax(axis=1), -1).astype(np.int32)
    return Outcomes(highest, worst, lost, tuple(np.flatnonzero(row > OVERLOAD).astype(np.int32) for row in used))


def _join(parts: Sequence[Outcomes]) -> Outcomes:
    if not parts:
        return Outcomes(np.zeros(0), np.zeros(0, np.int32), np.zeros(0), ())
    return Outcomes(
        np.concatenate([part.max_utilisation for part in parts]),
        np.concatenate([part.worst for part in parts]),
        np.concatenate([part.lost_mbps for part in parts]),
        tuple(arcs for part in parts for arcs in part.over),
    )
