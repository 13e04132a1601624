"""What the twin believes, and what would follow, on one screen."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from api.views.text import plain

_SHOWN = 12
#: Title, key in `twin.consequences.ServiceLevels`, and how it is written.
_LEVELS = (
    ("worst delay ms", "max_delay_ms", ".1f"),
    ("demands late", "demands_late", "d"),
    ("slices late", "slices_late", "d"),
    ("customers late", "customers_late", "d"),
    ("held back Mbit/s", "held_back_mbps", ".1f"),
    ("cells too full", "cells_overloaded", "d"),
    ("users unserved", "users_unserved", "d"),
    ("radio lost Mbit/s", "radio_lost_mbps", ".1f"),
)
_OF_RADIO = frozenset({"cells_overloaded", "users_unserved", "radio_lost_mbps"})


def twin_view(found: Mapping[str, Any]) -> RenderableType:
    """Return size, impact and busiest links of the network as it is believed to be."""
    head = f"{plain(found['name'])}: {found['nodes']} nodes, {found['links']} links, {found['demands']} demands"
    return Group(
        Text(head),
        Text(origin(found["believed"])),
        *_impacts([("now", found["impact"])]),
        *_levels([("now", found["levels"])]),
        _links(found["busiest"], compared=False),
    )


def whatif_view(found: Mapping[str, Any]) -> RenderableType:
    """Return what would be worse and better, beside the network as it is believed to be."""
    return Group(
        *_impacts([("now", found["now"]), ("then", found["then"])]),
        *_levels([("now", found["levels_now"]), ("then", found["levels_then"])]),
        *map(Text, _rounds(found["rounds"])),
        Text(_named("worse off", found["worse"])),
        Text(_named("better off", found["better"])),
        _links(found["busiest"], compared=True),
        Text(origin(found["believed"])),
    )


def steering_view(found: Mapping[str, Any]) -> RenderableType:
    """Return the moves, the fullest link now, after them, at best and after one failure more, and whom they harm."""
    worth = Table(box=None, pad_edge=False)
    worth.add_column("fullest link")
    worth.add_column("", justify="right")
    for name, key in (("now", "now"), ("after", "after"), ("optimum", "optimum"), ("N-1 after", "after_failure")):
        value = found[key]
        failing = f"  ({plain(found['failing'])})" if key == "after_failure" and found["failing"] else ""
        worth.add_row(name, "not worked out" if value is None else f"{value:.1%}{failing}")
    for name, plan in (("greedy", found["shadow"]["greedy"]), ("learner, in shadow", found["shadow"]["learner"])):
        worth.add_row(name, "not asked" if plan is None else f"{plan['after']:.1%}  ({len(plan['moves'])} moves)")
    moves = Table(box=None, pad_edge=False)
    for name in ("demand", "goes through", "instead of"):
        moves.add_column(name)
    for move in found["moves"]:
        ways = ((move["via"], move["share"]), (move["previous"], move["previous_share"]))
        moves.add_row(plain(move["demand"]), *(_way(*way) for way in ways))
    told = moves if found["moves"] else Text("No move would help.")
    lost = [Text(_named("no way carries", found["unrouted"]))] if found["unrouted"] else []
    lost += [Text(f"lost: {found['lost_now']:.1f} Mbit/s now, {found['lost_after']:.1f} after")]
    lost += [Text(_named("would be late", found["late_after"]))] if found["late_after"] else []
    last = Text(f"by {plain(found['method'])}; {origin(found['believed'])}")
    return Group(worth, told, *lost, last, *_shadow(found["shadow"]))


def _shadow(shadow: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Yield what the learner would do, where it would do something, and why nobody follows it."""
    version = f"{plain(shadow['version'])} " if shadow["version"] else ""
    yield Text(f"learner {version}{plain(shadow['note'], 400)}")
    plan = shadow["learner"]
    if plan is None or not plan["moves"]:
        return
    table = Table(box=None, pad_edge=False)
    for name in ("in shadow: demand", "would go through"):
        table.add_column(name)
    for move in plan["moves"]:
        table.add_row(plain(move["demand"]), _way(move["via"], move.get("share", 1)))
    yield table


