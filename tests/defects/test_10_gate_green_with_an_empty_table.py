"""Defect 10: a gate of a benchmark that is green when its table is empty. Here nothing measured is nothing passed."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from api import cli_tools
from api.cli import app
from benchmarks.report import require_full, result
from domain.errors import Unavailable
from policies.reading import BOOK
from tests.attacks.live.book import Row, Tried
from tests.attacks.live.rows import ROWS

FIGURES = {"seconds": 1.0, "deep": {"inside": 2}}


@pytest.mark.parametrize(
    ("figures", "baselines"),
    [
        ({}, {"plain": FIGURES}),
        (FIGURES, {}),
        (FIGURES, {"plain": {}}),
        ({"p50": None}, {"plain": FIGURES}),
        ({"p50": float("nan")}, {"plain": FIGURES}),
        ({"deep": {}}, {"plain": FIGURES}),
        ({"deep": {"inside": None}}, {"plain": FIGURES}),
    ],
)
def test_a_bench_that_has_measured_nothing_says_so(figures: dict[str, Any], baselines: dict[str, Any]) -> None:
    with pytest.raises(Unavailable) as refused:
        result("gate", figures, baselines, {}, 0.0)

    assert refused.value.body()["code"] == "nothing_measured"


def test_a_bench_that_has_measured_something_passes() -> None:
    require_full("gate", FIGURES)
    assert result("gate", FIGURES, {"plain": FIGURES}, {}, 0.0)["figures"] == FIGURES


class Point:
    """A bench that finds nothing to measure, as the command line finds benches."""

    name = "gate"

    def load(self) -> Any:
        return lambda **_: result("gate", {}, {"plain": {}}, {}, 0.0)


@pytest.mark.parametrize("as_json", [True, False])
def test_the_command_ends_with_a_status_that_a_pipeline_sees(as_json: bool, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises((SystemExit, Unavailable, cli_tools.typer.Exit)) as ended:
        cli_tools._run_bench(Point(), True, None, {}, as_json)  # type: ignore[arg-type]  # it has what is used

    assert getattr(ended.value, "exit_code", 1) == 1
    assert "nothing" in (capsys.readouterr().out or str(ended.value))


def copied(folder: Path) -> Path:
    """Copy the book that ships, with its cases."""
    for path in BOOK.rglob("*"):
        if path.is_file():
            target = folder / path.relative_to(BOOK)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    return folder


def test_a_book_with_its_cases_passes(tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["policy", "test", str(copied(tmp_path))]).exit_code == 0


@pytest.mark.parametrize("left", ["no file", "an empty file", "a file without a case"])
def test_a_book_without_cases_fails(tmp_path: Path, left: str) -> None:
    book = copied(tmp_path)
    for case in (book / "cases").iterdir():
        case.unlink()
    if left != "no file":
        (book / "cases" / "some.toml").write_text("" if left == "an empty file" else "[plain]\n")

    assert CliRunner().invoke(app, ["policy", "test", str(book)]).exit_code != 0


def test_a_row_of_attacks_that_tried_nothing_has_failed() -> None:
    assert not Tried(1, "nothing").withstood
    only_honest, only_attack, both = Tried(1, "x"), Tried(1, "x"), Tried(1, "x")
    only_honest.control("look", worked=True)
    only_attack.attack("steal", stopped=True)
    both.control("look", worked=True)
    both.attack("steal", stopped=True)
    assert (only_honest.withstood, only_attack.withstood, both.withstood) == (False, False, True)


def test_a_row_that_broke_off_or_let_one_thing_through_has_failed() -> None:
    def breaks(_site: object, tried: Tried) -> None:
        tried.control("look", worked=True)
        tried.attack("steal", stopped=True)
        raise KeyError("the answer has another form")

    def lets_through(_site: object, tried: Tried) -> None:
        tried.control("look", worked=True)
        tried.attack("steal", stopped=True)
        tried.attack("steal more", stopped=False, seen="200")

    nobody: Any = None
    for play in (breaks, lets_through):
        assert not Row(1, "x", play).played(nobody).row()["withstood"]
    assert "200" in Row(1, "x", lets_through).played(nobody).row()["seen"]


def test_without_a_server_every_row_fails() -> None:
    """A row that cannot fail would pass here."""
    nobody: Any = None
    assert len(ROWS) >= 20
    assert [each.number for each in ROWS if each.played(nobody).withstood] == []
