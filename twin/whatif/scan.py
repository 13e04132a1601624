"""One scenario after the other, from a prepared base: which rows are hit, their repair, and what it amounts to."""

from typing import NamedTuple

import numpy as np

from twin.whatif.chains import close_window, open_window
from twin.whatif.compiled import (
    B1,
    CHAINS,
    F1,
    F2,
    GRAPH,
    I1,
    L1,
    LONG,
    NOTHING,
    REAL,
    ROWS,
    TYPES,
    WORK,
    Chains,
    Flags,
    Floats,
    Graph,
    Ints,
    Longs,
    Rows,
    Work,
    compiled,
    lent,
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


@compiled(LONG(I1, B1, LONG, LONG))
def _fail(failed: Ints, dead: Flags, count: int, arc: int) -> int:
    """Add an arc unless it is there already (two links of one chain are one arc outside it); return the count."""
    if dead[arc]:
        return count
    dead[arc] = True
    failed[count] = arc
    return count + 1


@compiled(LONG(STATE, I1, I1, B1))
def _fail_full(state: State, links: Ints, failed: Ints, dead: Flags) -> int:
    """Mark the arcs of `full` that failed links are; return how many are in `failed`."""
    count = 0
    for link in links:
        if state.full_at[2 * link] >= 0:
            count = _fail(failed, dead, count, state.full_at[2 * link])
            count = _fail(failed, dead, count, state.full_at[2 * link + 1])
    return count


@compiled(LONG(STATE, I1, LONG, I1, B1))
def _fail_reduced(state: State, links: Ints, chain: int, failed: Ints, dead: Flags) -> int:
    """Mark the arcs of `reduced` that failed links are, with the window open for `chain` (-1: closed)."""
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
        count = _fail(failed, dead, count, onward)
        count = _fail(failed, dead, count, home)
    return count


@compiled(NOTHING(I1, B1, LONG))
def _heal(failed: Ints, dead: Flags, count: int) -> None:
    for at in range(count):
        dead[failed[at]] = False


@compiled(LONG(STATE, I1, B1, I1))
def _rows_hit(state: State, links: Ints, seen: Flags, hit: Ints) -> int:
    """Write the rows that have flow over a failed link, each once; `seen` is clean before and after."""
    count = 0
    arcs = len(state.full_at)
    for link in links:
        if state.full_at[2 * link] < 0:
            continue
        own = state.chains.link_chain[link]
        for side in range(4 if own >= 0 else 2):
            place = 2 * link + side if side < 2 else arcs + 2 * own + side - 2
            for at in range(state.user_rows[place], state.user_rows[place + 1]):
                row = state.users[at]
                if not seen[row]:
                    seen[row] = True
                    hit[count] = row
                    count += 1
    for at in range(count):
        seen[hit[at]] = False
    return count


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
        answers.load[at] = load[:arcs]


class Room(NamedTuple):
    """Scratch of a scan: which rows are seen and hit, dead arcs of both graphs, load per place, see `repair`."""

    seen: Flags
    hit: Ints
    full_dead: Flags
    reduced_dead: Flags
    load: Floats
    gone: Ints
    saved: Ints


ROOM = TYPES.NamedTuple([B1, I1, B1, B1, F1, I1, I1], Room)


@compiled(REAL(STATE, GRAPH, I1, LONG, WORK, ROOM))
def _answer(state: State, reduced: Graph, down: Ints, mark: int, work: Work, room: Room) -> float:
    """Repair all rows that failed links touch; return the Mbit/s that are cut off. `room.load` is what flows then."""
    first, lost = len(state.full_rows.goal), 0.0
    hit, load, gone = room.hit, room.load, room.gone
    hits = _rows_hit(state, down, room.seen, hit)
    count = _fail_full(state, down, work.failed, room.full_dead)
    for number in range(hits):
        if hit[number] < first:
            lost += repair(state.full, state.full_rows, hit[number], room.full_dead, count, work, load, gone, mark)
    _heal(work.failed, room.full_dead, count)
    view, count = -2, 0  # for which chain the window is open, -1: it is closed, -2: nothing has failed yet
    for number in range(hits):
        row = hit[number] - first
        if row < 0:
            continue
        chain = state.reduced_rows.chain[row]
        if chain != view:
            _heal(work.failed, room.reduced_dead, count)
            if view >= 0:
                close_window(reduced, state.chains, view, room.saved)
            if chain >= 0:
                open_window(reduced, state.chains, chain, room.saved)
            count, view = _fail_reduced(state, down, chain, work.failed, room.reduced_dead), chain
        lost += repair(reduced, state.reduced_rows, row, room.reduced_dead, count, work, load, gone, mark)
    _heal(work.failed, room.reduced_dead, count)
    if view >= 0:
        close_window(reduced, state.chains, view, room.saved)
    unfold(state.chains, load, len(state.capacity))
    return lost


@compiled(NOTHING(STATE, GRAPH, I1, I1, WORK, ROOM, ANSWERS))
def _scan(state: State, reduced: Graph, link_rows: Ints, links: Ints, work: Work, room: Room, answers: Answers) -> None:
    state, reduced, links, work, room = lent(state), lent(reduced), lent(links), lent(work), lent(room)
    for at in range(len(link_rows) - 1):
        down = links[link_rows[at] : link_rows[at + 1]]
        room.load[:] = state.load
        answers.lost[at] = _answer(state, reduced, down, at + 1, work, room)
        _sum_up(state, room.load, down, at, answers)


@compiled(NOTHING(STATE, I1, I1, WORK, ANSWERS))
def scan(state: State, link_rows: Ints, links: Ints, work: Work, answers: Answers) -> None:
    """Answer each scenario: the links `links[link_rows[i]:link_rows[i + 1]]` fail, and routing has converged.

    `state` is not altered; `work` must have room for the larger graph's nodes and arcs.
    """
    # the window is written into the reduced graph, so it is copied: it is small
    reduced = Graph(
        state.reduced.rows,
        state.reduced.head.copy(),
        state.reduced.metric.copy(),
        state.reduced.back.copy(),
        state.reduced.place.copy(),
    )
    rows = len(state.full_rows.goal) + len(state.reduced_rows.goal)
    room = Room(
        np.zeros(rows, np.bool_),
        np.empty(rows, np.int32),
        np.zeros(len(state.full.head), np.bool_),
        np.zeros(len(reduced.head), np.bool_),
        np.empty_like(state.load),
        state.gone.copy(),
        np.empty(4, np.int32),
    )
    answers.over_rows[0] = 0
    _scan(state, reduced, link_rows, links, work, room, answers)
