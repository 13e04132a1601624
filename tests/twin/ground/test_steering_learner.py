"""The learner learns, is the same again, and is asked without torch; what ships is what its card describes."""

import hashlib
import subprocess
import sys
from importlib.resources import files

import numpy as np
import pytest

from domain.errors import BadInput
from twin.ground.candidates import FEATURES
from twin.ground.episode import Course
from twin.ground.kept import ARTEFACT, CARD, kept, opened
from twin.ground.measuring import measured
from twin.ground.scenarios import Drawn, Scenario, Trouble, drawn
from twin.ground.scorer import SHAPES, Scorer
from twin.ground.shadow import in_shadow
from twin.ground.training import Recipe, fit, network

RECIPE = Recipe(imitation_steps=60, rounds=2, courses_per_round=2, plays=2)


@pytest.fixture(scope="module")
def lessons() -> list[Drawn]:
    return [drawn(Scenario("topozoo/Sprint", hour, Trouble.LINK, hour)) for hour in (15, 18, 21)]


def trained(lessons: list[Drawn], seed: int) -> dict[str, np.ndarray]:
    return fit([Course(each.snapshot, each.closed) for each in lessons], RECIPE, seed=seed)


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(lessons: list[Drawn]) -> None:
    first, again, other = trained(lessons, 1), trained(lessons, 1), trained(lessons, 2)

    assert {name: value.shape for name, value in first.items()} == SHAPES
    assert all(np.array_equal(first[name], again[name]) for name in SHAPES)
    assert not all(np.array_equal(first[name], other[name]) for name in SHAPES)


def test_numpy_and_torch_give_the_same_scores() -> None:
    import torch

    _, scorer = kept()
    model = network()
    model.load_state_dict({name: torch.from_numpy(value) for name, value in scorer.tensors.items()})
    rows = np.random.default_rng(0).normal(size=(9, len(FEATURES))).astype(np.float32)
    allowed = np.array([True] * 6 + [False] * 3)

    with torch.no_grad():
        theirs = model(torch.from_numpy(rows)[None], torch.from_numpy(allowed)[None])[0].numpy()

    assert scorer.scores(rows, allowed)[:6] == pytest.approx(theirs[:6], abs=1e-4)
    assert np.isneginf(scorer.scores(rows, allowed)[6:]).all()


def test_what_ships_is_what_its_card_describes_and_what_the_rule_made_of_it() -> None:
    folder = files("twin.ground").joinpath("shipped")
    card, _ = kept()

    assert hashlib.sha256(folder.joinpath(ARTEFACT).read_bytes()).hexdigest() == card.artefact_sha256
    assert card.metrics["ratio_to_lp"] >= 1.0
    rule = card.metrics["gain_low"] >= 0 and card.metrics["violations"] == 0 and card.metrics["networks"] >= 10
    assert bool(card.metrics["promoted"]) == rule


def test_tensors_that_are_not_those_of_the_card_are_refused() -> None:
    folder = files("twin.ground").joinpath("shipped")
    card, artefact = folder.joinpath(CARD).read_bytes(), folder.joinpath(ARTEFACT).read_bytes()

    with pytest.raises(BadInput, match="not those of its card"):
        opened(card, artefact[:-1] + bytes([artefact[-1] ^ 1]))
    with pytest.raises(BadInput, match="card cannot be read"):
        opened(b"{}", artefact)


def test_tensors_of_another_network_are_refused() -> None:
    with pytest.raises(BadInput, match="not those of this scorer"):
        Scorer({"enter.weight": np.zeros((1, 1), np.float32)})


def test_every_way_to_play_is_measured_on_the_same_case_and_none_is_below_the_optimum() -> None:
    case = measured(Scenario("topozoo/Sprint", 18, Trouble.LINK, 1), kept()[1])

    assert case is not None
    assert {"nothing", "random", "one_step", "greedy", "learner"} <= set(case.by)
    assert case.by["nothing"].worst == pytest.approx(case.before)
    assert all(found.worst >= case.optimum * (1 - 1e-6) for found in case.by.values())
    assert case.by["learner"].violations == ()
    assert case.by["learner"].worst <= case.by["learner_once"].worst <= case.before


def test_what_is_shown_in_shadow_is_what_the_twin_says_of_the_moves() -> None:
    from twin.evaluate import evaluate

    snapshot = drawn(Scenario("topozoo/Sprint", 18, Trouble.LINK, 1)).snapshot

    shown = in_shadow(snapshot, 4)

    assert shown.learner is not None
    assert shown.greedy is not None
    assert len(shown.learner.moves) <= 4
    after = evaluate(snapshot, shown.learner.moves).arc_utilisation.max()
    assert shown.learner.after == pytest.approx(after)
    assert shown.learner.after <= evaluate(snapshot).arc_utilisation.max()
    assert in_shadow(snapshot, 4) == shown
    assert "shadow" in shown.note


def test_without_a_move_the_learner_does_nothing() -> None:
    snapshot = drawn(Scenario("topozoo/Sprint", 18, Trouble.LINK, 1)).snapshot

    shown = in_shadow(snapshot, 0)

    assert shown.learner is not None
    assert shown.learner.moves == ()


def test_a_server_that_asks_the_learner_imports_neither_torch_nor_gymnasium() -> None:
    script = (
        "import sys; import control_plane.whatif.desk; from twin.ground.kept import kept; kept();"
        "print([name for name in ('torch', 'gymnasium') if name in sys.modules])"
    )

    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)

    assert run.stdout.strip() == "[]"
