"""The rule by which a learner leaves the shadow: at or above greedy on networks that it never saw, 95 % surely.

Episodes on one network are not independent of each other, networks are: so the figure of a network is the mean over
its episodes, and the interval is Student's t over the networks. What is compared is the paired difference
log(worst link under greedy) − log(worst link under the learner), above 0 where the learner leaves it less full.
Greed plays as often as the learner does. The lower end of the interval must be 0 or more, and not one plan of the
learner may violate what the shield promises.
"""

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy import stats

from domain.errors import BadInput

LEVEL = 0.95
#: Below so many networks there is no verdict but no.
FEWEST_NETWORKS = 10


@dataclass(frozen=True)
class Pair:
    """One episode on an unseen network: the worst link utilisation that greedy and the learner reached."""

    network: str
    greedy: float
    learner: float


@dataclass(frozen=True)
class Verdict:
    """How much less full the learner leaves the fullest link than greedy does, as a mean logarithm, and the verdict."""

    gain: float
    low: float
    high: float
    networks: int
    episodes: int
    violations: int
    promoted: bool


def verdict(pairs: Iterable[Pair], violations: int) -> Verdict:
    """Apply the rule.

    Args:
        pairs: episodes of both on the same scenarios.
        violations: of the learner's plans, by `checks.violations`.

    Raises:
        BadInput: fewer than two networks, or a utilisation that is not above 0.
    """
    by_network: dict[str, list[float]] = defaultdict(list)
    for pair in pairs:
        if not (0 < pair.greedy < math.inf and 0 < pair.learner < math.inf):
            raise BadInput(f"a utilisation on `{pair.network}` is not above 0; leave idle networks out")
        by_network[pair.network].append(math.log(pair.greedy / pair.learner))
    if len(by_network) < 2:
        raise BadInput(f"an interval needs two networks or more, not {len(by_network)}; measure on more")
    means = np.array([np.mean(gains) for gains in by_network.values()])
    gain, error = float(means.mean()), float(means.std(ddof=1) / math.sqrt(len(means)))
    half = float(stats.t.ppf((1 + LEVEL) / 2, len(means) - 1)) * error
    good = len(means) >= FEWEST_NETWORKS and violations == 0 and gain - half >= 0
    episodes = sum(len(gains) for gains in by_network.values())
    return Verdict(gain, gain - half, gain + half, len(means), episodes, violations, good)
