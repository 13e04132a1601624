"""What is left of a state when one link fails: the seam between steering and failure sweeps."""

from dataclasses import dataclass

import numpy as np

from twin.evaluate import evaluate
from twin.snapshot import Snapshot
from twin.whatif.scenarios import single_links
from twin.whatif.sweep import base_of, sweep


@dataclass(frozen=True)
class AfterFailure:
    """The worst utilisation after any one link failure, which failure that is, and how many were tried."""

    worst: float
    link: str
    tried: int


def worst_after_failure(snapshot: Snapshot) -> AfterFailure:
    """Fail each link that works, one at a time, and return the worst that follows (without a link: as it stands)."""
    worst, base = evaluate(snapshot).impact().max_utilisation, base_of(snapshot)
    failures = single_links(base.network)
    if not failures:
        return AfterFailure(worst, "", 0)
    found = sweep(base, failures).converged.max_utilisation
    at = int(np.argmax(found))
    if found[at] <= worst:
        return AfterFailure(worst, "", len(failures))
    return AfterFailure(float(found[at]), failures[at].name, len(failures))
