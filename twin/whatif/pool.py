"""Scanning on one core, on many, or on a Ray cluster: the same function over the same parts, answers in order.

Processes share the state's arrays in one block of memory; each has scratch of its own. They are spawned, not
forked, since a fork of a process with threads may never wake up.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.shared_memory import SharedMemory
from typing import Any, NamedTuple

import numpy as np

from domain.errors import BadInput
from twin.whatif.base import arrays_of, scratch
from twin.whatif.compiled import Floats, Ints, Work
from twin.whatif.scan import Answers, State, scan


@dataclass(frozen=True, eq=False)
class Part:
    """Some scenarios: the links `links[rows[i]:rows[i + 1]]` fail together."""

    rows: Ints
    links: Ints


class Found(NamedTuple):
    """Per scenario: highest utilisation, its arc, Mbit/s cut off; overloaded arcs in `over` from `over_rows`."""

    utilisation: Floats
    worst: Ints
    lost: Floats
    over_rows: "np.ndarray[tuple[int], np.dtype[np.int64]]"
    over: Ints
    load: Floats


def scan_part(state: State, work: Work, part: Part, *, loads: bool = False) -> Found:
    """Answer the scenarios of a part; with `loads`, Mbit/s per arc as well."""
    count, arcs = len(part.rows) - 1, len(state.capacity)
    answers = Answers(
        utilisation=np.zeros(count),
        worst=np.zeros(count, np.int32),
        lost=np.zeros(count),
        over_rows=np.zeros(count + 1, np.int64),
        over=np.empty(count * arcs, np.int32),
        load=np.zeros((count, arcs) if loads else (0, 0)),
    )
    scan(state, part.rows, part.links, work, answers)
    over = answers.over[: answers.over_rows[-1]].copy()
    return Found(answers.utilisation, answers.worst, answers.lost, answers.over_rows, over, answers.load)


def scan_here(state: State, parts: Sequence[Part]) -> Iterator[Found]:
    """In this process."""
    work = scratch(state)
    for part in parts:
        yield scan_part(state, work, part)


def scan_in_processes(state: State, parts: Sequence[Part], workers: int) -> Iterator[Found]:
    """In so many processes of this machine."""
    with _shared(state) as (name, layout):
        context = get_context("spawn")
        with ProcessPoolExecutor(workers, context, initializer=_attach, initargs=(name, layout)) as pool:
            yield from pool.map(_scan_attached, parts)


def scan_with_ray(state: State, parts: Sequence[Part], workers: int) -> Iterator[Found]:
    """In so many actors of a Ray cluster (started here when none runs).

    Raises:
        BadInput: Ray is not installed.
    """
    try:
        ray = import_module("ray")
    except ImportError:
        raise BadInput("Ray is not installed; install the extra `ray`, or sweep with processes") from None
    if not ray.is_initialized():
        ray.init(include_dashboard=False, log_to_driver=False)
    layout, arrays = _layout(state), ray.put(arrays_of(state))
    actors = [ray.remote(Scanner).remote(layout, arrays) for _ in range(workers)]
    try:
        asked = [actors[at % workers].scan.remote(part) for at, part in enumerate(parts)]
        for answer in asked:
            yield ray.get(answer)
    finally:
        for actor in actors:
            ray.kill(actor)


class Scanner:
    """A worker that keeps the state.

    What comes from an object store cannot be written, and the kernels are compiled for arrays that can: so, copies.
    """

    def __init__(self, layout: "Layout", arrays: Sequence[Any]) -> None:
        self.state = _state(layout, iter([np.array(array) for array in arrays]))
        self.work = scratch(self.state)

    def scan(self, part: Part) -> Found:
        return scan_part(self.state, self.work, Part(part.rows.copy(), part.links.copy()))


#: Per field of `State`: its type and its numbers, and `None` for an array.
Layout = list[tuple[type, list[int | None]]]
Spot = tuple[int, str, tuple[int, ...]]


def _layout(state: State) -> Layout:
    found: Layout = []
    for part in state:
        if isinstance(part, np.ndarray):
            found.append((np.ndarray, [None]))
        else:
            found.append((type(part), [None if isinstance(each, np.ndarray) else int(each) for each in part]))
    return found


def _state(layout: Layout, arrays: Iterator[Any]) -> State:
    parts: list[Any] = []
    for kind, numbers in layout:
        values = [next(arrays) if number is None else number for number in numbers]
        parts.append(values[0] if kind is np.ndarray else kind(*values))
    return State(*parts)


@contextmanager
def _shared(state: State) -> Iterator[tuple[str, tuple[Layout, list[Spot]]]]:
    """Put the arrays into shared memory; yield its name, and what `_attach` needs to find them."""
    arrays, spots, end = arrays_of(state), list[Spot](), 0
    for array in arrays:
        spots.append((end, array.dtype.str, array.shape))
        end += (array.nbytes + 63) // 64 * 64
    memory = SharedMemory(create=True, size=max(1, end))
    try:
        for array, spot in zip(arrays, spots, strict=True):
            _view(memory, spot)[...] = array
        yield memory.name, (_layout(state), spots)
    finally:
        memory.close()
        memory.unlink()


def _view(memory: SharedMemory, spot: Spot) -> Any:
    start, dtype, shape = spot
    return np.ndarray(shape, np.dtype(dtype), memory.buf, start)


_ATTACHED: dict[str, Any] = {}


def _attach(name: str, found: tuple[Layout, list[Spot]]) -> None:
    layout, spots = found
    memory = SharedMemory(name)
    state = _state(layout, iter([_view(memory, spot) for spot in spots]))
    _ATTACHED.update(memory=memory, state=state, work=scratch(state))


def _scan_attached(part: Part) -> Found:
    return scan_part(_ATTACHED["state"], _ATTACHED["work"], part)
