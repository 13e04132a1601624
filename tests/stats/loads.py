"""Load histories made for tests: a day that rises and falls, growth, and noise, of which the test knows every part."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SLOTS = 42  # of four hours


def loads(levels: list[float], weeks: int = 40, *, growth: float = 0.0, noise: float = 0.0, seed: int = 7) -> Floats:
    """Return (series, weeks, 42): `levels` × a daily rise and fall × `exp(growth · week)` × lognormal noise.

    The noise of a week's level is as large as that of a slot.
    """
    rng = np.random.default_rng(seed)
    day = 1 + 0.5 * np.sin(2 * np.pi * np.arange(SLOTS) / 6)
    weekly = growth * np.arange(weeks) + noise * rng.standard_normal((len(levels), weeks))
    slots = noise * rng.standard_normal((len(levels), weeks, SLOTS))
    return np.array(levels)[:, None, None] * day * np.exp(weekly[:, :, None] + slots)
