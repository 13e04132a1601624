"""Sweeps of failures: what each would do to the network as it is believed to be, the worst first."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from time import perf_counter

import numpy as np

from domain.base import Word
from twin.snapshot import Snapshot
from twin.whatif.network import Network
from twin.whatif.scenarios import Scenario, link_pairs, shared_risks, single_links, single_nodes
from twin.whatif.sweep import base_of, sweep

_SHOWN = 50


class SweepKind(StrEnum):
    """What fails: each link, each node, each two links, each shared-risk group."""

    LINKS = "links"
    NODES = "nodes"
    PAIRS = "pairs"
    SHARED_RISKS = "shared_risks"


_SCENARIOS: dict[SweepKind, Callable[[Network], Iterable[Scenario]]] = {
    SweepKind.LINKS: single_links,
    SweepKind.NODES: single_nodes,
    SweepKind.PAIRS: link_pairs,
    SweepKind.SHARED_RISKS: shared_risks,
}


class Failure(Word):
    """What one failure would do once routing has converged: the fullest link, traffic without a way, full links."""

    name: str
    max_utilisation: float
    fullest: str
    lost_mbps: float
    overloaded: int


class Swept(Word):
    """A sweep in short. `lost_mbps`: what has no way even without a failure; `worst`: at most 50, the worst first."""

    kind: SweepKind
    scenarios: int
    overloading: int
    losing: int
    lost_mbps: float
    worst: tuple[Failure, ...]
    seconds: float


def swept(snapshot: Snapshot, kind: SweepKind, budget_s: float) -> Swept:
    """Fail all of a kind, one after the other. Raises TooLarge when that does not fit into so many seconds."""
    started = perf_counter()
    base = base_of(snapshot)
    done = sweep(base, _SCENARIOS[kind](base.network), budget_s=budget_s)
    found, links = done.converged, base.network.links
    order = np.lexsort((-found.max_utilisation, -found.lost_mbps))[:_SHOWN].tolist()
    return Swept(
        kind=kind,
        scenarios=len(done.scenarios),
        overloading=sum(len(over) > 0 for over in found.over),
        losing=int((found.lost_mbps > base.lost_mbps + 1e-9).sum()),
        lost_mbps=base.lost_mbps,
        worst=tuple(
            Failure(
                name=done.scenarios[at].name,
                max_utilisation=round(float(found.max_utilisation[at]), 4),
                fullest=links[found.worst[at] // 2] if found.worst[at] >= 0 else "",
                lost_mbps=round(float(found.lost_mbps[at]), 3),
                overloaded=len(found.over[at]),
            )
            for at in order
        ),
        seconds=round(perf_counter() - started, 3),
    )
