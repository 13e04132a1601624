"""`nocturne train blast`: what is refused before hours of faults are played."""

from pathlib import Path

from typer.testing import CliRunner, Result

from api.cli import app
from domain.errors import BadInput


def train(*words: str) -> Result:
    return CliRunner().invoke(app, ["train", "blast", *words])


def test_what_is_learnt_in_a_hurry_does_not_ship() -> None:
    done = train("--quick")

    assert isinstance(done.exception, BadInput)
    assert "--out" in done.exception.reason


def test_a_file_that_cannot_be_written_is_found_out_before_the_campaign(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    done = train("--quick", "--out", str(tmp_path / "file" / "calibration.json"))

    assert isinstance(done.exception, BadInput)
    assert "nothing can be written" in done.exception.reason
