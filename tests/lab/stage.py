"""A running house over a lab, for tests of the whole road."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adapters.network.lab.launcher import RunningLab, start_lab
from adapters.network.lab.plan import SMOKE
from adapters.network.routers.network import RoutersNetwork
from api.bootstrap import House
from control_plane.ports import Ledger
from tests.lab.needed import need_a_lab
from tests.scenarios.house_process import built


@contextmanager
def lab_house(folder: Path, ledger: Ledger | None = None) -> Iterator[tuple[House, RunningLab]]:
    """Yield a started house and the lab under it, which makes mistakes when it is told to; skip where none can run."""
    need_a_lab()
    with start_lab(SMOKE) as lab, RoutersNetwork(lab.reach) as network:
        network.warm_up()
        house = built(folder, network, ledger=ledger)
        try:
            house.start()
            yield house, lab
        finally:
            house.close()
