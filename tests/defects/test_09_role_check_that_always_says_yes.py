"""Defect 9: a role check that always answers yes, and nobody noticed. Here the deny matrix notices, in each place.

The tests of the matrix run in a copy of the repository into which the defect was put: they must fail there. Without
the defect they pass, here and in the copy.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = (
    "domain", "stats", "telemetry", "twin", "causal", "lifecycle", "policies", "agents", "control_plane", "adapters",
    "api", "tests",
)  # fmt: skip
MATRIX = "tests/api/test_deny_matrix.py"
#: Some routes that change something, and what the least trusted may change, by hand: the whole matrix is as sharp.
CHOSEN = "POST and (approve or switches or accounts) and not propos or least_trusted"

#: What is replaced, where, and by what: each says yes to everybody.
YES = {
    "the check": (
        "control_plane/rights.py",
        "    own = permissions(who)\n",
        "    return\n    own = permissions(who)\n",
    ),
    "the table": (
        "policies/permissions.py",
        "    held = frozenset[Permission]().union(*(PERMISSIONS[role] for role in who.roles))\n",
        "    held = frozenset(Permission)\n",
    ),
    "a row of the table": (
        "policies/permissions.py",
        "    Role.VIEWER: _SEE,\n",
        "    Role.VIEWER: _SEE | {_P.APPROVE},\n",
    ),
}


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the matrix needs, and of what numba has compiled: that takes longer than everything here."""
    folder = tmp_path_factory.mktemp("copy")
    for room in ROOMS:
        shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns("*.pyc*", "*.tmp.*"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def matrix(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the matrix in a copy; its own rooms come first there."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", MATRIX]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return subprocess.run(  # noqa: PLW1510  # how it ended is what is looked at
        [*command, "-k", CHOSEN], cwd=folder, env=kept | {"PYTHONPATH": str(folder)}, capture_output=True, text=True
    )


@pytest.mark.slow
def test_without_the_defect_the_matrix_passes(copied: Path) -> None:
    done = matrix(copied)

    assert done.returncode == 0, done.stdout[-2000:]
    assert " passed" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("where", YES)
def test_a_check_that_always_says_yes_is_seen_by_the_matrix(copied: Path, where: str) -> None:
    file, honest, yes = YES[where]
    path = copied / file
    text = path.read_text()
    assert text.count(honest) == 1, "the code has moved on; say where the check stands now"
    path.write_text(text.replace(honest, yes))
    try:
        done = matrix(copied)
    finally:
        path.write_text(text)

    assert done.returncode == 1, done.stdout[-2000:]
    assert " failed" in done.stdout
