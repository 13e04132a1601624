"""Exact intervals of a share that was counted."""

from scipy.stats import beta


def clopper_pearson(hits: int, of: int, level: float = 0.95) -> tuple[float, float]:
    """Return the exact interval of a share; 0 to 1 for no trials.

    Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial",
    Biometrika 26 (1934). It is of one look: for a share that is watched, see `stats.anytime`.

    Raises:
        ValueError: there are more hits than trials, or less than none.
    """
    if not 0 <= hits <= of:
        raise ValueError(f"{hits} of {of} is no share")
    rest = (1.0 - level) / 2
    low = 0.0 if hits == 0 else float(beta.ppf(rest, hits, of - hits + 1))
    high = 1.0 if hits == of else float(beta.ppf(1.0 - rest, hits + 1, of - hits))
    return low, high
