"""How long a plan takes to bring the network back, as far as is known before it is carried out.

Earlier plans of the same class tell, from `FEWEST` of them on. Before that there is a prior, which follows from the
times that the house is set to: a device acts within `reaction_s` and shows it at the next sample; a crew comes within
`crew_s`. Both are wide, and calibration (`twin.blast.calibration`) corrects what they get wrong as a class.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from domain.actions import ActionClass

#: So many earlier plans of a class are needed before they are asked instead of the prior.
FEWEST = 5
_TAILS = (0.05, 0.5, 0.95)
_BY_PEOPLE = frozenset({ActionClass.DISPATCH_CREW, ActionClass.RECALL_CREW})


class Recovery(NamedTuple):
    """Seconds from a plan's first step until the network has recovered: median, and a 90 % interval.

    `earlier` is the number of plans that it comes from; 0: it is a prior.
    """

    median_s: float
    low_s: float
    high_s: float
    earlier: int = 0


def prior(action_class: ActionClass, *, reaction_s: float, period_s: float, crew_s: float) -> Recovery:
    """Return what is assumed of a class that has no past here.

    Args:
        action_class: of the plan (`class_of`).
        reaction_s: within which a recovery is credited to an effect.
        period_s: between two samples of telemetry.
        crew_s: how long people have, where they have to travel.
    """
    seen_s = period_s + reaction_s
    if action_class in _BY_PEOPLE:
        return Recovery(median_s=crew_s / 4 + seen_s, low_s=crew_s / 40, high_s=crew_s + seen_s)
    return Recovery(median_s=seen_s / 2, low_s=period_s / 2, high_s=2 * seen_s)


def recovery_of(earlier_s: Sequence[float], otherwise: Recovery) -> Recovery:
    """Return median, 5th and 95th percentile of what earlier plans took, in seconds; the prior where few are known."""
    if len(earlier_s) < FEWEST:
        return otherwise
    low, median, high = (float(value) for value in np.quantile(np.asarray(earlier_s, np.float64), _TAILS))
    return Recovery(median_s=median, low_s=low, high_s=high, earlier=len(earlier_s))
