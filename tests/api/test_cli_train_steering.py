"""`nocturne train steering` writes a learner that its card describes, with the verdict of the promotion rule."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli import app
from twin.ground import making
from twin.ground.kept import ARTEFACT, CARD, opened
from twin.ground.scenarios import Scenario, Trouble
from twin.ground.training import Recipe


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """A `sketch` that takes a second, measured on one case each of two networks."""
    recipe = Recipe(scenarios=2, imitation_steps=5, rounds=1, courses_per_round=1, plays=2)
    monkeypatch.setitem(making.RECIPES, "sketch", recipe)
    cases = [Scenario(name, 20, Trouble.LINK, 1) for name in ("topozoo/Abilene", "topozoo/Navigata")]
    monkeypatch.setattr(making, "scenarios_of", lambda _split, _each: cases)


def test_it_writes_tensors_and_a_card_and_promotes_nobody_on_two_networks(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["train", "steering", "--sketch", "--out", str(tmp_path)])

    assert done.exit_code == 0
    for word in ("learner", "greedy", "nothing", "not promoted", "it steers nothing"):
        assert word in done.output
    card, _ = opened((tmp_path / CARD).read_bytes(), (tmp_path / ARTEFACT).read_bytes())
    assert (card.slot, card.seed, card.metrics["promoted"]) == ("model:steering", 1, 0.0)
