"""What benches start: Python programs of this repository, each a process of its own, ended with the bench."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from domain.errors import Unavailable

_ROOT = Path(__file__).parents[1]
_END_WITHIN_S = 20.0
_TAIL = 600


@contextmanager
def folder_in(data: Path | None) -> Iterator[Path]:
    """A folder for one run, below `data` (or where the machine keeps temporary files); it is taken away afterwards."""
    if data is not None:
        data.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="nocturne-bench-", dir=data, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@contextmanager
def program(log: Path, *arguments: str, heard: bool = True, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Start `python ARGUMENTS…` here; its errors go to `log`, what it says too unless it is `heard`."""
    path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
    with log.open("wb") as errors:
        process = subprocess.Popen(  # noqa: S603  # our own modules, arguments as a list
            [sys.executable, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if heard else errors,
            stderr=errors,
            text=True,
            cwd=_ROOT,
            env=os.environ | {"PYTHONPATH": path} | environment,
        )
    try:
        yield process
    finally:
        _end(process)


def failed(process: subprocess.Popen[str], log: Path, what: str) -> Unavailable:
    """Return the error that says how a program ended, with the last words of its log."""
    status = process.poll()
    last = log.read_text(encoding="utf-8", errors="replace")[-_TAIL:]
    return Unavailable(f"{what} ended with status {status}; it said last: `{last.strip() or 'nothing'}`")


def _end(process: subprocess.Popen[str]) -> None:
    """Ask it to end, and end it if it does not."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(_END_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
