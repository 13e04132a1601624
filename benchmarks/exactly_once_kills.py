"""Kill −9 at every step of the road, over and over, with many repairs in flight; then a life that ends by itself.

    python -m benchmarks.exactly_once_kills FOLDER KILLS DATABASE KEYED

This process has everything loaded and no threads: each life of the house is a fork of it, so that a life costs no
import. It keeps the sender's ledger: what a house said it had taken, before it was killed. Writes one JSON line.
"""

from api.threads import limit_threads

limit_threads()

import json  # noqa: E402  # numpy must not come in before the threads are limited
import os  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from collections import Counter  # noqa: E402
from contextlib import closing, suppress  # noqa: E402
from pathlib import Path  # noqa: E402

from adapters.network.emulated.launcher import RunningPlant, start_plant  # noqa: E402
from adapters.store.ledger import SqlLedger  # noqa: E402
from api import logs  # noqa: E402
from benchmarks.exactly_once_world import (  # noqa: E402
    Troubles,
    at_rest,
    built,
    close_what_is_over,
    culprits,
    lost,
    people,
    rings,
    settle_doubts,
    troubled,
    waiting,
)
from domain.clock import SystemClock  # noqa: E402
from domain.errors import NocturneError, Unavailable  # noqa: E402

#: Where a house is killed: the first time that its road passes such a point.
POINTS = (
    "correlated",
    "diagnosed",
    "proposed",
    "rehearsed",
    "judged",
    "proposal granted",
    "begun",
    "intended",
    "sent",
    "acted",
    "settled",
    "verifying",
    "verified",
    "closed",
)
_RINGS, _LIFE_S, _LAST_LIFE_S = 5, 8.0, 240.0


def main() -> None:
    """Live and die so often, then live to the end; count what the plant saw."""
    folder, kills, database, keyed = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4] == "keyed"
    logs.configure("error", SystemClock())
    (folder / "house").mkdir(parents=True, exist_ok=True)
    where = database or folder / "house" / "nocturne.db"
    acknowledged: list[str] = []
    died: Counter[str] = Counter()
    with start_plant(rings(_RINGS), 7, folder / "plant", period_s=0.5, keyed=keyed) as plant:
        troubles = Troubles(plant.umpire(), culprits(_RINGS))
        time.sleep(3.0)  # baselines need some readings of before
        while died.total() < kills:
            with closing(SqlLedger(where, SystemClock())) as ledger:
                still = ledger.read(
                    troubled
                )  # one that is made again while its repair is verified looks like a repair that failed
            for element in troubles.healed() - still:
                troubles.make(element)
            point = POINTS[died.total() % len(POINTS)]
            told, passed = _life(folder, plant, database, point)
            acknowledged += told
            died[point if passed else "anywhere"] += 1
        told, ended = _life(folder, plant, database, "")
        if not ended:
            raise Unavailable("the last life did not bring the road to its end; see the log")
        with closing(SqlLedger(where, SystemClock())) as ledger:
            missing = ledger.read(lambda tables: lost(tables, acknowledged + told, troubles.keys()))
        figures = {
            "kills": died.total(),
            "double_executions": troubles.doubles(),
            "lost_decisions": missing,
            "troubles": troubles.made.total(),
            "repaired": troubles.repaired(),
            "acknowledged": len(set(acknowledged + told)),
            "killed_at": dict(died),
        }
    sys.stdout.write(json.dumps(figures) + "\n")


def _life(folder: Path, plant: RunningPlant, database: str, point: str) -> tuple[list[str], bool]:
    """Live once; return what was acknowledged, and whether the house died where it should (or ended by itself)."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _house(folder, plant, database, point, writing)
    os.close(writing)
    deadline = time.monotonic() + (_LIFE_S if point else _LAST_LIFE_S)
    status: int | None = None
    while status is None and time.monotonic() < deadline:
        done, status_now = os.waitpid(child, os.WNOHANG)
        status = status_now if done else None
        time.sleep(0.005)
    ended = status is not None
    if status is None:
        os.kill(child, signal.SIGKILL)
        status = os.waitpid(child, 0)[1]
    with os.fdopen(reading) as pipe:
        told = pipe.read().split()
    if ended and not (os.WIFSIGNALED(status) if point else os.WEXITSTATUS(status) == 0 and os.WIFEXITED(status)):
        raise Unavailable(f"a house ended by itself with status {status}; see the log")
    return told, ended


def _house(folder: Path, plant: RunningPlant, database: str, point: str, writing: int) -> None:
    """Be a house: approve what waits, and die at the point. Never returns."""
    try:
        house = built(folder / "house", plant.network(), database)

        def watch(passed: str, _ref: str) -> None:
            if passed == point:
                os.kill(os.getpid(), signal.SIGKILL)

        house.road.watchers.append(watch)
        crowd, umpire = people(house, 2), plant.umpire()
        house.start()
        while point or not house.road.ledger.read(at_rest):
            settle_doubts(house, crowd[0], umpire)
            close_what_is_over(house, crowd[0])
            for id in house.road.ledger.read(waiting):
                for who in crowd:
                    with suppress(NocturneError):  # it has its signatures, or is being rehearsed anew
                        house.commands.approve(who, id, "scripted")
                        os.write(writing, f"{id}\n".encode())
            time.sleep(0.02)
        house.close()
        os._exit(0)
    except BaseException:  # noqa: BLE001  # a forked child must not go on with its parent's work
        import traceback

        traceback.print_exc()
        os._exit(1)


if __name__ == "__main__":
    main()
