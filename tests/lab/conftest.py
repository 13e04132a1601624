"""One lab for the tests that leave it as they found it."""

from collections.abc import Iterator

import pytest

from adapters.network.lab.launcher import RunningLab, start_lab
from adapters.network.lab.plan import SMOKE
from adapters.network.routers.network import RoutersNetwork
from tests.lab.needed import need_a_lab


@pytest.fixture(scope="session")
def lab() -> Iterator[RunningLab]:
    """Four routers; skipped with the reason where there can be none."""
    need_a_lab()
    with start_lab(SMOKE) as running:
        yield running


@pytest.fixture(scope="session")
def routers(lab: RunningLab) -> Iterator[RoutersNetwork]:
    """The lab's routers as a network that has been watched for a few seconds."""
    with RoutersNetwork(lab.reach, period_s=0.5) as network:
        network.warm_up(6)
        yield network
