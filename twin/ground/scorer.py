"""The learner being asked: numpy only, so that a server never imports torch.

Each row of a table is read by the same small network; what all rows have in common is pooled (mean and maximum over
the rows that are allowed) and given back to each (Deep Sets: Zaheer et al. 2017, https://arxiv.org/abs/1703.06114).
So the scores follow the rows wherever these stand, and there may be any number of them. `training.py` trains the very
same network; a test holds the two against each other.
"""

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from domain.errors import BadInput
from twin.ground.candidates import FEATURES, Rows, Table
from twin.topology import Flags, Floats

Tensors: TypeAlias = Mapping[str, NDArray[np.float32]]

WIDTH = 32


def _shapes() -> dict[str, tuple[int, ...]]:
    features = len(FEATURES)
    return {
        "enter.weight": (WIDTH, features),
        "enter.bias": (WIDTH,),
        "mix.weight": (WIDTH, 3 * WIDTH),
        "mix.bias": (WIDTH,),
        "leave.weight": (1, WIDTH),
        "straight.weight": (1, features),
    }


#: Name → shape of each tensor of the network, as torch names them.
SHAPES: Mapping[str, tuple[int, ...]] = _shapes()


class Scorer:
    """One trained version, ready to be asked. Safe to use from several threads."""

    def __init__(self, tensors: Tensors) -> None:
        """Take weights as `training.fit` returns them. Raises BadInput when they are not those of this network."""
        if {name: value.shape for name, value in tensors.items()} != SHAPES:
            raise BadInput("the tensors are not those of this scorer; train a version with this release")
        self.tensors: Tensors = dict(tensors)

    def scores(self, rows: Rows, allowed: Flags) -> Floats:
        """Return (n,) logits of (n, len(FEATURES)) rows; minus infinity where the mask does not allow a row.

        At least one row must be allowed.
        """
        weights = self.tensors
        own = np.maximum(rows @ weights["enter.weight"].T + weights["enter.bias"], 0.0)
        seen = own[allowed]
        common = np.broadcast_to(np.concatenate([seen.mean(axis=0), seen.max(axis=0)]), (len(own), 2 * WIDTH))
        mixed = np.concatenate([own, common], axis=1) @ weights["mix.weight"].T + weights["mix.bias"]
        logits = np.maximum(mixed, 0.0) @ weights["leave.weight"][0] + rows @ weights["straight.weight"][0]
        return np.where(allowed, logits, -np.inf).astype(np.float64)

    def choose(self, table: Table) -> int:
        """Return the row with the highest score, the first of equals."""
        return int(self.scores(table.features, table.allowed).argmax())
