"""Says whether a lab can run here, and skips what cannot; with `REQUIRE_SERVICES=1` that is a failure."""

import os

import pytest

from adapters.network.lab.daemons import missing


def need_a_lab() -> None:
    """Skip the test with the reason unless FRR, iproute2, ping and root are there."""
    if reason := missing():
        if os.environ.get("REQUIRE_SERVICES") == "1":
            pytest.fail(f"no lab can run here and REQUIRE_SERVICES=1: {reason}")
        pytest.skip(f"no lab can run here: {reason}")
