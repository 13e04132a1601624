"""Whose a lab is. A lab leaves a mark while it lives; what a crash left is cleared away by the next, by that mark.

The mark names the lab's namespaces and the process that runs it, with the moment when that process began, so that
another process with the same number is never taken for it. What has no mark of ours is not touched.
"""

import contextlib
import os
import secrets
import shutil
import signal
import tempfile
import time
from pathlib import Path

from adapters.network.lab.namespaces import namespace, remove
from adapters.network.lab.plan import Plan
from domain.base import Word

_FOLDERS = "nocturne-lab-"
_MARK = "owner.json"
_END_S = 3.0
_POLL_S = 0.02


class _Mark(Word):
    """The process that runs a lab, when it began (in the kernel's ticks since boot), and the lab's namespaces."""

    pid: int
    began: str
    namespaces: tuple[str, ...]


def found(plan: Plan) -> tuple[str, Path]:
    """Make the folder of a new lab and put our mark into it; return the lab's id and its folder."""
    lab = secrets.token_hex(3)
    folder = Path(tempfile.gettempdir()) / f"{_FOLDERS}{lab}"
    folder.mkdir(mode=0o755)
    names = tuple(namespace(lab, router) for router in plan.routers)
    mark = _Mark(pid=os.getpid(), began=began(os.getpid()), namespaces=names)
    (folder / _MARK).write_text(mark.model_dump_json(), encoding="utf-8")
    return lab, folder


def living() -> dict[str, Path]:
    """Return the folders of the labs that run, by their ids."""
    marked = sorted(path.parent for path in Path(tempfile.gettempdir()).glob(f"{_FOLDERS}*/{_MARK}"))
    return {folder.name.removeprefix(_FOLDERS): folder for folder in marked if _is_alive(_mark(folder))}


def clear_leftovers() -> list[str]:
    """End what crashed labs left behind: their daemons, their namespaces, their folders. Return their names."""
    cleared = []
    for path in Path(tempfile.gettempdir()).glob(f"{_FOLDERS}*/{_MARK}"):
        folder, mark = path.parent, _mark(path.parent)
        if mark and not _is_alive(mark):
            _end_processes(folder)
            remove(mark.namespaces)
            shutil.rmtree(folder, ignore_errors=True)
            cleared.append(folder.name)
    return cleared


def began(pid: int) -> str:
    """Return when a process began, in the kernel's ticks since boot; empty when there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def _mark(folder: Path) -> _Mark | None:
    """Return a folder's mark, or None when it is none of ours (being written, foreign, or gone already)."""
    try:
        mark = _Mark.model_validate_json((folder / _MARK).read_bytes())
        own = folder.stat().st_uid == os.geteuid()
    except (OSError, ValueError):
        return None
    prefix = namespace(folder.name.removeprefix(_FOLDERS), "")
    return mark if own and all(name.startswith(prefix) for name in mark.namespaces) else None


def _is_alive(mark: _Mark | None) -> bool:
    return mark is not None and bool(mark.began) and began(mark.pid) == mark.began


def _end_processes(folder: Path) -> None:
    """End the processes whose command line names the lab's folder: its daemons, its traffic, its probes."""
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        for pid in processes(folder):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal_number)
        deadline = time.monotonic() + _END_S
        while processes(folder) and time.monotonic() < deadline:
            time.sleep(_POLL_S)


def processes(folder: Path) -> list[int]:
    """Return the processes that a lab in this folder started: each names the folder in one of its words."""
    word = str(folder).encode() + b"/"
    found_pids = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = path.read_bytes().split(b"\0")
            if any(part.startswith((word, b"file:" + word)) for part in words):
                found_pids.append(int(path.parent.name))
    return found_pids
