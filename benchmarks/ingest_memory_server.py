"""The baseline's server: the same house, doors and network, but nothing that it is told outlives it.

    python -m benchmarks.ingest_memory_server FOLDER NETWORK_URL

It leaves its address and a token in FOLDER as `nocturne serve` does.
"""

from api.threads import limit_threads

limit_threads()

import signal  # noqa: E402  # numpy must not come in before the threads are limited
import socket  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402

import uvicorn  # noqa: E402

from adapters.memory import MemoryLedger  # noqa: E402
from adapters.network.emulated.client import EmulatedNetwork  # noqa: E402
from api import logs  # noqa: E402
from api import settings as house_settings  # noqa: E402
from api.bootstrap import build  # noqa: E402
from api.client import leave_address  # noqa: E402
from api.http.app import create_app  # noqa: E402
from api.identities import IDENTITIES, write_identities  # noqa: E402
from benchmarks.ingest_alarms import SOURCE  # noqa: E402
from domain.clock import SystemClock  # noqa: E402
from domain.identity import Role  # noqa: E402


def main() -> None:
    """Serve until SIGTERM."""
    folder, url = Path(sys.argv[1]), sys.argv[2]
    clock = SystemClock()
    logs.configure("info", clock)
    settings = house_settings.load(data=folder, database="")
    house = build(settings, EmulatedNetwork(url), clock=clock, ledger=MemoryLedger(clock))
    token = house.issuer.issue(SOURCE, {Role.FEED, Role.OPERATOR}, person=SOURCE)[1]
    write_identities(folder / IDENTITIES, {SOURCE: token})
    house.start()
    config = uvicorn.Config(create_app(house, settings), log_config=None, access_log=False, lifespan="off")
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as door:
        door.bind(("127.0.0.1", 0))
        leave_address(folder, f"http://127.0.0.1:{door.getsockname()[1]}")
        uvicorn.Server(config).run(sockets=[door])
    house.close()


if __name__ == "__main__":
    main()
