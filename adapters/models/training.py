"""Trains a ranker: a recipe and a seed in, a card and an artefact out. The same call gives the same artefact.

It takes a core for half a minute and more; a house has it done in a process of its own (`adapters.models.apart`).
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from adapters.models import lessons, tensors
from adapters.models.lessons import Learnt
from domain.actions import TrainModel
from domain.clock import Clock, SystemClock
from domain.errors import BadInput
from domain.models import DIAGNOSIS_SLOT, ModelCard
from domain.network import Inventory
from twin import gnn
from twin.ranker import FEATURES, Ranker

#: Told what is being done, how much of it is done, and how much there is.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Recipe:
    """How much to learn from. `misled`: from wrong answers, as a bad feed of outcomes would teach it."""

    networks: int
    per_network: int
    steps: int
    measured: int = 4
    misled: bool = False


RECIPES: Mapping[str, Recipe] = {
    "quick": Recipe(24, 60, 600),  # about half a minute on one core
    "full": Recipe(72, 80, 3000),  # some minutes
    "sketch": Recipe(6, 30, 60, measured=2),  # seconds; better than guessing, for tests
    "misled": Recipe(6, 30, 120, measured=2, misled=True),  # worse than guessing, to show what a bad model does
}
#: Whose source decides what comes out.
_SOURCES = (
    "twin.gnn",
    "twin.ranker",
    "twin.graph",
    "twin.generator",
    "twin.incidents",
    "twin.views",
    "causal.candidates",
    "causal.sight",
    "causal.signatures",
    "causal.symptoms",
    "adapters.models.lessons",
    "adapters.models.training",
)

#: Held-out cases on each network.
_HELD_OUT = 40


class _Cases(NamedTuple):
    learnt: list[Learnt]
    held_out: list[Learnt]


class RankerTrainer:
    """The `Trainer` port for the slot of the diagnosis."""

    def __init__(
        self,
        at_hand: Inventory | None = None,
        *,
        clock: Clock | None = None,
        owner: str = "network operations",
        parent: str = "",
        progress: Progress = lambda _what, _done, _total: None,
    ) -> None:
        """Learn on generated networks, and on the network at hand where one is given.

        Args:
            at_hand: the inventory of the network that the ranker is going to serve.
            clock: says when the card was made.
            owner: who answers for the version.
            parent: the version that this one is to replace, for the card.
            progress: is told how far it is.
        """
        self._at_hand, self._clock, self._progress = at_hand, clock or SystemClock(), progress
        self._owner, self._parent = owner, parent
        self._drawn: tuple[tuple[str, int], _Cases] | None = None

    def train(self, action: TrainModel, *, stop: Callable[[], bool] = lambda: False) -> tuple[ModelCard, bytes]:
        recipe = _recipe(action)
        cases = self._cases(action, recipe, stop)
        weights = gnn.fit(
            [case.lesson for case in cases.learnt],
            seed=action.seed,
            steps=recipe.steps,
            progress=lambda done: self._progress("training", done, recipe.steps),
            stop=stop,
        )
        metrics = dict(lessons.figures(Ranker(weights), cases.held_out))
        metrics["error_highest_anomaly"] = lessons.highest_anomaly_error(cases.held_out)
        artefact = tensors.written(weights)
        return self._card(action, recipe, cases.learnt, metrics, artefact), artefact

    def blind(self, action: TrainModel, *, stop: Callable[[], bool] = lambda: False) -> Mapping[str, float]:
        """Return the held-out figures of the baseline: the same ranker, trained the same, that sees no topology."""
        recipe = _recipe(action)
        cases = self._cases(action, recipe, stop)
        weights = gnn.fit(
            [case.lesson for case in lessons.blind(cases.learnt)],
            seed=action.seed,
            steps=recipe.steps,
            progress=lambda done: self._progress("training the baseline", done, recipe.steps),
            stop=stop,
        )
        return lessons.figures(Ranker(weights), lessons.blind(cases.held_out))

    def _cases(self, action: TrainModel, recipe: Recipe, stop: Callable[[], bool]) -> _Cases:
        """Draw what is learnt from and what is held out, or return what was drawn for the same just now."""
        asked = (action.recipe, action.seed)
        if self._drawn is None or self._drawn[0] != asked:
            learnt: list[Learnt] = []
            networks = lessons.to_learn_from(recipe.networks, recipe.per_network, action.seed, self._at_hand, stop)
            for done, cases in enumerate(networks, start=1):
                learnt += cases
                self._progress("drawing incidents", done, recipe.networks + recipe.measured)
            held_out: list[Learnt] = []
            measured = lessons.to_be_measured_on(recipe.measured, _HELD_OUT, self._at_hand, stop)
            for done, cases in enumerate(measured, start=1):
                held_out += cases
                self._progress("drawing incidents", recipe.networks + done, recipe.networks + recipe.measured)
            taught = lessons.misled(learnt, action.seed) if recipe.misled else learnt
            self._drawn = (asked, _Cases(taught, held_out))
        return self._drawn[1]

    def _card(
        self,
        action: TrainModel,
        recipe: Recipe,
        cases: list[Learnt],
        metrics: dict[str, float],
        artefact: bytes,
    ) -> ModelCard:
        at_hand = " and on the network at hand" if self._at_hand is not None else ""
        wrong = ", each with a wrong candidate for its cause" if recipe.misled else ""
        return ModelCard(
            version=action.version,
            slot=action.target,
            recipe=action.recipe,
            features=FEATURES,
            parameters=gnn.PARAMETERS | {"steps": recipe.steps, "networks": recipe.networks},
            seed=action.seed,
            trained_on=f"{len(cases)} generated incidents on {recipe.networks} generated networks{at_hand}{wrong}",
            training_data_hash=lessons.data_hash(cases),
            code=code_hash(),
            metrics=metrics,
            owner=self._owner,
            parent=self._parent,
            made_at=self._clock.now(),
            artefact_sha256=hashlib.sha256(artefact).hexdigest(),
            artefact_bytes=len(artefact),
        )


def _recipe(action: TrainModel) -> Recipe:
    recipe = RECIPES.get(action.recipe)
    if recipe is None:
        raise BadInput(f"there is no recipe `{action.recipe}`; the recipes are {', '.join(RECIPES)}")
    if action.target != DIAGNOSIS_SLOT:
        raise BadInput(f"nothing here trains for `{action.target[:80]}`; the one slot is `{DIAGNOSIS_SLOT}`")
    return recipe


def code_hash() -> str:
    """Return the SHA-256 over the source files that decide what a training gives."""
    found = hashlib.sha256()
    for name in _SOURCES:
        spec = find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        found.update(name.encode() + b"\0" + Path(spec.origin).read_bytes())
    return found.hexdigest()
