"""One scenario after the other, from a prepared base: which rows are hit, their repair, and what it amounts to."""

from typing import NamedTuple

import numpy as np

from twin.whatif.chains import close_window, open_window
from twin.whatif.compiled import (
    B1,
    CHAINS,
    F1,
    F2,
    FAR,
    GRAPH,
    I1,
    L1,
    LONG,
    NOTHING,
    REAL,
    ROWS,
    TYPES,
    U1,
    WORK,
    Chains,
    Flags,
    Floats,
    Graph,
    Ids,
    Ints,
    Longs,
    Rows,
    Work,
    compiled,
)
from twin.whatif.paths import unfold
from twin.whatif.repair import repair


class State(NamedTuple):
    """The present state as arrays, see `base.py`: `full` and `reduced` graph, each with its rows.

    Attributes:
        full: graph of all usable links.
        full_rows: rows on it.
        reduced: graph with chains as arcs.
        reduced_rows: rows on it; numbered after `full_rows`.
        chains: of `reduced`.
        full_at: per outside arc, its arc in `full` or -1.
        reduced_at: likewise in `reduced`; -1 also for what lies in a chain.
        user_rows: per place, where its rows begin in `users`.
        users: rows with flow over a place.
        load: per place, Mbit/s; those of chains are 0.
        capacity: per arc, Mbit/s.
        gone: per demand, -1 where it has no path even now, else 0.
    """

    full: Graph
    full_rows: Rows
    reduced: Graph
    reduced_rows: Rows
    chains: Chains
    full_at: Ints
    reduced_at: Ints
    user_rows: Ints
    users: Ints
    load: Floats
    capacity: Floats
    gone: Ints


class Answers(NamedTuple):
    """What a scan writes, per scenario.

    Attributes:
        utilisation: highest load over capacity.
        worst: the arc that has it, or -1.
        lost: Mbit/s cut off by the scenario.
        over_rows: where the overloaded arcs begin in `over` (one entry more than scenarios).
        over: overloaded arcs, ascending; must have room for all arcs in every scenario.
        load: (scenarios, arcs) Mbit/s, or (0, 0) when they are not wanted.
    """

    utilisation: Floats
    worst: Ints
    lost: Floats
    over_rows: Longs
    over: Ints
    load: Floats


STATE = TYPES.NamedTuple([GRAPH, ROWS, GRAPH, ROWS, CHAINS, I1, I1, I1, I1, F1, F1, I1], State)
ANSWERS = TYPES.NamedTuple([F1, I1, F1, L1, I1, F2], Answers)
#: Load over capacity above this counts as overload; the rest is rounding.
OVERLOAD = 1 + 1e-6


@compiled(LONG(WORK, I1, LONG, LONG))
def _fail(work: Work, metric: Ints, count: int, arc: int) -> int:
    """Add an arc unless it is there already (two links of one chain are one arc outside it); return the count."""
    if metric[arc] >= FAR:
        return count
    work.failed[count], work.length[count] = arc, metric[arc]
    metric[arc] = FAR
    return count + 1


@compiled(LONG(STATE, I1, WORK, I1))
def _fail_full(state: State, links: Ints, work: Work, metric: Ints) -> int:
    """Let the arcs of the full graph fail that failed links are; return how many are in `work.failed`."""
    count = 0
    for link in links:
        if state.full_at[2 * link] >= 0:
            count = _fail(work, metric, count, state.full_at[2 * link])
            count = _fail(work, metric, count, state.full_at[2 * link + 1])
    return count


@compiled(LONG(STATE, I1, LONG, WORK, I1))
def _fail_reduced(state: State, links: Ints, chain: int, work: Work, metric: Ints) -> int:
    """Likewise in the reduced graph, with the window open for `chain` (-1: closed)."""
    chains, count = state.chains, 0
    for link in links:
        if state.full_at[2 * link] < 0:
            continue
        own, at = chains.link_chain[link], chains.link_position[link]
        if own < 0:
            onward, home = state.reduced_at[2 * link], state.reduced_at[2 * link + 1]
        elif own != chain:
            onward, home = chains.left[own], chains.right[own]
        else:
            last = at == chains.first[own + 1] - chains.first[own] - 1 and not chains.dead_end[own]
            onward = chains.left[own] if at == 0 else chains.slot + 2 * at - 1
            home = chains.right[own] if last else chains.slot + 2 * at
        count = _fail(work, metric, count, onward)
        count = _fail(work, metric, count, home)
    return count


@compiled(NOTHING(WORK, I1, LONG))
def _heal(work: Work, metric: Ints, count: int) -> None:
    for at in range(count):
        metric[work.failed[at]] = work.length[at]


