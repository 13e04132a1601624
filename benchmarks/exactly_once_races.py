"""Fifty people approve the same plan at the same moment, while the road is walked: how often is it carried out?

    python -m benchmarks.exactly_once_races FOLDER RACES DATABASE

Writes one JSON line: races, double_executions, lost_decisions.
"""

from api.threads import limit_threads

limit_threads()

import json  # noqa: E402  # numpy must not come in before the threads are limited
import sys  # noqa: E402
import threading  # noqa: E402
import time  # noqa: E402
from concurrent.futures import ThreadPoolExecutor  # noqa: E402
from pathlib import Path  # noqa: E402

from adapters.network.emulated.launcher import start_plant  # noqa: E402
from api import logs  # noqa: E402
from api.bootstrap import House  # noqa: E402
from benchmarks.exactly_once_world import (  # noqa: E402
    Troubles,
    at_rest,
    built,
    close_what_is_over,
    culprits,
    lost,
    people,
    rings,
    waiting,
)
from domain.clock import SystemClock  # noqa: E402
from domain.errors import NocturneError, Unavailable  # noqa: E402
from domain.identity import Principal  # noqa: E402

_RINGS, _PEOPLE, _PATIENCE_S = 12, 50, 300.0


def main() -> None:
    """Race until so many plans were raced for."""
    folder, wanted, database = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    logs.configure("error", SystemClock())
    count, elements = min(_RINGS, wanted), culprits(_RINGS)
    with start_plant(rings(_RINGS), 7, folder / "plant", period_s=0.25) as plant:
        house = built(folder / "house", plant.network(), database)
        crowd, troubles = people(house, _PEOPLE), Troubles(plant.umpire(), elements)
        house.start()
        raced: list[str] = []
        time.sleep(3.0)  # baselines need some readings of before
        try:
            while len(raced) < wanted:
                raced += _round(house, crowd, troubles, elements[:count])
            figures = {
                "races": len(raced),
                "double_executions": troubles.doubles(),
                "lost_decisions": house.road.ledger.read(lambda tables: lost(tables, raced, troubles.keys())),
                "troubles": troubles.made.total(),
                "repaired": troubles.repaired(),
            }
        finally:
            house.close()
    sys.stdout.write(json.dumps(figures) + "\n")


def _round(house: House, crowd: list[Principal], troubles: Troubles, elements: list[str]) -> list[str]:
    """Lock all interfaces, race for every repair, wait until all is well; return the plans that were raced for."""
    for element in elements:
        troubles.make(element)
    raced: list[str] = []
    deadline = time.monotonic() + _PATIENCE_S
    while troubles.healed() < set(elements) or not house.road.ledger.read(at_rest):
        close_what_is_over(house, crowd[0])
        raced += [id for id in house.road.ledger.read(waiting) if _race(house, crowd, id)]
        if time.monotonic() > deadline:
            raise Unavailable(f"the rings did not come to rest in {_PATIENCE_S:.0f} s; see the log")
        time.sleep(0.05)
    return list(dict.fromkeys(raced))


def _race(house: House, crowd: list[Principal], id: str) -> int:
    """Have everybody approve at once; return how many were told that it was done."""
    start = threading.Barrier(len(crowd))

    def approve(who: Principal) -> bool:
        start.wait()
        try:
            house.commands.approve(who, id, "raced for")
        except NocturneError:
            return False  # somebody else was first
        return True

    with ThreadPoolExecutor(len(crowd)) as pool:
        return sum(pool.map(approve, crowd))


if __name__ == "__main__":
    main()
