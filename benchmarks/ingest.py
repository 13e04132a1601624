"""How many alarms become durable in a second, by each way in, and whether any is lost; beside the same in memory.

*stream*: a network's feed, read in batches by `control_plane.receiving` on the store. *http*, to a real server
process: single posts while somebody looks for each, single posts by two connections, then batches of 500 alerts.
The server does all that it does in service: a feed is read, alarms are correlated, incidents are diagnosed.
"""

from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

from adapters.memory import MemoryLedger
from adapters.network.emulated.launcher import start_plant
from adapters.network.in_memory import InMemoryNetwork
from adapters.store.ledger import SqlLedger
from api import settings as house_settings
from api.bootstrap import build
from api.networks import inventory_of
from benchmarks.ingest_alarms import SOURCE, Alarms, batches
from benchmarks.ingest_http import BATCH, CONNECTIONS, Load, durable_server, forgetful_server, measure
from benchmarks.processes import folder_in
from benchmarks.report import Figures, fsync_ms, result
from control_plane.ports import Ledger
from control_plane.receiving import receive_feed
from domain.clock import SystemClock
from domain.network import Inventory

Progress = Callable[[str], None]

_NETWORK, _SEED = "generated:60", 1
_FULL, _QUICK = Load(batched=20_000, single=1_000, watched=300), Load(batched=2_000, single=200, watched=100)
_FEED_BATCH = 1_000


def run(quick: bool, data: Path | None, progress: Progress) -> dict[str, Any]:
    """Send the alarms of both ways to both ledgers and return the object of the bench.

    Raises:
        Unavailable: a server did not come up or refused an alarm, or a table stayed empty.
    """
    started, load = perf_counter(), _QUICK if quick else _FULL
    inventory = inventory_of(_NETWORK, _SEED)
    elements = sorted(point.id for point in inventory.termination_points)
    with folder_in(data) as folder:
        disk_ms = fsync_ms(folder)
        tables: list[Figures] = []
        for name, server in (("durable", durable_server), ("in memory", forgetful_server)):
            ours = server is durable_server
            stream = _stream(folder / f"{name} stream", inventory, elements, load.batched, durable=ours)
            progress(f"{name}: {stream['stream_per_s']:.0f} alarms/s from a feed")
            place = folder / name
            with start_plant(inventory, _SEED, folder / f"{name} plant") as plant, server(place, plant.url) as client:
                doors = measure(client, load, elements)
            lost = stream.pop("stream_lost") + doors.pop("lost")
            tables.append({**stream, **doors, "lost": lost})
            progress(
                f"{name}: {doors['http_per_s']:.0f} alarms/s in batches, {doors['http_single_per_s']:.0f} one by one"
            )
    conditions = {
        "seed": _SEED,
        "n": load.batched,
        "singles": load.single,
        "watched": load.watched,
        "batch": {"http": BATCH, "stream": _FEED_BATCH},
        "connections": CONNECTIONS,
        "network": _NETWORK,
        "fsync_p50_ms": disk_ms,
    }
    return result("ingest", tables[0], {"no_durability": tables[1]}, conditions, started)


def _stream(folder: Path, inventory: Inventory, elements: list[str], count: int, *, durable: bool) -> Figures:
    """Read a feed of `count` alarms in this process, without anybody at work on them."""
    clock = SystemClock()
    folder.mkdir()
    ledger: Ledger = SqlLedger(folder / "nocturne.db", clock) if durable else MemoryLedger(clock)
    network = InMemoryNetwork(inventory, clock)
    road = build(house_settings.load(data=folder, database=""), network, clock=clock, ledger=ledger).road
    items = [Alarms(elements, clock.now()).feed(numbers) for numbers in batches(count, _FEED_BATCH)]
    seconds = 0.0
    for batch in items:
        network.say(*batch)
        started = perf_counter()
        receive_feed(road, SOURCE, 0.0)
        seconds += perf_counter() - started
    stored, tally = ledger.read(lambda tables: (tables.alarms.count(), tables.tallies.get(SOURCE)))
    ledger.close()
    kept = tally.kept if tally else 0
    return {"stream_per_s": round(count / seconds, 1), "stream_lost": abs(count - stored) + abs(count - kept)}
