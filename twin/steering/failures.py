"""What is left of a state when one link fails: the seam between steering and failure sweeps."""

from dataclasses import dataclass

import numpy as np

from domain.changes import SetOperational
from domain.network import Operational
from twin.evaluate import evaluate
from twin.snapshot import Snapshot

#: Links that are tried, the fullest first: what stays interactive.
MOST_LINKS = 200


@dataclass(frozen=True)
class AfterFailure:
    """The worst utilisation after any one link failure, which failure that is, and how many were tried."""

    worst: float
    link: str
    tried: int


def worst_after_failure(snapshot: Snapshot, most: int = MOST_LINKS) -> AfterFailure:
    """Fail each link that works, one at a time, and return the worst that follows (without a link: as it stands)."""
    base = evaluate(snapshot)
    topology = snapshot.topology
    fullest = base.arc_utilisation.reshape(-1, 2).max(axis=1)
    working = np.flatnonzero(base.routing.ask.usable[::2])
    worst, worst_link = base.impact().max_utilisation, ""
    tried = working[np.argsort(-fullest[working], kind="stable")[:most]]
    for place in tried:
        link = topology.links[place]
        failed = evaluate(snapshot, [SetOperational(element=link, state=Operational.DISABLED)])
        utilisation = float(failed.arc_utilisation.max(initial=0.0))
        if utilisation > worst:
            worst, worst_link = utilisation, link
    return AfterFailure(worst, worst_link, len(tried))
