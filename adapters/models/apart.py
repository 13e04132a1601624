"""A training in a process of its own: it keeps no house waiting, yields to it, and can be ended at any moment.

The child (`python -m adapters.models.apart FOLDER`) reads what to do from its standard input and writes card and
artefact into the folder; the parent believes them only after the checks that every artefact goes through. A child
whose parent is gone ends by itself.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from adapters.models import keeping
from adapters.models.training import RankerTrainer
from domain.actions import TrainModel
from domain.errors import BadInput, Gone, NocturneError, Unavailable
from domain.models import ModelCard
from domain.network import Inventory

_POLL_S = 0.1
_GRACE_S = 5.0
_NICE = 10
_SAID_NO = 3  # the exit status of a child that says in one line of JSON why not
_ROOT = Path(__file__).parents[2]
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def train_apart(
    action: TrainModel,
    inventory: Inventory | None,
    folder: Path,
    stop: Callable[[], bool],
    *,
    owner: str = "network operations",
    parent: str = "",
) -> tuple[ModelCard, bytes]:
    """Train in a child process; return card and artefact as `Trainer.train` does.

    Args:
        action: what to train.
        inventory: the network at hand, if it is to be among what is learnt from.
        folder: where the child may write; what it wrote is taken away again.
        stop: is asked ten times a second; the child is ended when it says so.
        owner: who answers for the version.
        parent: the version that this one is to replace.

    Raises:
        BadInput: the recipe is not known, or what came back is not what was asked for.
        Gone: it was stopped.
        Unavailable: the child could not be started, or died.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="training-", dir=folder) as room:
            order = {
                "action": action.model_dump(mode="json"),
                "inventory": None if inventory is None else inventory.model_dump(mode="json"),
                "owner": owner,
                "parent": parent,
            }
            with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as given:
                given.write(json.dumps(order).encode())
                given.seek(0)
                _see_through(_started(Path(room), given, said), said, stop)
            return _taken(action, Path(room))
    except OSError as error:
        raise Unavailable(
            f"the training could not run in `{folder}`: {error.strerror}; make room, try again"
        ) from error


def _started(room: Path, given: Any, said: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603  # our own module, by our own interpreter
        [sys.executable, "-m", "adapters.models.apart", str(room)],
        stdin=given,
        stdout=said,
        stderr=subprocess.DEVNULL,
        cwd=_ROOT,
        env=os.environ | _ONE_THREAD | {"NOCTURNE_PARENT": str(os.getpid())},
    )


def _see_through(child: subprocess.Popen[bytes], said: Any, stop: Callable[[], bool]) -> None:
    """Wait for the child. Raises what it said, Gone when it was stopped, Unavailable when it died."""
    try:
        while child.poll() is None:
            if stop():
                raise Gone("the training was stopped; ask for it again")
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(_POLL_S)
    finally:
        _ended(child)
    if child.returncode == _SAID_NO:
        said.seek(0)
        reason = str(json.loads(said.read())["reason"])
        raise BadInput(reason)
    if child.returncode != 0:
        raise Unavailable(f"the training ended with status {child.returncode} and left nothing; ask for it again")


def _ended(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _taken(action: TrainModel, room: Path) -> tuple[ModelCard, bytes]:
    """Return what the child wrote, once it has passed every check."""
    artefact = (room / keeping.ARTEFACT).read_bytes()
    try:
        card = ModelCard.model_validate_json((room / keeping.CARD).read_bytes())
    except ValidationError as error:
        raise BadInput("the training left a card that cannot be read; ask for it again") from error
    asked = (action.version, action.target, action.recipe, action.seed)
    if (card.version, card.slot, card.recipe, card.seed) != asked:
        raise BadInput(f"the training left `{card.version}` and not what was asked for; ask for it again")
    keeping.check(card, artefact)
    return card, artefact


def _main(room: Path) -> int:
    """Do what standard input says; be the child."""
    os.nice(_NICE)
    order = json.load(sys.stdin)
    house = int(os.environ["NOCTURNE_PARENT"])
    inventory = Inventory.model_validate(order["inventory"]) if order["inventory"] is not None else None
    trainer = RankerTrainer(inventory, owner=order["owner"], parent=order["parent"])
    try:
        card, artefact = trainer.train(TrainModel.model_validate(order["action"]), stop=lambda: os.getppid() != house)
    except NocturneError as error:
        sys.stdout.write(json.dumps(error.body()))
        return _SAID_NO
    (room / keeping.ARTEFACT).write_bytes(artefact)
    (room / keeping.CARD).write_text(card.model_dump_json(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(_main(Path(sys.argv[1])))
