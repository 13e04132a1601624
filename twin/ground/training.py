"""How the learner learns: first by imitating greed in what is on offer, then by policy gradient on its own episodes.

REINFORCE with a leave-one-out baseline (Kool, van Hoof, Welling 2019, https://openreview.net/forum?id=r1lgTGL5DE): each
scenario is played several times, and what counts for a play is by how much its return exceeds that of the others. The
number of steps is fixed and everything is seeded. torch is imported at the first use, with one thread, and only where
something is trained; weights go out as plain float32 arrays.
"""

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from domain.errors import Unavailable
from twin.ground.candidates import FEATURES, ROWS, Rows
from twin.ground.episode import MOVES, Course, Episode
from twin.ground.scorer import WIDTH, Scorer
from twin.ground.strategies import Strategy, by_chance, one_step
from twin.topology import Flags

#: Told what is being done, how much of it is done, and how much there is.
Progress = Callable[[str, int, int], None]

#: Weights below this are rounding.
_NOTHING = 1e-9


@dataclass(frozen=True)
class Recipe:
    """How much to learn from, and how; the names are those of the card."""

    scenarios: int = 240
    imitation_steps: int = 300
    rounds: int = 40
    courses_per_round: int = 10
    plays: int = 6
    learning_rate: float = 0.003
    gradient_rate: float = 0.001
    entropy: float = 0.001


@dataclass(frozen=True, eq=False)
class _Step:
    """What was seen, which row was taken, and the weight of having taken it."""

    rows: Rows
    allowed: Flags
    taken: int
    weight: float


def fit(
    courses: Sequence[Course], recipe: Recipe, *, seed: int, progress: Progress = lambda _what, _done, _total: None
) -> dict[str, Any]:
    """Train on scenarios and return name → float32 tensor; the same call gives the same weights.

    Args:
        courses: the scenarios of the split `learn`.
        recipe: how much and how.
        seed: of the first weights and of every draw.
        progress: told how far it is.

    Raises:
        Unavailable: torch is not installed.
    """
    rng = np.random.default_rng([seed, 1])
    with _deterministic(seed):
        learner = network()
        lessons = list(_imitated(courses, progress))
        _imitate(learner, lessons, recipe, rng, progress)
        _improve(learner, courses, recipe, rng, progress)
        return _weights(learner)


def _imitated(courses: Sequence[Course], progress: Progress) -> Iterator[_Step]:
    for done, course in enumerate(courses, start=1):
        yield from (replace(step, weight=1.0) for step in _steps(course, one_step))
        progress("drawing scenarios", done, len(courses))


def _steps(course: Course, strategy: Strategy) -> list[_Step]:
    """Play once; return what was seen and done, each step with its reward for a weight."""
    episode, steps = Episode(course), []
    while not episode.over:
        table = episode.table
        row = strategy(table)
        steps.append(_Step(table.features, table.allowed, row, episode.take(row)))
    return steps


def _imitate(
    learner: Any, lessons: Sequence[_Step], recipe: Recipe, rng: np.random.Generator, progress: Progress
) -> None:
    torch = _torch()
    optimiser = torch.optim.Adam(learner.parameters(), lr=recipe.learning_rate)
    for done in range(1, recipe.imitation_steps + 1):
        batch = [lessons[at] for at in rng.choice(len(lessons), size=min(64, len(lessons)), replace=False)]
        _descend(optimiser, learner, batch, 0.0)
        progress("imitating greed", done, recipe.imitation_steps)


def _improve(
    learner: Any, courses: Sequence[Course], recipe: Recipe, rng: np.random.Generator, progress: Progress
) -> None:
    torch = _torch()
    optimiser = torch.optim.Adam(learner.parameters(), lr=recipe.gradient_rate)
    order: list[int] = []
    for done in range(1, recipe.rounds + 1):
        sampled = by_chance(Scorer(_weights(learner)), rng)
        steps: list[_Step] = []
        for _ in range(recipe.courses_per_round):
            order = order or rng.permutation(len(courses)).tolist()
            steps += _weighed([_steps(courses[order[-1]], sampled) for _ in range(recipe.plays)])
            order.pop()
        if steps:
            scale = float(np.sqrt(np.mean([step.weight**2 for step in steps]))) or 1.0
            even = [replace(step, weight=step.weight / scale) for step in steps]
            _descend(optimiser, learner, even, recipe.entropy)
        progress("learning from its own episodes", done, recipe.rounds)


