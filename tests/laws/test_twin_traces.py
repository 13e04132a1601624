"""A seeded run of the twin is isolated and repeatable: the same seed gives the same trace, in any process."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from domain.canonical import digest
from domain.changes import SetOperational
from domain.network import Operational
from twin.evaluate import evaluate
from twin.generator import operator_network
from twin.snapshot import Snapshot

ROOT = Path(__file__).parents[2]
PROGRAM = "from tests.laws.test_twin_traces import trace_hash; import sys; print(trace_hash(int(sys.argv[1])))"


def trace_hash(seed: int, steps: int = 12) -> str:
    """Return the digest of what a random walk of failures does to a generated network, state by state."""
    rng = np.random.default_rng(seed)
    inventory = operator_network(seed, 80)
    snapshot, trace = Snapshot.of(inventory), []
    for _ in range(steps):
        link = inventory.links[int(rng.integers(len(inventory.links)))]
        snapshot = snapshot.with_changes((SetOperational(element=link.id, state=Operational.DISABLED),))
        trace.append([snapshot.digest, evaluate(snapshot).impact().model_dump(mode="json")])
    return digest(trace)


def test_the_same_seed_gives_the_same_trace_in_another_process() -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", PROGRAM, "7"]

    elsewhere = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)

    assert elsewhere.stdout.strip() == trace_hash(7)


def test_another_seed_gives_another_trace() -> None:
    assert trace_hash(7) != trace_hash(8)