@compiled(TYPES.UniTuple(LONG, 2)(STATE, I1, B1, U1))
def _rows_hit(state: State, links: Ints, seen: Flags, hit: Ids) -> tuple[int, int]:
    """Write the rows that have flow over a failed link, each once; `seen` is clean before and after.

    Returns how many rows of the full graph there are, at the beginning of `hit`, and of the reduced one, at its end.
    """
    few = many = 0
    arcs, first, end = len(state.full_at), len(state.full_rows.goal), len(hit)
    for link in links:
        if state.full_at[2 * link] < 0:
            continue
        own = state.chains.link_chain[link]
        for side in range(4 if own >= 0 else 2):
            place = 2 * link + side if side < 2 else arcs + 2 * own + side - 2
            for at in range(state.user_rows[place], state.user_rows[place + 1]):
                row = state.users[at]
                if seen[row]:
                    continue
                seen[row] = True
                if row < first:
                    hit[few] = row
                    few += 1
                else:
                    many += 1
                    hit[end - many] = row
    for at in range(few):
        seen[hit[at]] = False
    for at in range(end - many, end):
        seen[hit[at]] = False
    return few, many


@compiled(NOTHING(STATE, F1, I1, LONG, ANSWERS))
def _sum_up(state: State, load: Floats, links: Ints, at: int, answers: Answers) -> None:
    arcs = len(state.capacity)
    for link in links:
        load[2 * link] = 0.0
        load[2 * link + 1] = 0.0
    worst, highest, over = -1, 0.0, answers.over_rows[at]
    for arc in range(arcs):
        used = load[arc] / state.capacity[arc]
        if used > highest:
            worst, highest = arc, used
        if used > OVERLOAD:
            answers.over[over] = arc
            over += 1
    answers.utilisation[at], answers.worst[at], answers.over_rows[at + 1] = highest, worst, over
    if len(answers.load) > 0:
        for arc in range(arcs):
            answers.load[at, arc] = load[arc]


class Room(NamedTuple):
    """Scratch of a scan: both graphs, to be altered; which rows are seen and hit; load per place; see `repair`."""

    full: Graph
    reduced: Graph
    seen: Flags
    hit: Ids
    load: Floats
    gone: Ints
    saved: Ints


ROOM = TYPES.NamedTuple([GRAPH, GRAPH, B1, U1, F1, I1, I1], Room)


@compiled(REAL(STATE, I1, LONG, WORK, ROOM))
def _answer(state: State, down: Ints, mark: int, work: Work, room: Room) -> float:
    """Repair all rows that failed links touch; return the Mbit/s that are cut off. `room.load` is what flows then."""
    full, reduced, hit, load, gone = room.full, room.reduced, room.hit, room.load, room.gone
    first, lost = len(state.full_rows.goal), 0.0
    few, many = _rows_hit(state, down, room.seen, hit)
    if few > 0:
        count = _fail_full(state, down, work, full.metric)
        lost += repair(full, state.full_rows, hit[:few], 0, count, work, load, gone, mark)
        _heal(work, full.metric, count)
    at, end = len(hit) - many, len(hit)
    while at < end:  # the rows of one chain side by side
        chain, begin = state.reduced_rows.chain[hit[at] - first], at
        while at < end and state.reduced_rows.chain[hit[at] - first] == chain:
            at += 1
        if chain >= 0:
            open_window(reduced, state.chains, chain, room.saved)
        count = _fail_reduced(state, down, chain, work, reduced.metric)
        lost += repair(reduced, state.reduced_rows, hit[begin:at], first, count, work, load, gone, mark)
        _heal(work, reduced.metric, count)
        if chain >= 0:
            close_window(reduced, state.chains, chain, room.saved)
    unfold(state.chains, load, len(state.capacity))
    return lost


@compiled(NOTHING(STATE, I1, I1, WORK, ROOM, ANSWERS))
def _scan(state: State, link_rows: Ints, links: Ints, work: Work, room: Room, answers: Answers) -> None:
    for at in range(len(link_rows) - 1):
        down = links[link_rows[at] : link_rows[at + 1]]
        for place in range(len(state.load)):
            room.load[place] = state.load[place]
        answers.lost[at] = _answer(state, down, at + 1, work, room)
        _sum_up(state, room.load, down, at, answers)


@compiled(NOTHING(STATE, I1, I1, WORK, ANSWERS), allocates=True)
def scan(state: State, link_rows: Ints, links: Ints, work: Work, answers: Answers) -> None:
    """Answer each scenario: the links `links[link_rows[i]:link_rows[i + 1]]` fail, and routing has converged.

    `state` is not altered; `work` must have room for the larger graph's nodes and arcs.
    """
    # metrics of failed arcs and the window are written into the graphs, so what of them is altered is copied
    full, reduced = state.full, state.reduced
    rows = len(state.full_rows.goal) + len(state.reduced_rows.goal)
    room = Room(
        Graph(full.rows, full.head, full.metric.copy(), full.back, full.place),
        Graph(reduced.rows, reduced.head.copy(), reduced.metric.copy(), reduced.back.copy(), reduced.place.copy()),
        np.zeros(rows, np.bool_),
        np.empty(rows, np.uint32),
        np.empty_like(state.load),
        state.gone.copy(),
        np.empty(4, np.int32),
    )
    answers.over_rows[0] = 0
    _scan(state, link_rows, links, work, room, answers)
