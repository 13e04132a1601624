"""The plant process: `python -m adapters.network.emulated.plant --inventory FILE --seed N --journal FILE`.

Prints one JSON line, `{"port": …}`, when it is ready, and serves until it is stopped. The umpire's token comes in the
environment variable `NOCTURNE_UMPIRE_TOKEN`; without one, nobody is the umpire. With `--driven` time stands still
until the umpire lets some pass: then the same seed and the same requests give the same story.
"""

import argparse
import json
import logging
import os
import secrets
import signal
import sys
import threading
from pathlib import Path

from adapters.network.emulated.runtime import Plant, Settings
from adapters.network.emulated.server import PlantServer
from adapters.network.emulated.times import DRIVEN_FROM
from domain.clock import ManualClock, SystemClock
from domain.network import Inventory


def main() -> None:
    """Read the arguments, build the plant, serve."""
    asked = _arguments()
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    inventory = Inventory.model_validate_json(asked.inventory.read_text(encoding="utf-8"))
    settings = Settings(
        seed=asked.seed, journal=asked.journal, period_s=asked.period, crew_s=asked.crew_seconds, keyed=asked.keyed
    )
    plant = Plant(inventory, settings, ManualClock(DRIVEN_FROM) if asked.driven else SystemClock())
    token = os.environ.pop("NOCTURNE_UMPIRE_TOKEN", "") or secrets.token_hex(16)
    server = PlantServer(plant, asked.port, token)
    signal.signal(signal.SIGTERM, lambda *_: _end())
    if asked.until_stdin_closes:
        threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    if not asked.driven:
        threading.Thread(target=plant.run, name="life", daemon=True).start()
    print(json.dumps({"port": server.server_address[1]}), flush=True)  # noqa: T201  # this line is what callers wait for
    server.serve_forever(poll_interval=0.2)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="plant", description="an emulated network with a life of its own")
    parser.add_argument("--inventory", type=Path, required=True, help="what is declared, as JSON of domain.network")
    parser.add_argument("--seed", type=int, required=True, help="of everything that is drawn")
    parser.add_argument("--journal", type=Path, required=True, help="file that gets one line per real effect")
    parser.add_argument("--port", type=int, default=0, help="on 127.0.0.1; 0: any free one")
    parser.add_argument("--period", type=float, default=0.5, help="seconds between two samples")
    parser.add_argument("--crew-seconds", type=float, default=3.0, help="how long a crew travels")
    parser.add_argument("--keyed", action=argparse.BooleanOptionalAction, default=True, help="executors know keys")
    parser.add_argument("--driven", action="store_true", help="time passes only when the umpire says so")
    parser.add_argument("--until-stdin-closes", action="store_true", help="end when the parent ends")
    return parser.parse_args()


def _end_with_parent() -> None:
    while os.read(0, 4096):
        pass
    _end()


def _end() -> None:
    """End at once: the journal is on the disk after every line, and nothing else is kept."""
    os._exit(0)


if __name__ == "__main__":
    main()
