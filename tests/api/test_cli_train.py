import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from adapters.models.keeping import ARTEFACT, CARD, check
from adapters.models.training import RECIPES, Recipe
from api.cli import app
from domain.errors import BadInput
from domain.models import ModelCard


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A `quick` that takes a second, and a data folder of our own."""
    monkeypatch.setitem(RECIPES, "quick", Recipe(1, 6, 5, measured=1))
    monkeypatch.setenv("NOCTURNE_DATA", str(tmp_path / "data"))


def train(*words: str) -> Result:
    return CliRunner().invoke(app, ["train", "diagnosis", "--quick", *words])


def test_it_writes_a_version_that_stands_every_check_and_shows_its_baselines(tmp_path: Path) -> None:
    done = train("--out", str(tmp_path / "out"))

    assert done.exit_code == 0
    for row in ("this version", "the same without topology", "highest anomaly", "it serves nowhere"):
        assert row in done.output
    card = ModelCard.model_validate_json((tmp_path / "out" / CARD).read_bytes())
    check(card, (tmp_path / "out" / ARTEFACT).read_bytes())
    assert (card.version, card.recipe, card.seed) == ("mv_quick1", "quick", 1)


def test_the_same_command_gives_the_same_tensors(tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert train("--seed", "3", "--out", str(tmp_path / name)).exit_code == 0

    assert (tmp_path / "one" / ARTEFACT).read_bytes() == (tmp_path / "two" / ARTEFACT).read_bytes()


def test_for_a_program_it_is_one_object_and_lies_in_the_data_folder(tmp_path: Path) -> None:
    done = train("--network", "generated:60", "--json")

    said = json.loads(done.stdout)
    assert said["card"]["metrics"]["error_highest_anomaly"] >= 0
    assert 0 <= said["without_topology"]["error"] <= 1
    assert Path(said["folder"]).parent == tmp_path / "data" / "trained"
    assert sorted(path.name for path in Path(said["folder"]).iterdir()) == sorted((ARTEFACT, CARD))
    assert not (tmp_path / "data" / "models").exists()


def test_a_folder_that_cannot_be_written_is_found_out_before_the_training(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    done = train("--out", str(tmp_path / "file" / "out"))

    assert isinstance(done.exception, BadInput)
    assert "name another with --out" in done.exception.reason
