"""A server as a process of its own for the road bench: plant, house and HTTP door, and cases one after the other.

    python -m benchmarks.road_house FOLDER ELEMENTS CASES SEED

Each fault is played twice on the same house, with and without causal attribution, and whoever is first changes from
fault to fault, so that neither way always finds the warmer house. It writes JSON lines: `{"case": …}`, `{"memory": …}`.
"""

from api.threads import limit_threads

limit_threads()

import json  # noqa: E402  # numpy must not come in before the threads are limited
import sys  # noqa: E402
import threading  # noqa: E402
import time  # noqa: E402
from collections.abc import Iterator  # noqa: E402
from contextlib import contextmanager  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import uvicorn  # noqa: E402

from adapters.models.ranker import NoRanker  # noqa: E402
from agents.cards import CARDS  # noqa: E402
from agents.diagnostics import Diagnostics  # noqa: E402
from api import logs  # noqa: E402
from api import settings as house_settings  # noqa: E402
from api.bootstrap import House  # noqa: E402
from api.demo import stage  # noqa: E402
from api.http.app import create_app  # noqa: E402
from benchmarks.report import resident_mb  # noqa: E402
from benchmarks.road_case import WITH, WITHOUT, Bench  # noqa: E402
from causal.attribution import NoAttribution  # noqa: E402
from control_plane.ports import Diagnostician  # noqa: E402
from control_plane.toolbox import Toolbox  # noqa: E402
from domain.clock import SystemClock  # noqa: E402
from domain.identity import Role  # noqa: E402
from domain.incidents import IncidentClass  # noqa: E402

#: Baselines need some readings of before: as long as a demo waits.
_BASELINE_S = 3.0


def main() -> None:
    """Run the cases that the command line asks for."""
    folder, elements, cases, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    logs.configure("error", SystemClock())
    settings = house_settings.load(data=folder, database="", network=f"generated:{elements}", seed=seed)
    with stage(settings) as (house, plant), _served(house, settings):
        ways = {WITH: house.road.diagnosticians[IncidentClass.NETWORK], WITHOUT: _without_attribution(house)}
        operator = house.issuer.issue("bench", {Role.OPERATOR}, person="bench")[0]
        bench = Bench(house, plant.umpire(), operator)
        time.sleep(_BASELINE_S)
        _tell(memory={"before": resident_mb()})
        for number in range(cases):
            order = (WITHOUT, WITH) if number % 2 == 0 else (WITH, WITHOUT)
            for way in order:
                house.road.diagnosticians[IncidentClass.NETWORK] = ways[way]
                _tell(case=bench.case(way, seed * 1000 + number).as_json())
                _tell(memory={way: resident_mb()})


def _without_attribution(house: House) -> Diagnostician:
    """Return the same diagnostician over the same house, but for attribution and the learned ranker."""
    road = house.road
    tools = {"telemetry": road.live.history, "twin": road.live, "past": road.past, "ranker": NoRanker()}
    return Diagnostics(Toolbox(CARDS["diagnostics"], tools, road.ledger, road.clock), NoAttribution())


@contextmanager
def _served(house: House, settings: house_settings.Settings) -> Iterator[None]:
    """Open the HTTP door on a free port, so that the process weighs what a server weighs."""
    config = uvicorn.Config(create_app(house, settings), host="127.0.0.1", port=0, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="http", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


def _tell(**what: Any) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
