"""What a remedy is worth: the same sampled futures with and without it, in the normal state and after single failures.

Paths do not depend on load, so a state is routed once per future and failure, from the paths of the future without
failure. Failures are those of one link, and of a shared-risk group. Those that overload nothing even under high
demands, whatever is built, are not simulated in every future (`screened`); in a large network only those that move most
traffic are asked. All remedies meet the same futures and failures.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from domain.capacity import Remedy, Terms, Weighed
from domain.changes import SetOperational
from domain.network import Operational
from twin.evaluate import Prediction, evaluate
from twin.planning.futures import Futures
from twin.planning.remedies import NOTHING, built
from twin.snapshot import Snapshot
from twin.topology import Floats

Progress = Callable[[str], None]
Failure = tuple[SetOperational, ...]


@dataclass(frozen=True, eq=False)
class _Found:
    """One remedy in all futures. `risk` (futures,) Mbit/s; `target` to `overloaded` (futures,), 0 or 1."""

    risk: Floats
    target: Floats
    congested: Floats
    overloaded: Floats
    worst: float
    states: int


def weigh(
    snapshot: Snapshot,
    link: str,
    remedies: Sequence[Remedy],
    futures: Futures,
    terms: Terms,
    progress: Progress = lambda _: None,
) -> tuple[Weighed, ...]:
    """Return what doing nothing, and then each remedy, is worth, in that order. `link` is the one to relieve.

    Raises:
        BadInput: a remedy does not fit the network.
    """
    asked = (NOTHING, *remedies)
    networks = [built(snapshot, remedy) for remedy in asked]
    progress(f"looking for the failures that matter to {len(asked)} remedies")
    critical = {failure for network in networks for failure in screened(network, futures, terms)}
    found = []
    for number, network in enumerate(networks, 1):
        progress(f"simulating remedy {number} of {len(asked)} in {terms.futures} futures")
        kept = tuple(failure for failure in failures(network) if failure in critical)
        found.append(_simulated(network, link, kept, futures, terms))
    return tuple(_weighed(remedy, one, found[0], terms) for remedy, one in zip(asked, found, strict=True))


def failures(snapshot: Snapshot) -> tuple[Failure, ...]:
    """Return the overlays of all single failures: each link, and each shared-risk group of more than one."""
    groups: dict[str, list[str]] = {}
    for link in snapshot.inventory.links:
        for srlg in link.srlgs:
            groups.setdefault(srlg, []).append(link.id)
    alone = [(link,) for link in snapshot.topology.links]
    shared = {tuple(sorted(links)) for links in groups.values() if len(links) > 1}
    return tuple(
        tuple(SetOperational(element=link, state=Operational.DISABLED) for link in links)
        for links in (*alone, *sorted(shared))
    )


def screened(snapshot: Snapshot, futures: Futures, terms: Terms) -> tuple[Failure, ...]:
    """Return the failures that overload something under high demands, the worst first, no more than the terms say."""
    if not terms.failures:
        return ()
    high = snapshot.with_changes(futures.high)
    load = evaluate(high).arc_load.reshape(-1, 2).sum(axis=1)
    at = snapshot.topology.link_at
    moved = [(sum(load[at[change.element]] for change in failure), failure) for failure in failures(snapshot)]
    asked = sorted(moved, key=lambda one: -one[0])[: terms.screened]
    excess = [(beyond(evaluate(high, failure), 1.0), failure) for _, failure in asked]
    worst = sorted((one for one in excess if one[0] > 0), key=lambda one: -one[0])
    return tuple(failure for _, failure in worst[: terms.failures])


def beyond(state: Prediction, share: float) -> float:
    """Return the Mbit/s that go beyond a share of capacity, summed over all link directions."""
    return float(np.maximum(state.arc_load - share * state.capacity, 0.0).sum())


def _simulated(network: Snapshot, link: str, kept: Sequence[Failure], futures: Futures, terms: Terms) -> _Found:
    risk, target, congested, overloaded, worst = [], [], [], [], 0.0
    calm_share = max(0.0, 1 - terms.unavailability * len(kept))  # of very many links one is always down
    for overlay in futures.overlays:
        future = network.with_changes(overlay)
        normal = evaluate(future)
        failed = [beyond(evaluate(future, failure), 1.0) for failure in kept]
        calm = beyond(normal, terms.threshold)
        risk.append(calm_share * calm + (1 - calm_share) * sum(failed) / max(len(kept), 1))
        target.append(normal.utilisation(link) > terms.threshold)
        congested.append(calm > 0)
        overloaded.append(any(failed))
        worst = max(worst, float(normal.arc_utilisation.max(initial=0.0)))
    return _Found(
        risk=np.array(risk),
        target=np.array(target, np.float64),
        congested=np.array(congested, np.float64),
        overloaded=np.array(overloaded, np.float64),
        worst=worst,
        states=1 + len(kept),
    )


def _weighed(remedy: Remedy, found: _Found, nothing: _Found, terms: Terms) -> Weighed:
    removed, tail = nothing.risk - found.risk, (1 - terms.level) / 2
    return Weighed(
        remedy=remedy,
        risk_mbps=float(found.risk.mean()),
        removed_mbps=float(removed.mean()),
        removed_low=float(np.quantile(removed, tail)),
        removed_high=float(np.quantile(removed, 1 - tail)),
        chance_target=float(found.target.mean()),
        chance_normal=float(found.congested.mean()),
        chance_n1=float(found.overloaded.mean()),
        worst_utilisation=found.worst,
        futures=len(found.risk),
        states=len(found.risk) * found.states,
    )
