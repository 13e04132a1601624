"""Makes a learner: a seed in, a card and an artefact out. The same call gives the same tensors.

The card's figures are of the split `unseen`, and the promotion rule is applied to them here and nowhere else.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from domain.canonical import digest
from domain.clock import Clock
from domain.models import ModelCard
from twin.evaluate import evaluate
from twin.ground.candidates import FEATURES
from twin.ground.episode import Course
from twin.ground.measuring import Case, measured, scenarios_of
from twin.ground.promotion import Verdict, verdict
from twin.ground.scenarios import Drawn, any_of, drawn
from twin.ground.scorer import WIDTH, Scorer
from twin.ground.training import Progress, Recipe, fit

SLOT = "model:steering"
#: Scenarios per unseen network and kind of trouble.
EACH = 2
RECIPES = {"full": Recipe(), "sketch": Recipe(scenarios=6, imitation_steps=40, rounds=2, courses_per_round=3, plays=2)}
#: Whose source decides what comes out.
_SOURCES = (
    "candidates",
    "episode",
    "making",
    "measuring",
    "places",
    "promotion",
    "scenarios",
    "scorer",
    "shield",
    "strategies",
    "training",
)


def make(recipe: str, seed: int, clock: Clock, progress: Progress, *, each: int = EACH) -> tuple[ModelCard, bytes]:
    """Train and measure; return the card and the artefact (safetensors bytes).

    Args:
        recipe: a name in `RECIPES`.
        seed: of everything that is drawn.
        clock: says when the card was made.
        progress: told how far it is.
        each: scenarios per unseen network and kind of trouble.

    Raises:
        Unavailable: torch is not installed.
    """
    how = RECIPES[recipe]
    drawings = lessons(how.scenarios, seed)
    weights = fit([Course(lesson.snapshot, lesson.closed) for lesson in drawings], how, seed=seed, progress=progress)
    artefact = save({name: np.ascontiguousarray(value, np.float32) for name, value in weights.items()})
    cases = _measured(Scorer(weights), each, progress)
    found = verdict([case.pair() for case in cases], sum(len(case.by["learner"].violations) for case in cases))
    card = ModelCard(
        version=f"mv_steering{seed}" if recipe == "full" else f"mv_steering{recipe}{seed}",
        slot=SLOT,
        recipe=recipe,
        features=FEATURES,
        parameters={"width": WIDTH, "optimiser": "Adam", **asdict(how)},
        seed=seed,
        trained_on=f"{how.scenarios} generated failures and surges of the split `learn`",
        training_data_hash=_data_hash(drawings),
        code=code_hash(),
        metrics=_metrics(cases, found),
        owner="network operations",
        made_at=clock.now(),
        artefact_sha256=hashlib.sha256(artefact).hexdigest(),
        artefact_bytes=len(artefact),
    )
    return card, artefact


def lessons(count: int, seed: int) -> list[Drawn]:
    """Draw the scenarios that are learnt from."""
    rng = np.random.default_rng([seed, 0])
    return [drawn(any_of("learn", rng)) for _ in range(count)]


def _measured(scorer: Scorer, each: int, progress: Progress) -> list[Case]:
    wanted = list(scenarios_of("unseen", each))
    cases = []
    for done, scenario in enumerate(wanted, start=1):
        cases.append(measured(scenario, scorer))
        progress("measuring on unseen networks", done, len(wanted))
    return [case for case in cases if case is not None]


def _metrics(cases: Sequence[Case], found: Verdict) -> dict[str, float]:
    """Return the figures of the card. `promoted` is 1 or 0; `gain` is a mean logarithm, see `promotion`."""
    ratio = {
        name: float(np.mean([case.by[name].worst / case.optimum for case in cases]))
        for name in ("learner", "learner_once", "greedy", "greedy_best", "one_step", "random", "nothing")
    }
    return {
        "ratio_to_lp": round(ratio.pop("learner"), 4),
        **{f"ratio_to_lp_{name}": round(value, 4) for name, value in ratio.items()},
        "gain": round(found.gain, 5),
        "gain_low": round(found.low, 5),
        "gain_high": round(found.high, 5),
        "networks": float(found.networks),
        "cases": float(found.episodes),
        "violations": float(found.violations),
        "promoted": float(found.promoted),
    }


def _data_hash(drawings: Sequence[Drawn]) -> str:
    """Return a SHA-256 over the scenarios and how full the fullest link is at the beginning of each."""
    plain = [
        [each.scenario.network, each.scenario.hour, each.scenario.trouble.value, each.scenario.number, _fullest(each)]
        for each in drawings
    ]
    return digest(plain)


def _fullest(each: Drawn) -> float:
    return round(float(evaluate(each.snapshot).arc_utilisation.max(initial=0.0)), 9)


def code_hash() -> str:
    """Return the SHA-256 over the source files that decide what a training gives."""
    found = hashlib.sha256()
    for name in _SOURCES:
        spec = find_spec(f"twin.ground.{name}")
        assert spec is not None
        assert spec.origin is not None
        found.update(name.encode() + b"\0" + Path(spec.origin).read_bytes())
    return found.hexdigest()