def _way(via: str | None, share: float) -> str:
    """Return what a policy does with a demand: the rest of a share goes the shortest way."""
    if via is None:
        return "the shortest way"
    return plain(via) if share == 1 else f"{plain(via)} ({share:.0%} of it)"


def sweep_view(answer: Mapping[str, Any]) -> RenderableType:
    """Return the worst failures of a sweep, and how many would overload a link or cut traffic off."""
    found = answer["found"]
    table = Table(box=None, pad_edge=False)
    table.add_column("fails")
    for name in ("lost Mbit/s", "fullest link", "full links"):
        table.add_column(name, justify="right")
    table.add_column("which is fullest")
    for each in found["worst"][:_SHOWN]:
        cells = f"{each['lost_mbps']:.1f}", f"{each['max_utilisation']:.0%}", str(each["overloaded"])
        table.add_row(plain(each["name"]), *cells, plain(each["fullest"]))
    counts = f"{found['overloading']} would overload a link, {found['losing']} would cut traffic off"
    return Group(
        table,
        Text(f"{found['scenarios']} failures in {found['seconds']:.2f} s: {counts}"),
        Text(origin(answer["believed"])),
    )


def origin(believed: Mapping[str, Any]) -> str:
    """Return in one line which state an answer is of, and how far the twin is off."""
    source, digest = plain(believed["source"]), plain(believed["digest"])[:12]
    return f"from {source}, {digest}; {plain(believed['fidelity']['reason'], 400)}"


def _impacts(rows: Sequence[tuple[str, Mapping[str, Any] | None]]) -> Iterator[RenderableType]:
    if any(impact is None for _, impact in rows):
        return  # only who sees the whole network is shown what is of the whole network
    table = Table(box=None, pad_edge=False)
    for name in ("", "lost Mbit/s", "busiest link", "overloaded", "down", "demands hit", "customers hit", "cells down"):
        table.add_column(name, justify="right" if name else "left")
    for name, impact in rows:
        if impact is not None:
            lists = ("overloaded", "unavailable", "demands_hit", "customers_hit", "cells_down")
            counts = [str(len(impact[each])) for each in lists]
            table.add_row(name, f"{impact['lost_mbps']:.1f}", f"{impact['max_utilisation']:.0%}", *counts)
    yield table


def _levels(rows: Sequence[tuple[str, Mapping[str, Any] | None]]) -> Iterator[RenderableType]:
    """Yield delays, what elastic traffic goes without, and radio, as far as the network declares what they need."""
    known = [(name, levels) for name, levels in rows if levels is not None]
    radio = _OF_RADIO if any(levels["users_unserved"] is not None for _, levels in known) else frozenset()
    shown = [each for each in _LEVELS if each[1] in radio or any(levels[each[1]] for _, levels in known)]
    if not shown:
        return
    table = Table(box=None, pad_edge=False)
    for title in ("", *(title for title, _, _ in shown)):
        table.add_column(title, justify="right" if title else "left")
    for name, levels in known:
        table.add_row(name, *(_level(levels[key], form) for _, key, form in shown))
    yield table
    last = known[-1][1]
    if last["demands_late"]:
        yield Text(_named("later than promised", [*last["slices_late"], *last["demands_late"]]))


def _level(value: float | Sequence[str] | None, form: str) -> str:
    if value is None:
        return "-"
    return format(value if isinstance(value, int | float) else len(value), form)


def _rounds(rounds: Sequence[Sequence[str]] | None) -> Iterator[str]:
    if rounds is None:
        return
    for number, fallen in enumerate(rounds, 1):
        yield _named(f"round {number}, too full to stay up", fallen)
    if not rounds:
        yield "no link is so full that it would drop out"


def _named(label: str, elements: Sequence[str]) -> str:
    shown = ", ".join(plain(element) for element in elements[:_SHOWN])
    more = f" and {len(elements) - _SHOWN} more" if len(elements) > _SHOWN else ""
    return f"{label}: {shown + more if elements else 'nothing'}"


def _links(loads: Sequence[Mapping[str, Any]], *, compared: bool) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("busiest links")
    table.add_column("now", justify="right")
    if compared:
        table.add_column("then", justify="right")
    for load in loads[:_SHOWN]:
        then = (f"{load['then']:.0%}",) if compared else ()
        table.add_row(plain(load["link"]), f"{load['now']:.0%}", *then)
    return table
