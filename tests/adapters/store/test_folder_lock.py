import os
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.store.lock import FolderLock
from domain.errors import Conflict, Unavailable

HOLDER = """
import sys
from adapters.store.lock import FolderLock
lock = FolderLock(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""
ROOT = Path(__file__).parents[3]


def test_a_second_server_is_refused_and_told_which_process_holds_the_folder(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"

        with pytest.raises(Conflict, match=f"process {holder.pid}"):
            FolderLock(tmp_path)
        holder.kill()

    FolderLock(tmp_path).release()  # the lock went with the process, however it ended


def test_the_folder_is_free_again_after_release(tmp_path: Path) -> None:
    with FolderLock(tmp_path):
        assert (tmp_path / "nocturne.lock").read_text() == f"{os.getpid()}\n"
        with pytest.raises(Conflict):
            FolderLock(tmp_path)

    again = FolderLock(tmp_path)
    again.release()
    again.release()


def test_a_missing_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="cannot be written"):
        FolderLock(tmp_path / "nowhere")
