"""A house that is killed while it trains a model: the training is settled, and happens no second time by itself."""

import os
import subprocess
import sys
from pathlib import Path

from adapters.store.ledger import SqlLedger
from domain.chains import first_break
from domain.clock import ManualClock
from domain.incidents import Resolution
from domain.models import MoveState
from domain.proposals import ProposalState
from tests.lifecycle.model_stage import make_model_stage

ROOT = Path(__file__).parents[2]


def killed_while_training(folder: Path) -> None:
    """Let another process begin a training, and kill it there."""
    program = [sys.executable, str(Path(__file__).with_name("training_process.py")), str(folder)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(program, stdout=subprocess.PIPE, env=environment, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "training\n"
        process.kill()


def test_a_kill_during_training_ends_settled_and_nothing_is_trained_twice(clock: ManualClock, tmp_path: Path) -> None:
    killed_while_training(tmp_path)
    clock.advance(600)
    ledger = SqlLedger(tmp_path / "nocturne.db", clock)
    models = make_model_stage(clock, tmp_path, ledger=ledger, new=False)
    models.walk()
    models.walk()

    (move,) = ledger.read(lambda tables: tables.model_moves.find())
    (execution,) = ledger.read(lambda tables: tables.executions.find())
    assert (move.state, models.trainer.trained) == (MoveState.FAILED, [])
    assert execution.outcome is not None
    assert execution.outcome.resolution is Resolution.UNRESOLVED
    assert [p.state for p in models.stage.proposals()] == [ProposalState.SETTLED, ProposalState.HELD]
    assert first_break(ledger.records()) is None
    ledger.close()
