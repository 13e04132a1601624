"""Does a past decision come out the same, made again in a fresh process from what is pinned?

A whole house decides on faults of a plant. Then two fresh processes, with other hash seeds, make the same random
decisions again: diagnosis, plan, rehearsal and judgement. The baseline reads the stored answer instead: it always
agrees with itself, and finds no altered input.
"""

import json
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.processes import failed, folder_in, program
from benchmarks.report import result

Progress = Callable[[str], None]

_FULL, _QUICK = 200, 12
_ELEMENTS, _SEED, _ALTERED = 200, 1, 40


def run(quick: bool, data: Path | None, progress: Progress) -> dict[str, Any]:
    """Decide, make the decisions again twice, and return the object of the bench.

    `identical` is the share of decisions whose every stage came out as pinned, in both processes alike;
    `altered_found` the share of altered inputs that changed the result.

    Raises:
        Unavailable: the house or a process did not run to its end.
    """
    started, many = perf_counter(), _QUICK if quick else _FULL
    with folder_in(data) as folder:
        house = folder / "house"
        for told in _lines(folder, "the deciding house", "benchmarks.replay_house", house, _ELEMENTS, many, _SEED):
            progress(f"{told['decisions']} of {many} decisions are made")
        begun = perf_counter()
        first = _again(folder, house, many, "1")
        seconds = perf_counter() - begun
        second = _again(folder, house, many, "2")
    made = [line for line in first if "digest" in line]
    for line in made:
        if not line["identical"]:
            progress(f"{line['id']}: {'; '.join(line['notes']) or 'another result'}")
    twice = {line["id"]: line["digest"] for line in second if "digest" in line}
    same = [line["identical"] and twice.get(line["id"]) == line["digest"] for line in made]
    altered = [line["altered_found"] for line in first if "altered_found" in line]
    figures = {
        "decisions": len(made),
        "identical": _share(same),
        "altered_found": _share(altered),
        "s_per_decision": round(seconds / len(made), 3) if made else None,
    }
    stored = {line["id"]: line["stored"] for line in second if "stored" in line}
    found = [line["stored_found"] for line in first if "stored_found" in line]
    baseline = {
        "decisions": len(made),
        "identical": _share([stored.get(line["id"]) == line["stored"] for line in made]),
        "altered_found": _share(found),
        "s_per_decision": round(sum(line["read_s"] for line in made) / len(made), 6) if made else None,
    }
    conditions = {"seed": _SEED, "n": len(made), "elements": _ELEMENTS, "altered": len(altered)}
    return result("replay", figures, {"stored_answer": baseline}, conditions, started)


def _share(said: list[bool]) -> float | None:
    return round(sum(said) / len(said), 4) if said else None


def _again(folder: Path, house: Path, many: int, hash_seed: str) -> list[dict[str, Any]]:
    return _lines(
        folder, "a replaying process", "benchmarks.replay_again", house, many, _SEED, _ALTERED, hash_seed=hash_seed
    )


def _lines(folder: Path, what: str, module: str, *arguments: object, hash_seed: str = "0") -> list[dict[str, Any]]:
    """Run a program to its end and return the JSON lines that it wrote."""
    log = folder / f"{module}.log"
    with program(log, "-m", module, *map(str, arguments), PYTHONHASHSEED=hash_seed) as process:
        assert process.stdout is not None
        told = [json.loads(line) for line in process.stdout if line.startswith("{")]
        if process.wait():
            raise failed(process, log, what)
    return told
