"""Is an approved plan carried out exactly once, whatever is raced or killed? Beside LangGraph's interrupt as the gate.

Races: fifty people approve one plan at the same moment while the road is walked. Kills: SIGKILL at every step of the
road with several repairs in flight, on plants that refuse a second sending of a key and on plants that do not. Half of
everything runs on SQLite and half on PostgreSQL. Effects are counted in the plant's journal, decisions in the ledger of
who sent them.
"""

import json
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.postgresql import new_database, server
from benchmarks.processes import failed, folder_in, program
from benchmarks.report import Figures, result

Progress = Callable[[str], None]

_FULL, _QUICK = {"races": 200, "kills": 504}, {"races": 12, "kills": 28}


def run(quick: bool, data: Path | None, progress: Progress) -> dict[str, Any]:
    """Race and kill on both databases and return the object of the bench.

    Raises:
        Unavailable: there is no PostgreSQL, or a program did not run to its end.
    """
    started, counts = perf_counter(), _QUICK if quick else _FULL
    found = server()
    figures: Figures = {"races": 0, "kills": 0, "double_executions": 0, "lost_decisions": 0}
    parts: dict[str, Figures] = {}
    with folder_in(data) as folder:
        for store, keyed in (("sqlite", "keyed"), ("postgresql", "not-keyed")):
            for what in ("races", "kills"):
                place = nullcontext("") if store == "sqlite" else new_database(found.address)
                with place as address:
                    told = _told(folder / f"{what}-{store}", what, counts[what] // 2, address, keyed)
                parts[f"{what}_{store}_{keyed}" if what == "kills" else f"{what}_{store}"] = told
                progress(f"{what} on {store}: {told}")
                for name in figures:
                    figures[name] += told.get(name, 0)
        baseline = _langgraph(folder, counts)
        progress(f"langgraph_interrupt: {baseline}")
    conditions = {"n": figures["races"] + figures["kills"], "seed": 7, "people": 50, "parts": parts}
    return result("exactly-once", figures, {"langgraph_interrupt": baseline}, conditions, started)


def _told(folder: Path, what: str, count: int, address: str, keyed: str) -> Figures:
    more = (keyed,) if what == "kills" else ()
    return _run(folder, f"benchmarks.exactly_once_{what}", str(folder), str(count), address, *more)


def _langgraph(folder: Path, counts: dict[str, int]) -> Figures:
    # more of it would say the same: it fails nearly every time
    races, kills = max(1, counts["races"] // 4), max(2, counts["kills"] // 10)
    place = folder / "langgraph"
    return _run(place, "benchmarks.exactly_once_langgraph", str(place), str(races), str(kills))


def _run(folder: Path, module: str, *arguments: str) -> Figures:
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "log"
    with program(log, "-m", module, *arguments) as process:
        assert process.stdout is not None
        lines = [line for line in process.stdout if line.startswith("{")]
        if process.wait() or not lines:
            raise failed(process, log, module)
    figures: Figures = json.loads(lines[-1])
    return figures
