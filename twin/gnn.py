"""Training the learned ranker of `ranker.py`: the same small graph network in torch, fitted to cases with known causes.

Weights go out as plain float32 arrays: reading and writing files is not this module's business. torch and
torch_geometric take seconds and some 400 MB to import, so they are imported at the first use, with one thread, and
only where something is trained.
"""

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from domain.errors import BadInput, Gone, Unavailable
from domain.models import Sight
from twin.ranker import FEATURES, LAYERS, WIDTH, Floats, Grid, seen

BATCH = 16
#: A cycle of the learning rate is no shorter than this, however few the steps.
_FEWEST_IN_A_CYCLE = 10
#: Hyper-parameters of `fit`, for the card.
PARAMETERS: dict[str, int | float | str] = {
    "width": WIDTH,
    "layers": LAYERS,
    "batch": BATCH,
    "optimiser": "AdamW, one cycle",
    "learning_rate": 0.005,
    "weight_decay": 0.001,
}


@dataclass(frozen=True)
class Lesson:
    """A case whose culprit is known: the graph it was seen on, what was seen, and the true element."""

    grid: Grid
    sight: Sight
    truth: str


def fit(
    lessons: Sequence[Lesson],
    *,
    seed: int,
    steps: int,
    progress: Callable[[int], None] = lambda _done: None,
    stop: Callable[[], bool] = lambda: False,
) -> dict[str, Floats]:
    """Train on lessons for a fixed number of steps; the same call gives the same weights.

    Args:
        lessons: L cases; one whose true element is not among its candidates teaches nothing and is left out.
        seed: of the first weights and of the order of the lessons.
        steps: how many batches; each is of one graph.
        progress: is told after each step how many are done.
        stop: is asked before each step.

    Raises:
        BadInput: there is nothing to learn from.
        Gone: `stop` said so.
        Unavailable: torch is not installed.
    """
    torch = _torch()
    taught = [lesson for lesson in lessons if lesson.truth in {*lesson.sight.candidates} & lesson.grid.place.keys()]
    if not taught:
        raise BadInput("no lesson has its true cause among its candidates; give other lessons")
    with _deterministic(seed):
        network = _network()
        network.train()
        optimiser = torch.optim.AdamW(
            network.parameters(), lr=PARAMETERS["learning_rate"], weight_decay=PARAMETERS["weight_decay"]
        )
        rate = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, max_lr=PARAMETERS["learning_rate"], total_steps=max(steps, _FEWEST_IN_A_CYCLE), pct_start=0.2
        )
        for done, batch in enumerate(_batches(taught, steps, np.random.default_rng(seed)), start=1):
            if stop():
                raise Gone("the training was stopped; ask for it again")
            optimiser.zero_grad()
            _loss(network, batch).backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            rate.step()
            progress(done)
    return {name: value.detach().numpy().copy() for name, value in network.state_dict().items()}


def _loss(network: Any, batch: Sequence[Lesson]) -> Any:
    """Return the mean cross-entropy of the true cause among the candidates of each case."""
    torch = _torch()
    on = batch[0].grid
    masked = torch.full((len(batch), len(on.place)), float("-inf"))
    for row, lesson in enumerate(batch):
        masked[row, [on.place[element] for element in lesson.sight.candidates if element in on.place]] = 0.0
    logits = network(*_inputs(on, [lesson.sight for lesson in batch]))
    truths = torch.tensor([on.place[lesson.truth] for lesson in batch])
    return torch.nn.functional.cross_entropy(logits + masked, truths)


def _batches(lessons: Sequence[Lesson], steps: int, rng: np.random.Generator) -> Iterator[list[Lesson]]:
    """Yield batches, each of one graph, in a drawn order, as many as there are steps."""
    by_grid: dict[int, list[Lesson]] = {}
    for lesson in lessons:
        by_grid.setdefault(id(lesson.grid), []).append(lesson)
    waiting: list[list[Lesson]] = []
    for _ in range(steps):
        if not waiting:
            for group in by_grid.values():
                order = [group[index] for index in rng.permutation(len(group))]
                waiting += [order[begin : begin + BATCH] for begin in range(0, len(order), BATCH)]
            waiting = [waiting[index] for index in rng.permutation(len(waiting))]
        yield waiting.pop()


def _inputs(on: Grid, sights: Sequence[Sight]) -> tuple[Any, Any]:
    """Return B × N × F features and 2 × E edges."""
    torch = _torch()
    rows = [np.concatenate([seen(on, sight), on.still], axis=1) for sight in sights]
    return torch.from_numpy(np.stack(rows)), torch.from_numpy(on.edges)


@functools.cache
def _torch() -> Any:
    """Import torch, with one thread: on few cores more of them make small graphs ten times slower."""
    try:
        import torch
    except ImportError:
        raise Unavailable("the learned ranker needs torch, which is not installed; see `make setup`") from None
    torch.set_num_threads(1)
    return torch


@contextmanager
def _deterministic(seed: int) -> Iterator[None]:
    """Seed torch and forbid what is not repeatable; both are put back as they were."""
    torch = _torch()
    before = torch.are_deterministic_algorithms_enabled()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        torch.use_deterministic_algorithms(True)
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(before)


def _network() -> Any:
    return _network_class()()


@functools.cache
def _network_class() -> Any:
    """Return the network's class; it is made here because its base is only there once torch is."""
    nn = _torch().nn
    from torch_geometric.nn import SAGEConv

    class Network(nn.Module):  # type: ignore[misc,name-defined]  # torch is imported late and so has no type here
        """B × N × F features and 2 × E edges in, B × N logits out."""

        def __init__(self) -> None:
            super().__init__()
            self.enter = nn.Linear(len(FEATURES), WIDTH)
            both = {"aggr": "mean", "root_weight": False}
            self.down = nn.ModuleList(SAGEConv(WIDTH, WIDTH, **both) for _ in range(LAYERS))
            self.up = nn.ModuleList(SAGEConv(WIDTH, WIDTH, **both) for _ in range(LAYERS))
            self.own = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in range(LAYERS))
            self.norm = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in range(LAYERS))
            self.leave = nn.Sequential(nn.Linear(2 * WIDTH, WIDTH), nn.GELU(), nn.Linear(WIDTH, 1))

        def forward(self, rows: Any, edges: Any) -> Any:
            first = state = nn.functional.gelu(self.enter(rows))
            for down, up, own, norm in zip(self.down, self.up, self.own, self.norm, strict=True):
                calm = norm(state)
                heard = own(calm) + down(calm, edges) + up(calm, edges.flip(0))
                state = state + nn.functional.gelu(heard)
            return self.leave(_torch().cat([state, first], dim=-1)).squeeze(-1)

    return Network
