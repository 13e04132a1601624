"""Many cases of blast radius on many networks, each network with a house and a plant of its own.

    python -m benchmarks.blast_campaign SEED…

It plays the networks of these seeds, and writes one JSON line per fault: `{"row": …}`, or `{"missed": why}` where the
fault led to no plan that was carried out. `campaign` runs several such processes.
"""

from api.threads import limit_threads

limit_threads()

import json  # noqa: E402  # numpy must not come in before the threads are limited
import sys  # noqa: E402
import tempfile  # noqa: E402
import threading  # noqa: E402
from collections.abc import Callable, Iterator, Sequence  # noqa: E402
from concurrent.futures import ThreadPoolExecutor  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any, NamedTuple  # noqa: E402

import numpy as np  # noqa: E402

from api import logs  # noqa: E402
from benchmarks.blast_case import Cases, Row  # noqa: E402
from benchmarks.blast_house import driven_house  # noqa: E402
from benchmarks.processes import failed, program  # noqa: E402
from domain.clock import SystemClock  # noqa: E402
from domain.diagnosis import FaultKind  # noqa: E402

#: The seeds of networks that a calibration is learnt on, and of those that it is measured on: none is in both. From
#: `_STEERED` in the thousand on, networks are larger and congested only: small ones have hardly a detour to offer, and
#: of these about every second one.
LEARNT_ON = (*range(1001, 1061), *range(1101, 1129), *range(5001, 5019), *range(5101, 5116))
MEASURED_ON = (*range(9001, 9031), *range(9101, 9116))
_STEERED = 100
_SIZES, _STEERED_SIZES = (60, 80, 100, 120, 160), (200,)
#: What happens on each network, in order: every class of repair comes up.
STORY = (
    *(FaultKind.INTERFACE_LOCKED, FaultKind.LINK_DEGRADED, FaultKind.CONGESTION, FaultKind.CELL_LOCKED),
    *(FaultKind.LINK_DOWN, FaultKind.CONGESTION, FaultKind.PROCESS_HUNG, FaultKind.LINK_DEGRADED),
    *(FaultKind.INTERFACE_LOCKED, FaultKind.CONGESTION, FaultKind.CELL_SLEEPING, FaultKind.NODE_DOWN),
    *(FaultKind.CELL_LOCKED, FaultKind.CONGESTION, FaultKind.LINK_DEGRADED, FaultKind.PROCESS_HUNG),
    *(FaultKind.INTERFACE_LOCKED, FaultKind.CONGESTION, FaultKind.POWER_LOST, FaultKind.CELL_LOCKED),
    *(FaultKind.CONGESTION, FaultKind.LINK_DEGRADED),
)
_CONGESTED = (FaultKind.CONGESTION,) * 16
#: How long a crew travels on a network, and how long houses wait for what one does, in seconds.
_CREW_S, _PATIENCE_S = (2.0, 9.0), 20.0
_BASELINE_S = 3.0

Progress = Callable[[int, int], None]


class Ground(NamedTuple):
    """Where cases are played, and which."""

    network: str
    seed: int
    crew_s: float
    story: tuple[FaultKind, ...] = STORY


def ground_of(seed: int) -> Ground:
    """Return the network of a seed: sizes take turns, and how far crews have to travel is drawn."""
    rng = np.random.default_rng([seed, 0xB1A])
    steered = seed % 1000 > _STEERED
    sizes = _STEERED_SIZES if steered else _SIZES
    crew_s = round(float(rng.uniform(*_CREW_S)), 2)
    return Ground(f"generated:{sizes[seed % len(sizes)]}", seed, crew_s, _CONGESTED if steered else STORY)


def played(ground: Ground) -> Iterator[Row | str]:
    """Play the story on one network; yield each case, or why a fault made none."""
    with (
        tempfile.TemporaryDirectory(prefix="nocturne-blast-", ignore_cleanup_errors=True) as folder,
        driven_house(Path(folder), ground.network, ground.seed, ground.crew_s, _PATIENCE_S) as driven,
    ):
        driven.live(_BASELINE_S)
        cases = Cases(driven, ground.network, ground.seed)
        for number, kind in enumerate(ground.story):
            yield cases.case(number, kind)


def campaign(folder: Path, seeds: Sequence[int], progress: Progress, *, processes: int = 2) -> list[Row]:
    """Play the story on every network, in several processes; return the cases in the order of seeds.

    Args:
        folder: gets `cases-N.jsonl` of each process, and their logs.
        seeds: of the networks.
        progress: told how many faults were played, of how many.
        processes: how many are at work at once.

    Raises:
        Unavailable: a process did not run to its end.
    """
    folder.mkdir(parents=True, exist_ok=True)
    told, lock, rows = [0], threading.Lock(), list[Row]()
    faults = faults_on(seeds)

    def work(number: int) -> None:
        log, kept = folder / f"campaign-{number}.log", folder / f"cases-{number}.jsonl"
        asked = map(str, seeds[number::processes])
        with program(log, "-m", "benchmarks.blast_campaign", *asked) as process, kept.open("w") as file:
            assert process.stdout is not None
            for line in process.stdout:
                file.write(line)
                file.flush()
                with lock:
                    told[0] += 1
                    rows.extend(read_rows([line]))
                    progress(told[0], faults)
            if process.wait():
                raise failed(process, log, "a campaign")

    with ThreadPoolExecutor(processes) as pool:
        for done in [pool.submit(work, number) for number in range(min(processes, len(seeds)))]:
            done.result()
    return sorted(rows, key=lambda row: (row.seed, row.case))


def faults_on(seeds: Sequence[int]) -> int:
    """Return how many faults are played on these networks."""
    return sum(len(ground_of(seed).story) for seed in seeds)


def read_rows(lines: Sequence[str]) -> list[Row]:
    """Return the cases among the lines that campaigns wrote."""
    said: list[dict[str, Any]] = [json.loads(line) for line in lines if line.startswith("{")]
    return [Row.model_validate(entry["row"]) for entry in said if "row" in entry]


def main() -> None:
    """Play the networks that the command line asks for."""
    logs.configure("error", SystemClock())
    for seed in map(int, sys.argv[1:]):
        ground = ground_of(seed)
        for number, came in enumerate(played(ground)):
            said = {"row": came.model_dump(mode="json")} if isinstance(came, Row) else {"missed": came}
            fault = str(ground.story[number])
            sys.stdout.write(json.dumps(said | {"fault": fault, "seed": seed, "case": number}) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
