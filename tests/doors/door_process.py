"""A house over the ring with its HTTP door as a process of its own, for being knocked at over a socket.

    python -m tests.doors.door_process FOLDER

It takes a free port of this machine's loopback, writes `{"url": …, "tokens": {…}}` to FOLDER/door.json, and serves
until SIGTERM.
"""

from api.threads import limit_threads

limit_threads()

import json  # noqa: E402  # numpy must not come in before the line above
import sys  # noqa: E402
from pathlib import Path  # noqa: E402

from adapters.network.in_memory import InMemoryNetwork  # noqa: E402
from api import logs, serve  # noqa: E402
from api.bootstrap import build  # noqa: E402
from api.settings import Settings  # noqa: E402
from domain.clock import SystemClock  # noqa: E402
from tests.attacks.ring_house import ACCOUNTS  # noqa: E402
from tests.stage import ring  # noqa: E402


def main() -> None:
    folder, clock = Path(sys.argv[1]), SystemClock()
    logs.configure("warning", clock)
    settings = Settings(data=folder / "data", port=0, body_timeout_s=1.0)
    house = build(settings, InMemoryNetwork(ring(), clock), clock=clock)
    tokens = {name: house.issuer.issue(name, roles, person)[1] for name, (roles, person) in ACCOUNTS.items()}
    with serve._ended_by_sigterm(), serve._bound(settings) as door:
        address = {"url": f"http://127.0.0.1:{door.getsockname()[1]}", "tokens": tokens}
        (folder / "door.tmp").write_text(json.dumps(address))
        (folder / "door.tmp").rename(folder / "door.json")
        try:
            serve._listen(house, settings, door)
        except KeyboardInterrupt:
            house.close()


if __name__ == "__main__":
    main()
