"""What every test may lean on: one numeric thread, a clock that stands still, a seed, untimed laws, ways to services.

Threads are limited before anything imports numpy: two numeric libraries that each start a thread per core make
small arrays slower by a factor of fifty.
"""

from api.threads import limit_threads

limit_threads()

import logging  # noqa: E402  # numpy must not come in before the line above
import os  # noqa: E402
import shutil  # noqa: E402
from collections import Counter  # noqa: E402
from collections.abc import Callable, Iterator  # noqa: E402
from datetime import UTC, datetime  # noqa: E402
from pathlib import Path  # noqa: E402

import pytest  # noqa: E402
import structlog  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

from domain.clock import ManualClock  # noqa: E402

RequireService = Callable[[str, str], Path]

# how long one example takes says more about the machine than about the law
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files of many slow tests, or one process is still at them when the others have nothing left."""
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[item.path])


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands at noon of 12 January 2026, UTC, until a test moves it."""
    return ManualClock(datetime(2026, 1, 12, 12, 0, tzinfo=UTC))


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """Whatever a test does to logging is undone after it, or the next one would find log lines in what it reads."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def seed() -> int:
    """The seed of every drawn number in a test that does not vary it."""
    return 20260112


@pytest.fixture
def require_service() -> RequireService:
    """Return `require(program, reason)`: the program's path, or a skip that gives the reason.

    With `REQUIRE_SERVICES=1` in the environment (as in `.ci/run`) a missing program is a failure.
    """

    def require(program: str, reason: str) -> Path:
        found = shutil.which(program)
        if found:
            return Path(found)
        if os.environ.get("REQUIRE_SERVICES") == "1":
            pytest.fail(f"`{program}` is not installed and REQUIRE_SERVICES=1: {reason}")
        pytest.skip(f"`{program}` is not installed: {reason}")

    return require
