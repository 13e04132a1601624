"""No code ever comes out of a model file: nothing here reads or writes a format that can carry any.

Pickle runs what it reads. So no module imports it or a library that wraps it, none calls the loaders that use it
unasked (`torch.load`, `numpy.load` with pickles allowed), and no such file is kept in the repository.
"""

import ast
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["root_packages"]

CARRIERS = frozenset({"pickle", "cPickle", "_pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"})
LOADERS = frozenset({"torch.load", "torch.save", "pandas.read_pickle", "pd.read_pickle"})
ENDINGS = frozenset({".pkl", ".pickle", ".pt", ".pth", ".joblib", ".ckpt", ".bin", ".npy", ".npz"})


def carries(source: str) -> list[str]:
    """Return what in `source` could read or write code as data."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.partition(".")[0] in CARRIERS]
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in CARRIERS:
            found.append(str(node.module))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in LOADERS:
            found.append(ast.unparse(node))
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle" and ast.unparse(node.value) != "False":
            found.append("allow_pickle")
    return found


def test_no_module_reads_or_writes_code_as_data() -> None:
    found = {str(path): carries(path.read_text("utf-8")) for room in ROOMS for path in (ROOT / room).rglob("*.py")}

    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "def late():\n    from joblib import load",
        "import torch\ntorch.load('x')",
        "import numpy as np\nnp.load('x', allow_pickle=True)",
    ],
)
def test_what_carries_code_would_be_found(line: str) -> None:
    assert carries(line) != []


def test_no_such_file_is_kept() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if listed.returncode:
        pytest.skip("this is no git checkout: there is no list of what is kept")

    assert [name for name in listed.stdout.splitlines() if Path(name).suffix in ENDINGS] == []
