"""Houses that start at once: forked from a process that has imported all that they need, and done nothing else.

Each is a process of its own, like one started by `python -m tests.scenarios.house_process`, and is killed like one; it
is only spared the seconds that importing takes.

    python -m tests.scenarios.forking      reads one order per line, and answers with how that house ended
"""

from tests.scenarios import house_process  # limits threads before numpy comes in, so it stands first

# isort: split
import atexit
import json
import os
import signal
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

ROOT = Path(__file__).parents[2]
#: A house that has not ended by then is ended.
PATIENCE_S = 120


def run_house(folder: Path, url: str, *options: str) -> "subprocess.CompletedProcess[str]":
    """Run a house with these arguments of `house_process` until it ends, or until it kills itself."""
    words = [str(folder), url, *options]
    parent = _parent()
    assert parent.stdin is not None
    assert parent.stdout is not None
    with NamedTemporaryFile("w+") as out, NamedTemporaryFile("w+") as errors:
        order = {"words": words, "environment": dict(os.environ), "out": out.name, "errors": errors.name}
        parent.stdin.write(json.dumps(order) + "\n")
        parent.stdin.flush()
        code = json.loads(parent.stdout.readline())
        out.seek(0)
        errors.seek(0)
        return subprocess.CompletedProcess(words, code, out.read(), errors.read())


@cache
def _parent() -> "subprocess.Popen[str]":
    """Start the process that forks houses; it ends with this one."""
    parent = subprocess.Popen(
        [sys.executable, "-m", "tests.scenarios.forking"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(parent.communicate)
    return parent


def main() -> None:
    assert threading.active_count() == 1, "a process with threads cannot be forked safely"
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _become_a_house(json.loads(line))
            return
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _become_a_house(order: dict[str, Any]) -> None:
    os.environ.clear()
    os.environ.update(order["environment"])
    for descriptor, path in enumerate((os.devnull, order["out"], order["errors"])):
        os.dup2(os.open(path, os.O_RDWR), descriptor)
    sys.argv[1:] = order["words"]
    signal.alarm(PATIENCE_S)
    house_process.main()


if __name__ == "__main__":
    main()
