"""Real routers as a world that a scene is played on, beside the plant: the same port, the same mischief."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from adapters.network.lab.launcher import RunningLab, start_lab
from adapters.network.lab.plan import SMOKE
from adapters.network.routers.network import RoutersNetwork
from domain.diagnosis import FaultKind
from telemetry.deviation import MIN_BASELINE
from tests.lab.needed import need_a_lab

PERIOD_S = 0.5
#: What a baseline needs at least, and what may be left out before an onset: a test waits for no more.
_SAMPLES = MIN_BASELINE + 4


class Mistakes:
    """Makes mistakes on the routers themselves, and reads in their own logs what others told them."""

    def __init__(self, lab: RunningLab) -> None:
        self._lab = lab

    def inject(self, kind: FaultKind, element: str) -> None:
        """Shut an interface by mistake; a lab knows no other fault."""
        assert kind is FaultKind.INTERFACE_LOCKED, f"the lab cannot play `{kind}`"
        router, _, towards = element.removeprefix("tp:").partition("-")
        self._lab.configure((router, towards), "shutdown")

    def journal(self) -> list[dict[str, Any]]:
        """Return what the routers were really told, but for the mistakes."""
        return [{"router": router, "line": line} for router, line in self._lab.taken()]


class LabWorld:
    """A lab, and the networks that were opened on it."""

    def __init__(self, lab: RunningLab, closing: ExitStack) -> None:
        self.lab, self._closing = lab, closing

    def network(self, *, timeout_s: float = 5.0) -> RoutersNetwork:
        """Return a network that has watched the routers long enough to know what is usual."""
        network = self._closing.enter_context(RoutersNetwork(self.lab.reach, period_s=PERIOD_S, timeout_s=timeout_s))
        network.warm_up(_SAMPLES)
        return network

    def umpire(self) -> Mistakes:
        return Mistakes(self.lab)


@contextmanager
def lab_world(_folder: Path) -> Iterator[tuple[LabWorld, str]]:
    """Yield a lab as a world, and the interface that a mistake is made on; skip where no lab can run."""
    need_a_lab()
    with start_lab(SMOKE) as lab, ExitStack() as closing:
        yield LabWorld(lab, closing), lab.culprit
