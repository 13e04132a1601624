"""A process that is killed in the middle of a training: `python training_process.py FOLDER`."""

import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

from adapters.store.ledger import SqlLedger
from domain.clock import ManualClock
from tests.lifecycle.model_stage import make_model_stage


def main(folder: Path) -> None:
    """Walk until a training runs, say so, and wait for the end."""
    clock = ManualClock(datetime(2026, 1, 12, 12, 0, tzinfo=UTC))
    models = make_model_stage(clock, folder, ledger=SqlLedger(folder / "nocturne.db", clock))

    def say_and_hang() -> None:
        sys.stdout.write("training\n")
        sys.stdout.flush()
        threading.Event().wait()

    models.trainer.wait = say_and_hang
    models.err(8)
    models.approve()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
