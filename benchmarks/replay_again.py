"""A fresh process that makes past decisions again, from a data folder and nothing else.

    python -m benchmarks.replay_again FOLDER DECISIONS SEED ALTERED

It draws DECISIONS of the pinned ones at random and writes a JSON line for each: `{"id", "digest", "identical"}`, and
beside it what is read where the stored answer is believed: `stored`, the digest of that answer, and `read_s`, the
seconds it took. Then it alters one input of each of the first ALTERED, in its own memory, and writes
`{"id", "altered_found", "stored_found"}`.
"""

from api.threads import limit_threads

limit_threads()

import hashlib  # noqa: E402  # numpy must not come in before the threads are limited
import json  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402
from time import perf_counter  # noqa: E402
from typing import Any  # noqa: E402

import numpy as np  # noqa: E402

from adapters.models.opening import open_store  # noqa: E402
from adapters.store.ledger import SqlLedger  # noqa: E402
from api import logs  # noqa: E402
from api.replay_room import replayer  # noqa: E402
from control_plane.replay.pins import inputs_of, pack, result_digest  # noqa: E402
from control_plane.replay.replaying import Replayer  # noqa: E402
from domain.clock import SystemClock  # noqa: E402
from domain.keeping import Pin, PinKind  # noqa: E402


def main() -> None:
    """Make decisions again and write what came out."""
    folder, many, seed, altered = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    logs.configure("error", SystemClock())
    ledger = SqlLedger(folder / "nocturne.db", SystemClock())
    again = replayer(ledger, open_store(folder))
    known = again.decisions()
    rng = np.random.default_rng(seed)
    drawn = rng.choice(len(known), min(many, len(known)), replace=False)
    chosen = [known[place] for place in drawn]
    for id in chosen:
        made = again.replay(id)
        notes = [stage.note for stage in made.stages if stage.note]
        begun = perf_counter()
        stored = _stored(ledger, id)
        read_s = perf_counter() - begun
        _tell(id=id, digest=made.digest, identical=made.identical, notes=notes, stored=stored, read_s=read_s)
    pins = {pin.id: pin for pin in again.pins(PinKind.DECISION)}
    for id in [id for id in chosen if _matters(pins[id])][:altered]:
        before = _stored(ledger, id)
        found = _found(again, pins[id])
        _tell(id=id, altered_found=found, stored_found=_stored(ledger, id) != before)
    ledger.close()


def _stored(ledger: SqlLedger, id: str) -> str:
    """Return the digest of the answer that is stored, as a replay that reads it would."""
    decision = ledger.read(lambda tables: tables.decisions.get(id))
    return result_digest(decision.judgement if decision else None)


def _found(again: Replayer, pin: Pin) -> bool:
    """Say whether the judgement comes out otherwise when one input is: the plan is to be found unsound."""
    inputs = inputs_of(pin)
    inputs["brief"]["rehearsal"]["sound"] = not inputs["brief"]["rehearsal"]["sound"]
    text = json.dumps(inputs)
    other = pin.but(inputs=pack(text), inputs_digest=hashlib.sha256(text.encode()).hexdigest())
    return again.make_again(other).digest != pin.result


def _matters(pin: Pin) -> bool:
    """Say whether a sound rehearsal is asked for at all: paperwork needs none."""
    kinds = {step["kind"] for step in inputs_of(pin)["brief"]["proposal"]["plan"]["steps"]}
    return not kinds <= {"open_ticket", "cancel_ticket"}


def _tell(**what: Any) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
