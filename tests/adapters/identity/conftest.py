"""A ledger in memory, and a small provider on loopback."""

from collections.abc import Iterator

import pytest

from adapters.identity.local import LocalIssuer
from adapters.memory import MemoryLedger
from domain.clock import ManualClock
from tests.identity_provider import SmallProvider, small_provider


@pytest.fixture
def ledger(clock: ManualClock) -> MemoryLedger:
    return MemoryLedger(clock)


@pytest.fixture
def issuer(ledger: MemoryLedger, clock: ManualClock) -> LocalIssuer:
    return LocalIssuer(ledger, clock)


@pytest.fixture
def provider(clock: ManualClock) -> Iterator[SmallProvider]:
    with small_provider(clock) as running:
        yield running
