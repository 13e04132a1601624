"""The one object that every bench returns, and the sums that several of them need."""

import os
import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from domain.errors import Unavailable

Figures = dict[str, Any]


def result(
    bench: str, figures: Figures, baselines: Mapping[str, Figures], conditions: Mapping[str, Any], started: float
) -> dict[str, Any]:
    """Return the object of a bench. `started` is `perf_counter()` of its beginning.

    Raises:
        Unavailable: a table is empty or a figure is missing: such a bench has not measured what it says.
    """
    for name, table in {"figures": figures, **baselines}.items():
        require_full(f"{bench}: {name}", table)
    if not baselines:
        raise _nothing(f"{bench}: baselines")
    return {
        "bench": bench,
        "figures": figures,
        "baselines": dict(baselines),
        "conditions": machine() | dict(conditions),
        "seconds": round(perf_counter() - started, 1),
    }


def require_full(name: str, table: Figures) -> None:
    """Refuse a table without figures, or with one that is no number."""
    found = list(leaves(table))
    if not found:
        raise _nothing(name)
    for path, value in found:
        if value is None or (isinstance(value, float) and not np.isfinite(value)):
            raise _nothing(f"{name}.{path}")


def leaves(table: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Return every figure of a nested table with its path; an empty inner table is a figure that is missing."""
    for name, value in table.items():
        here = f"{path}.{name}" if path else name
        if isinstance(value, Mapping) and value:
            yield from leaves(value, here)
        else:
            yield here, None if isinstance(value, Mapping) else value


def quantile(values: Sequence[float], share: float) -> float | None:
    """Return the smallest value that at least `share` of the values do not exceed (nearest rank), or None."""
    if not values:
        return None
    return round(float(np.quantile(values, share, method="inverted_cdf")), 4)


def machine() -> dict[str, Any]:
    """Return what the figures were measured on."""
    return {
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "python": platform.python_version(),
        "platform": sys.platform,
        "load_before": round(os.getloadavg()[0], 2),
    }


def resident_mb(pid: int | str = "self") -> float:
    """Return the resident memory of a process in MB (10^6 bytes).

    Raises:
        Unavailable: this machine does not tell, or the process is gone.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
    except (OSError, StopIteration):
        raise Unavailable(f"the memory of process `{pid}` cannot be read; run this bench on Linux") from None
    return round(int(kilobytes) * 1024 / 1e6, 1)


def fsync_ms(folder: Path, times: int = 20) -> float:
    """Return how long the folder's disk takes, in the median, to make 4 KB durable: what a commit costs at least."""
    took = []
    with (folder / "fsync").open("wb") as file:
        for _ in range(times):
            file.write(bytes(4096))
            file.flush()
            started = perf_counter()
            os.fsync(file.fileno())
            took.append(perf_counter() - started)
    return round(1000 * float(np.median(took)), 3)


def _nothing(name: str) -> Unavailable:
    return Unavailable(
        f"nothing was measured for `{name}`; see the progress on standard error", code="nothing_measured"
    )
