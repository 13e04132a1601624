"""What a row of outcomes says of the share that goes wrong, however often and whenever one looks.

Two questions, each answered by betting against the claim one would like to refute (Waudby-Smith and Ramdas,
"Estimating means of bounded random variables by betting", JRSS B 86, 2024, section 4: mixtures over a grid of bets;
Ville's inequality makes the wealth e of such bets anytime-valid):

*Is the share of failures below p?* Against "at least p", for alternatives q = p · k / 100, k = 1 … 99, of equal weight:

    E(n, f; p) = mean over q of (q / p)^f · ((1 - q) / (1 - p))^(n - f)        n outcomes, f of them failures

Each factor has a mean of at most 1 while the chance of a failure, given what came before, is at least p. So whoever
looks for ever meets E ≥ 1/α with a chance of at most α. E rises with p, so the p where it equals 1/α is an upper bound.
Clean outcomes needed at 95 %: 43 for 10 %, 88 for 5 %, 224 for 2 %, 451 for 1 %; 681 for 1 % with one failure.

*Has it risen above p?* Against "at most p", for alternatives above p, each begun at every outcome n with the weight
1 / (n (n + 1)), which sums to 1, so that a late rise is found without having to make up for a long good row:

    M_n(q) = (M_{n-1}(q) + 1 / (n (n + 1))) · L_n,   L = q / p for a failure, (1 - q) / (1 - p) for none

The mean over q plus the weight that has not begun, 1 / (n + 1), is an e-process: a share that stays within p is ever
found to be above it with a chance of at most α, where it is said at 1/α.
"""

from typing import NamedTuple

import numpy as np

_BETS = np.arange(1, 100) / 100
#: Where the alternatives lie between the limit (0) and certain failure (1).
_RISES = np.array((0.03, 0.08, 0.2, 0.4, 0.65, 0.95))
_MOST = 1e100  # beyond any threshold; keeps long rows finite


def log_wealth(outcomes: int, failures: int, limit: float) -> float:
    """Return ln E(n, f; p), the evidence that the share of failures is below `limit`.

    Raises:
        ValueError: the limit is not between 0 and 1, or there are more failures than outcomes, or less than none.
    """
    if not 0.0 < limit < 1.0:
        raise ValueError(f"a limit lies between 0 and 1, and {limit} does not")
    if not 0 <= failures <= outcomes:
        raise ValueError(f"{failures} of {outcomes} outcomes cannot have failed")
    each = failures * np.log(_BETS) + (outcomes - failures) * (np.log1p(-_BETS * limit) - np.log1p(-limit))
    top = float(each.max())
    return top + float(np.log(np.mean(np.exp(each - top))))


def upper_bound(outcomes: int, failures: int, alpha: float = 0.05) -> float:
    """Return the smallest share that is refuted at 1/α (to within 1e-9), or 1.0 when none is.

    Raises:
        ValueError: α is not between 0 and 1, or the counts are impossible.
    """
    if not 0.0 < alpha < 1.0:
        raise ValueError(f"a chance of error lies between 0 and 1, and {alpha} does not")
    wanted, low, high = -np.log(alpha), 1e-12, 1.0 - 1e-12
    if log_wealth(outcomes, failures, high) < wanted:
        return 1.0
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (low, middle) if log_wealth(outcomes, failures, middle) >= wanted else (middle, high)
    return high


def needed(limit: float, failures: int = 0, alpha: float = 0.05) -> int:
    """Return how many outcomes, with so many failures among them, bring the bound to `limit`."""
    most = failures + 1
    while log_wealth(most, failures, limit) < -np.log(alpha):
        most *= 2
    least = failures
    while most - least > 1:
        middle = (least + most) // 2
        least, most = (least, middle) if log_wealth(middle, failures, limit) >= -np.log(alpha) else (middle, most)
    return most


class Watch(NamedTuple):
    """How far the suspicion has grown that the share of failures lies above a limit: one wealth per alternative."""

    seen: int = 0
    sums: tuple[float, ...] = (0.0,) * len(_RISES)

    @property
    def e_value(self) -> float:
        """The evidence against "at most the limit"; at 20 it is refuted with 95 %."""
        return float(np.mean(self.sums)) + 1.0 / (self.seen + 1)

    def after(self, failure: bool, limit: float) -> "Watch":
        """Return the watch after one more outcome. Raises ValueError for a limit not between 0 and 1."""
        if not 0.0 < limit < 1.0:
            raise ValueError(f"a limit lies between 0 and 1, and {limit} does not")
        rates = limit + (1.0 - limit) * _RISES
        seen = self.seen + 1
        factor = rates / limit if failure else (1.0 - rates) / (1.0 - limit)
        sums = np.minimum((np.array(self.sums) + 1.0 / (seen * (seen + 1))) * factor, _MOST)
        return Watch(seen, tuple(sums.tolist()))
