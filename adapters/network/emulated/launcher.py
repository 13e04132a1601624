"""Starts a plant as a process of its own and ends it again; it also ends when whoever started it does."""

import json
import os
import secrets
import selectors
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from adapters.network.emulated.client import EmulatedNetwork
from adapters.network.emulated.umpire import Umpire
from domain.errors import Unavailable
from domain.network import Inventory

_ROOT = Path(__file__).parents[3]
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class RunningPlant:
    """A plant that is up. Leaving the `with` block ends it."""

    def __init__(self, process: subprocess.Popen[bytes], url: str, token: str, journal: Path) -> None:
        self._process, self._token = process, token
        self._clients: list[EmulatedNetwork | Umpire] = []
        self.url, self.journal_path = url, journal

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def network(self, *, timeout_s: float = 5.0) -> EmulatedNetwork:
        """Return a client of the front."""
        client = EmulatedNetwork(self.url, timeout_s=timeout_s)
        self._clients.append(client)
        return client

    def umpire(self) -> Umpire:
        """Return a client of the hidden side."""
        umpire = Umpire(self.url, self._token)
        self._clients.append(umpire)
        return umpire

    def kill(self) -> None:
        """End the process as a power cut would."""
        if self.running:
            os.kill(self.pid, signal.SIGKILL)
        self._process.wait(timeout=10)

    def stop(self) -> None:
        """End the process and let go of every client that was made here."""
        self.kill()
        for client in self._clients:
            client.close()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start_plant(
    inventory: Inventory,
    seed: int,
    folder: Path,
    *,
    period_s: float = 0.5,
    crew_s: float = 3.0,
    keyed: bool = True,
    driven: bool = False,
    ready_within_s: float = 60.0,
) -> RunningPlant:
    """Start a plant and return when it serves.

    Args:
        inventory: what is declared to be there.
        seed: of everything that is drawn.
        folder: gets `inventory.json`, `journal.jsonl` and `plant.log`.
        period_s: seconds between two samples.
        crew_s: how long a crew travels.
        keyed: whether executors refuse to do the same key twice.
        driven: time stands still, from a fixed moment on, until `Umpire.advance` lets some pass.
        ready_within_s: how long to wait for it.

    Raises:
        Unavailable: it did not come up; its log says why.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    declared, journal, log = folder / "inventory.json", folder / "journal.jsonl", folder / "plant.log"
    declared.write_text(inventory.model_dump_json(), encoding="utf-8")
    token = secrets.token_hex(16)
    arguments = ["--inventory", declared, "--journal", journal, "--seed", seed, "--period", period_s]
    arguments += ["--crew-seconds", crew_s, "--keyed" if keyed else "--no-keyed", "--until-stdin-closes"]
    arguments += ["--driven"] if driven else []
    path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
    with log.open("ab") as errors:
        process = subprocess.Popen(  # noqa: S603  # our own module, arguments as a list
            [sys.executable, "-m", "adapters.network.emulated.plant", *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=_ROOT,
            env=os.environ | _ONE_THREAD | {"NOCTURNE_UMPIRE_TOKEN": token, "PYTHONPATH": path},
        )
    plant = RunningPlant(process, "", token, journal)
    try:
        plant.url = f"http://127.0.0.1:{_port(process, ready_within_s)}"
    except BaseException:
        plant.stop()
        raise
    return plant


def _port(process: subprocess.Popen[bytes], within_s: float) -> int:
    """Wait for the line that says which port it is."""
    assert process.stdout is not None
    with selectors.DefaultSelector() as ready:
        ready.register(process.stdout, selectors.EVENT_READ)
        line = process.stdout.readline() if ready.select(within_s) else b""
    try:
        return int(json.loads(line)["port"])
    except (ValueError, KeyError, TypeError):
        raise Unavailable("the plant did not come up; see `plant.log` in its folder") from None
