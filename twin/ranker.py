"""The learned ranker of candidate causes, being asked: numpy and scipy only, so that a server never imports torch.

It reads of each element how much trouble it is in, whether it is silent or healthy, of which kind it is and how many
neighbours it has, and passes messages along cause → effect and against it, each way with weights of its own
(GraphSAGE: Hamilton et al. 2017, https://arxiv.org/abs/1706.02216). It gives one logit per element; only those of the
candidates are compared. Element names and kinds of fault are never seen, so what it learnt on generated networks can
be asked on any other. `gnn.py` trains the very same network; a test holds the two against each other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import networkx as nx
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import erf

from domain.errors import BadInput
from domain.models import Sight
from domain.network import NodeKind

Floats: TypeAlias = NDArray[np.float32]
Tensors: TypeAlias = Mapping[str, Floats]

KINDS = (*(str(kind) for kind in NodeKind), "termination_point", "link", "demand", "service")
SEEN = ("trouble", "silent", "healthy", "unseen")
#: What each element's row of the input holds, in order.
FEATURES = (*SEEN, "causes", "effects", *(f"is {kind}" for kind in KINDS))
WIDTH, LAYERS = 32, 4
_NORM_EPSILON = 1e-5


def _shapes() -> dict[str, tuple[int, ...]]:
    square, row = (WIDTH, WIDTH), (WIDTH,)
    entry = {"enter.weight": (WIDTH, len(FEATURES)), "enter.bias": row}
    exit = {
        "leave.0.weight": (WIDTH, 2 * WIDTH),
        "leave.0.bias": row,
        "leave.2.weight": (1, WIDTH),
        "leave.2.bias": (1,),
    }
    layers: dict[str, tuple[int, ...]] = {}
    for n in range(LAYERS):
        for part in (f"down.{n}.lin_l", f"up.{n}.lin_l", f"own.{n}"):
            layers |= {f"{part}.weight": square, f"{part}.bias": row}
        layers |= {f"norm.{n}.weight": row, f"norm.{n}.bias": row}
    return entry | layers | exit


#: Name → shape of each tensor of the network, as torch names them.
SHAPES: Mapping[str, tuple[int, ...]] = _shapes()


@dataclass(frozen=True)
class Grid:
    """An element graph as arrays: N names, N × S features that no case changes, and 2 × E edges cause → effect."""

    place: Mapping[str, int]
    still: Floats
    edges: NDArray[np.int64]

    @cached_property
    def means(self) -> tuple[csr_array, csr_array]:
        """Two N × N arrays that average over an element's causes, and over its effects."""
        return self._mean(self.edges[0], self.edges[1]), self._mean(self.edges[1], self.edges[0])

    def _mean(self, source: NDArray[np.int64], target: NDArray[np.int64]) -> csr_array:
        count = len(self.place)
        share = 1.0 / np.maximum(np.bincount(target, minlength=count), 1)
        return csr_array((share[target].astype(np.float32), (target, source)), shape=(count, count))


def grid(graph: nx.DiGraph) -> Grid:
    """Return an element graph as arrays; kinds that are not known count as none."""
    place = {name: index for index, name in enumerate(graph)}
    kinds = np.zeros((len(place), len(KINDS)), np.float32)
    for name, kind in graph.nodes(data="kind", default=""):
        if kind in KINDS:
            kinds[place[name], KINDS.index(kind)] = 1.0
    ends = [(place[cause], place[effect]) for cause, effect in graph.edges]
    edges = np.array(ends, np.int64).reshape(-1, 2).T
    count = len(place)
    degrees = np.stack([np.bincount(edges[1], minlength=count), np.bincount(edges[0], minlength=count)], axis=1)
    return Grid(place, np.concatenate([np.log1p(degrees).astype(np.float32), kinds], axis=1), edges)


def seen(on: Grid, sight: Sight) -> Floats:
    """Return N × 4: trouble (0–1), silent, healthy, and unseen; elements that the graph does not hold are left out."""
    rows = np.zeros((len(on.place), len(SEEN)), np.float32)
    for element, level in sight.trouble.items():
        if element in on.place:
            rows[on.place[element], 0] = level
    for column, elements in ((1, sight.silent), (2, sight.healthy)):
        rows[[on.place[element] for element in elements if element in on.place], column] = 1.0
    rows[:, 3] = rows[:, :3].max(axis=1) == 0.0
    return rows


class Ranker:
    """One trained version, ready to be asked. Safe to use from several threads."""

    def __init__(self, tensors: Tensors) -> None:
        """Take weights as `gnn.fit` returns them. Raises BadInput when they are not those of this network."""
        if {name: value.shape for name, value in tensors.items()} != SHAPES:
            raise BadInput("the tensors are not those of this ranker; train a version with this release")
        self._tensors = dict(tensors)

    def scores(self, on: Grid, sight: Sight) -> dict[str, float]:
        """Return candidate → logit, for the sight's candidates that the graph holds; higher is likelier."""
        known = [element for element in sight.candidates if element in on.place]
        if not known:
            return {}
        logits = self._logits(on, np.concatenate([seen(on, sight), on.still], axis=1))
        return {element: float(logits[on.place[element]]) for element in known}

    def _logits(self, on: Grid, rows: Floats) -> Floats:
        """Return N logits of N × F features."""
        causes, effects = on.means
        first = state = _gelu(self._linear("enter", rows))
        for n in range(LAYERS):
            calm = self._normed(f"norm.{n}", state)
            from_causes = self._linear(f"down.{n}.lin_l", causes @ calm)
            from_effects = self._linear(f"up.{n}.lin_l", effects @ calm)
            state = state + _gelu(self._linear(f"own.{n}", calm) + from_causes + from_effects)
        hidden = _gelu(self._linear("leave.0", np.concatenate([state, first], axis=1)))
        return np.asarray(self._linear("leave.2", hidden)[:, 0], np.float32)

    def _linear(self, name: str, rows: Floats) -> Floats:
        return rows @ self._tensors[f"{name}.weight"].T + self._tensors[f"{name}.bias"]

    def _normed(self, name: str, rows: Floats) -> Floats:
        """Layer normalisation (Ba, Kiros, Hinton 2016), as torch computes it."""
        centred = rows - rows.mean(axis=1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + np.float32(_NORM_EPSILON))
        return np.asarray(scaled * self._tensors[f"{name}.weight"] + self._tensors[f"{name}.bias"], np.float32)


def _gelu(values: Floats) -> Floats:
    """The exact Gaussian error linear unit (Hendrycks, Gimpel 2016), not its approximation by tanh."""
    return np.asarray(0.5 * values * (1.0 + erf(values / np.float32(np.sqrt(2.0)))), np.float32)
