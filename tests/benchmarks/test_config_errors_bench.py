"""The bench has every figure that it promises, and its mistakes are mistakes."""

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.config_errors import SEEN_AS, run
from benchmarks.config_errors_benign import BENIGN
from benchmarks.config_errors_faults import KINDS, one_fault
from benchmarks.config_errors_oracle import worst
from benchmarks.config_errors_text import World
from benchmarks.report import leaves
from tests.twin.configuration.theta import TEXT, THETA


@pytest.fixture(scope="module")
def world() -> World:
    return World("theta", THETA, TEXT)


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return run(True, None, lambda _: None)


@pytest.mark.parametrize("module", ["slips", "faults", "benign", "oracle", "text"])
def test_what_makes_the_pushes_shares_no_code_with_what_judges_them(module: str) -> None:
    source = (Path(__file__).parents[2] / "benchmarks" / f"config_errors_{module}.py").read_text(encoding="utf-8")
    imports = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import | ast.ImportFrom)]

    assert imports
    assert [ast.unparse(node) for node in imports if "twin" in ast.unparse(node)] == []


def test_every_kind_of_mistake_is_known_by_a_finding() -> None:
    assert sorted(SEEN_AS) == sorted(KINDS)
    assert len(KINDS) >= 12


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in {"blast", "srlg", "protection_torn"}])
def test_a_mistake_leaves_what_is_in_force_alone_and_is_the_same_for_the_same_seed(kind: str, world: World) -> None:
    edits = [
        next(edit for _ in range(50) if (edit := one_fault(kind, world, rng)))
        for rng in (np.random.default_rng(5), np.random.default_rng(5))
    ]

    assert edits[0] == edits[1]
    assert edits[0].before != edits[0].after
    assert world.text == TEXT


def test_the_oracle_knows_the_load_after_a_failure(world: World) -> None:
    """600 Mbit/s by `b`; after its failure by `d`, and with `d` made dear by `e`, where 400 fit."""
    assert worst(world, {}) == pytest.approx(0.6)
    assert worst(world, {"l2": 90}) == pytest.approx(1.5)
    assert worst(world, {}, frozenset({"l2"})) == pytest.approx(1.5)


@pytest.mark.slow
def test_the_bench_stops_bad_pushes_and_lets_good_ones_pass(made: dict[str, Any]) -> None:
    figures, baselines = made["figures"], made["baselines"]

    assert figures["caught"] >= 0.95
    assert figures["false_blocks"] <= 0.02
    assert baselines["none"]["caught"] == 0.0
    assert 0.0 < baselines["syntax_only"]["caught"] < figures["caught"]


@pytest.mark.slow
def test_the_bench_has_every_figure_beside_each_baseline(made: dict[str, Any]) -> None:
    figures = made["figures"]

    assert made["bench"] == "config-errors"
    assert {"caught", "false_blocks", "kinds", "n"} <= set(figures)
    assert figures["kinds"] == len(KINDS)
    assert set(figures["false_blocks_by_kind"]) == set(BENIGN)
    for baseline in made["baselines"].values():
        assert {path for path, _ in leaves(baseline)} == {path for path, _ in leaves(figures)}
