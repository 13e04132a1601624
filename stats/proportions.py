"""What is sure of a share that was counted, and whether later numbers are larger than earlier ones."""

from collections.abc import Sequence

from scipy import stats


def at_least(hits: int, of: int, level: float = 0.9) -> float:
    """Return the share that is surely exceeded: the exact one-sided lower bound (Clopper and Pearson, 1934).

    Raises:
        ValueError: the counts are impossible, or the level is not between 0 and 1.
    """
    if not 0 <= hits <= of:
        raise ValueError(f"{hits} of {of} is no share")
    if not 0 < level < 1:
        raise ValueError(f"a level lies between 0 and 1, and {level} does not")
    return 0.0 if hits == 0 else float(stats.beta.ppf(1 - level, hits, of - hits + 1))


def later_are_larger(earlier: Sequence[float], later: Sequence[float]) -> float:
    """Return the chance of numbers so large, were the later ones drawn as the earlier ones were (Mann and Whitney).

    One-sided; 1.0 where one of the two is empty or all numbers are the same.
    """
    if not earlier or not later or len({*earlier, *later}) == 1:
        return 1.0
    return float(stats.mannwhitneyu(later, earlier, alternative="greater", method="asymptotic").pvalue)
