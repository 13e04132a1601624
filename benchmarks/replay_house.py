"""A house that decides for the replay bench: faults on a plant, one after the other, until enough is decided.

    python -m benchmarks.replay_house FOLDER ELEMENTS DECISIONS SEED

It writes one JSON line per fault: `{"decisions": how many are pinned by now}`.
"""

from api.threads import limit_threads

limit_threads()

import json  # noqa: E402  # numpy must not come in before the threads are limited
import sys  # noqa: E402
import time  # noqa: E402
from pathlib import Path  # noqa: E402

from api import logs  # noqa: E402
from api import settings as house_settings  # noqa: E402
from api.demo import stage  # noqa: E402
from benchmarks.road_case import WITH, Bench  # noqa: E402
from domain.clock import SystemClock  # noqa: E402
from domain.identity import Role  # noqa: E402
from domain.keeping import PinKind  # noqa: E402

_BASELINE_S = 3.0
_MOST_FAULTS = 200


def main() -> None:
    """Let faults happen until so many decisions are pinned."""
    folder, elements, wanted, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    logs.configure("error", SystemClock())
    settings = house_settings.load(data=folder, database="", network=f"generated:{elements}", seed=seed)
    with stage(settings) as (house, plant):
        operator = house.issuer.issue("bench", {Role.OPERATOR}, person="bench")[0]
        bench = Bench(house, plant.umpire(), operator)
        time.sleep(_BASELINE_S)
        for number in range(_MOST_FAULTS):
            bench.case(WITH, seed * 1000 + number)
            decided = house.road.ledger.read(lambda tables: tables.pins.count(kind=PinKind.DECISION))
            sys.stdout.write(json.dumps({"decisions": decided}) + "\n")
            sys.stdout.flush()
            if decided >= wanted:
                return


if __name__ == "__main__":
    main()
