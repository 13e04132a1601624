"""Access lists: which entries never match, and what gets through.

An entry is a box: sources × destinations × transports × ports. It is dead when earlier entries together cover its box;
that is decided exactly on the grid that the earlier boxes' edges draw in it.
"""

from collections.abc import Iterator

import numpy as np

from domain.configuration import ANY, AccessEntry, AccessList, AccessVerdict, ProtectedFlow, Transport
from twin.configuration.view import Hit, View
from twin.configuration.wiring import block_of, number_of

_TRANSPORTS = (Transport.TCP, Transport.UDP, Transport.ICMP, Transport.IP)  # the last place stands for all others
#: Beyond so many overlapping earlier entries, only those that cover an entry alone are seen.
_MOST_OVERLAPS = 40

Span = tuple[int, int]
Box = tuple[Span, Span, Span, Span]


def _box(entry: AccessEntry) -> Box:
    """Return the half-open spans of an entry."""
    place = _TRANSPORTS.index(entry.transport)
    transports = (0, 4) if entry.transport is Transport.IP else (place, place + 1)
    ports = (0, 65_536) if entry.port is None else (entry.port, entry.port + 1)
    return _span(entry.source), _span(entry.destination), transports, ports


def _span(prefix: str) -> Span:
    if prefix == ANY:
        return 0, 1 << 32
    start, length = block_of(prefix)
    return start, start + (1 << (32 - length))


def _overlap(a: Box, b: Box) -> bool:
    return all(x[0] < y[1] and y[0] < x[1] for x, y in zip(a, b, strict=True))


def _inside(inner: Box, outer: Box) -> bool:
    return all(y[0] <= x[0] and x[1] <= y[1] for x, y in zip(inner, outer, strict=True))


def covering(access: AccessList, place: int) -> tuple[AccessEntry, ...]:
    """Return the earlier entries that leave nothing to the entry at a place; empty when it may match."""
    box = _box(access.entries[place])
    earlier = [(entry, _box(entry)) for entry in access.entries[:place]]
    alone = next((entry for entry, other in earlier if _inside(box, other)), None)
    if alone is not None:
        return (alone,)
    meeting = [(entry, other) for entry, other in earlier if _overlap(box, other)]
    if len(meeting) < 2 or len(meeting) > _MOST_OVERLAPS:
        return ()
    return tuple(entry for entry, _ in meeting) if _covered(box, [other for _, other in meeting]) else ()


def _covered(box: Box, others: list[Box]) -> bool:
    """Say whether boxes together cover a box: every cell of the grid that their edges draw in it."""
    if any(_inside(box, other) for other in others):
        return True
    if len(others) < 2:
        return False
    cuts = []
    for axis, (low, high) in enumerate(box):
        edges = {edge for other in others for edge in other[axis] if low < edge < high}
        cuts.append(np.array(sorted({low, high, *edges}), np.int64))
    grid = np.zeros([len(cut) - 1 for cut in cuts], np.bool_)
    for other in others:
        cells = tuple(
            slice(int(np.searchsorted(cut, max(low, cut[0]))), int(np.searchsorted(cut, min(high, cut[-1]))))
            for cut, (low, high) in zip(cuts, other, strict=True)
        )
        grid[cells] = True
    return bool(grid.all())


def acl_shadowed(view: View) -> Iterator[Hit]:
    """Yield each entry that never matches and would decide otherwise than those before it."""
    yield from _dead(view, contrary=True)


def acl_redundant(view: View) -> Iterator[Hit]:
    """Yield each entry that never matches, where those before it decide the same."""
    yield from _dead(view, contrary=False)


def _dead(view: View, *, contrary: bool) -> Iterator[Hit]:
    for name, router in view.routers.items():
        for access in router.access_lists:
            for place, entry in enumerate(access.entries):
                found = covering(access, place)
                if found and contrary == any(other.verdict is not entry.verdict for other in found):
                    by = ", ".join(str(other.sequence) for other in found)
                    message = f"entry {entry.sequence} of `{access.name}` at `{name}` never matches: {by} come first"
                    places = [(name, "access-list", access.name, str(each.sequence)) for each in (entry, *found)]
                    yield Hit(f"{name} {access.name} {entry.sequence}", message, tuple(places))


def box_of(flow: ProtectedFlow) -> Box:
    """Return the box of a flow."""
    source, destination = number_of(flow.source), number_of(flow.destination)
    ports = (0, 65_536) if flow.port is None else (flow.port, flow.port + 1)
    place = _TRANSPORTS.index(flow.transport)
    transports = (0, 4) if flow.transport is Transport.IP else (place, place + 1)
    return (source, source + 1), (destination, destination + 1), transports, ports


def admits(access: AccessList, flow: ProtectedFlow) -> bool:
    """Say whether any part of a flow gets through."""
    box, before = box_of(flow), list[Box]()
    for entry in access.entries:
        own = _box(entry)
        if _overlap(box, own):
            if entry.verdict is AccessVerdict.PERMIT and not (before and _covered(_clip(own, box), before)):
                return True
            before.append(own)
    return False


def deciding(access: AccessList, flow: ProtectedFlow) -> AccessEntry | None:
    """Return the entry that keeps a flow, or a part of it, out; None when all of it gets through.

    The end of a list denies, which has no entry: the last one stands for it.
    """
    box = box_of(flow)
    before: list[Box] = []
    for entry in access.entries:
        own = _box(entry)
        if _overlap(box, own):
            if entry.verdict is AccessVerdict.DENY and not (before and _covered(_clip(own, box), before)):
                return entry
            before.append(own)
            if entry.verdict is AccessVerdict.PERMIT and _covered(box, before):
                return None
    return access.entries[-1] if access.entries else AccessEntry(sequence=1, verdict=AccessVerdict.DENY)


def _clip(box: Box, frame: Box) -> Box:
    a, b, c, d = ((max(x[0], y[0]), min(x[1], y[1])) for x, y in zip(box, frame, strict=True))
    return a, b, c, d