def _weighed(plays: Sequence[list[_Step]]) -> Iterator[_Step]:
    """Weigh each step by how much more came after it than, on average, after the same step of the other plays.

    Of a play that has ended nothing more comes. A play's own draws are not in what it is held against, so the gradient
    stays unbiased; steps that weigh nothing teach nothing.
    """
    still = np.zeros((len(plays), MOVES))
    for at, steps in enumerate(plays):
        still[at, : len(steps)] = np.cumsum([step.weight for step in reversed(steps)])[::-1]
    better = still - (still.sum(axis=0) - still) / (len(plays) - 1)
    for at, steps in enumerate(plays):
        yield from (
            replace(step, weight=float(weight))
            for step, weight in zip(steps, better[at], strict=False)
            if abs(weight) > _NOTHING
        )


def _descend(optimiser: Any, learner: Any, batch: Sequence[_Step], entropy: float) -> None:
    """Take one step down −Σ weight · log chance(taken) / n − entropy · H."""
    torch = _torch()
    rows = np.zeros((len(batch), ROWS, len(FEATURES)), np.float32)
    allowed = np.zeros((len(batch), ROWS), np.bool_)
    for at, step in enumerate(batch):
        rows[at, : len(step.rows)], allowed[at, : len(step.rows)] = step.rows, step.allowed
    logits = learner(torch.from_numpy(rows), torch.from_numpy(allowed))
    log = torch.log_softmax(logits, dim=1)
    taken = torch.tensor([[step.taken] for step in batch])
    weight = torch.tensor([step.weight for step in batch], dtype=torch.float32)
    chosen = log.gather(1, taken)[:, 0]
    spread = -(log.exp() * log.masked_fill(~torch.from_numpy(allowed), 0.0)).sum(dim=1)
    optimiser.zero_grad()
    (-(weight * chosen).mean() - entropy * spread.mean()).backward()
    torch.nn.utils.clip_grad_norm_(learner.parameters(), 1.0)
    optimiser.step()


def _weights(learner: Any) -> dict[str, Any]:
    return {name: value.detach().numpy().copy() for name, value in learner.state_dict().items()}


@functools.cache
def _torch() -> Any:
    """Import torch, with one thread: on few cores more of them make small networks slower."""
    try:
        import torch
    except ImportError:
        raise Unavailable("the training ground needs torch, which is not installed; see `make setup`") from None
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


def network() -> Any:
    """Return an untrained network; its tensors are those of `twin.ground.scorer.SHAPES`."""
    return _network_class()()


@functools.cache
def _network_class() -> Any:
    """Return the network's class; it is made here because its base is only there once torch is."""
    torch = _torch()
    nn = torch.nn

    class Network(nn.Module):  # type: ignore[misc,name-defined]  # torch is imported late and so has no type here
        """B × N × F rows and their mask in, B × N logits out; see `twin.ground.scorer`."""

        def __init__(self) -> None:
            super().__init__()
            self.enter = nn.Linear(len(FEATURES), WIDTH)
            self.mix = nn.Linear(3 * WIDTH, WIDTH)
            self.leave = nn.Linear(WIDTH, 1, bias=False)
            self.straight = nn.Linear(len(FEATURES), 1, bias=False)

        def forward(self, rows: Any, allowed: Any) -> Any:
            own = nn.functional.relu(self.enter(rows))
            there = allowed.unsqueeze(-1)
            mean = (own * there).sum(dim=1, keepdim=True) / there.sum(dim=1, keepdim=True)
            most = own.masked_fill(~there, float("-inf")).amax(dim=1, keepdim=True)
            common = torch.cat([mean, most], dim=-1).expand(-1, rows.shape[1], -1)
            mixed = nn.functional.relu(self.mix(torch.cat([own, common], dim=-1)))
            logits = (self.leave(mixed) + self.straight(rows)).squeeze(-1)
            return logits.masked_fill(~allowed, float("-inf"))

    return Network
