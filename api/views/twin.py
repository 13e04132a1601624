"""What the twin believes, and what would follow, on one screen."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from api.views.text import plain
from domain.rehearsal import TwinFidelity

_SHOWN = 12


def twin_view(found: Mapping[str, Any]) -> RenderableType:
    """Return size, impact and busiest links of the network as it is believed to be."""
    head = f"{plain(found['name'])}: {found['nodes']} nodes, {found['links']} links, {found['demands']} demands"
    return Group(
        Text(head),
        Text(_origin(found["believed"])),
        *_impacts([("now", found["impact"])]),
        _links(found["busiest"], compared=False),
    )


def whatif_view(found: Mapping[str, Any]) -> RenderableType:
    """Return what would be worse and better, beside the network as it is believed to be."""
    return Group(
        *_impacts([("now", found["now"]), ("then", found["then"])]),
        Text(_named("worse off", found["worse"])),
        Text(_named("better off", found["better"])),
        _links(found["busiest"], compared=True),
        Text(_origin(found["believed"])),
    )


def steering_view(found: Mapping[str, Any]) -> RenderableType:
    """Return the moves, and the fullest link now, after them, at best and after one failure more."""
    worth = Table(box=None, pad_edge=False)
    worth.add_column("fullest link")
    worth.add_column("", justify="right")
    for name, key in (("now", "now"), ("after", "after"), ("optimum", "optimum"), ("N-1 after", "after_failure")):
        value = found[key]
        failing = f"  ({plain(found['failing'])})" if key == "after_failure" and found["failing"] else ""
        worth.add_row(name, "not worked out" if value is None else f"{value:.1%}{failing}")
    moves = Table(box=None, pad_edge=False)
    for name in ("demand", "goes through", "instead of"):
        moves.add_column(name)
    for move in found["moves"]:
        moves.add_row(plain(move["demand"]), *(plain(move[key] or "the shortest way") for key in ("via", "previous")))
    told = moves if found["moves"] else Text("No move would help.")
    lost = [Text(_named("no way carries", found["unrouted"]))] if found["unrouted"] else []
    return Group(worth, told, *lost, Text(f"by {plain(found['method'])}; {_origin(found['believed'])}"))


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
        Text(_origin(answer["believed"])),
    )


def _origin(believed: Mapping[str, Any]) -> str:
    fidelity = TwinFidelity.model_validate(believed["fidelity"])
    return f"from {plain(believed['source'])}, {plain(believed['digest'])[:12]}; {plain(fidelity.reason, 400)}"


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
