"""Referential checks of an inventory: every name resolves, every name is used once, no dependency feeds itself.

The records themselves refuse impossible numbers (`domain.network`); here stand the rules between records.
`requirements` spells out what each part needs to work; the checks and the compiled topology share it.
"""

from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple, TypeAlias

from domain.errors import BadInput, TooLarge
from domain.network import ROUTING_KINDS, DependencyKind, Inventory, NodeKind

#: The most entries per part of an inventory; far above what one twin is meant for.
LIMITS = {
    "nodes": 50_000,
    "termination_points": 200_000,
    "links": 100_000,
    "dependencies": 200_000,
    "demands": 500_000,
    "slices": 10_000,
    "customers": 100_000,
    "services": 200_000,
}
_LONGEST_ID = 256

#: An element, or (`own`) a termination point seen without the link that ends in it.
Unit: TypeAlias = tuple[str, str]


class Requirement(NamedTuple):
    """`unit` works only while at least `needs` of `on` work; `reachable`: and can be reached from the core."""

    unit: Unit
    needs: int
    on: tuple[Unit, ...]
    reachable: bool = False


def requirements(inventory: Inventory) -> Iterator[Requirement]:
    """Yield all requirements: the declared dependencies and those that lie in the words themselves.

    A termination point needs its node; a link needs both of its ends; an end is up while its link is.
    """
    points = {point.id for point in inventory.termination_points}
    for point in inventory.termination_points:
        yield Requirement((point.id, "own"), 1, ((point.node, ""),))
        yield Requirement((point.id, ""), 1, ((point.id, "own"),))
    for link in inventory.links:
        ends = ((link.source, "own"), (link.destination, "own"))
        yield Requirement((link.id, ""), 2, ends)
        yield Requirement((link.source, ""), 1, ((link.id, ""),))
        yield Requirement((link.destination, ""), 1, ((link.id, ""),))
    for dependency in inventory.dependencies:
        unit = (dependency.dependent, "own" if dependency.dependent in points else "")
        on = tuple((name, "") for name in dependency.on)
        yield Requirement(unit, dependency.needs, on, dependency.kind is DependencyKind.SERVED_BY)


def check(inventory: Inventory) -> None:
    """Refuse an inventory that contradicts itself.

    Raises:
        TooLarge: a part has more entries than `LIMITS` allows.
        BadInput: an id is taken twice or names nothing, a value is impossible, or dependencies form a loop.
    """
    for part, most in LIMITS.items():
        if len(getattr(inventory, part)) > most:
            raise TooLarge(f"the inventory has more than {most} {part}; split the network into several twins")
    _check_ids(inventory)
    _check_links(inventory)
    _check_dependencies(inventory)
    _check_demands(inventory)
    _check_services(inventory)
    _check_loops(inventory)


def _check_ids(inventory: Inventory) -> None:
    seen: set[str] = set()
    for part in LIMITS:
        if part == "dependencies":
            continue
        for entry in getattr(inventory, part):
            if not 0 < len(entry.id) <= _LONGEST_ID:
                raise BadInput(f"the id `{entry.id[:40]}` in {part} must have 1 to {_LONGEST_ID} characters; rename it")
            if entry.id in seen:
                raise BadInput(f"the id `{entry.id}` is used twice; all elements share one namespace, rename one")
            seen.add(entry.id)


def _must_be(known: Iterable[str], name: str, whose: str, what: str) -> None:
    if name not in known:
        raise BadInput(f"{whose} names `{name}`, which is no {what} of this inventory; declare it or correct the name")


def _check_links(inventory: Inventory) -> None:
    nodes = {node.id for node in inventory.nodes}
    points = {point.id: point for point in inventory.termination_points}
    for point in inventory.termination_points:
        _must_be(nodes, point.node, f"termination point `{point.id}`", "node")
    taken: dict[str, str] = {}
    for link in inventory.links:
        for end in (link.source, link.destination):
            _must_be(points, end, f"link `{link.id}`", "termination point")
            if end in taken:
                raise BadInput(
                    f"termination point `{end}` ends both `{taken[end]}` and `{link.id}`; "
                    "write a two-way link once and give each link ends of its own"
                )
            taken[end] = link.id
        if points[link.source].node == points[link.destination].node:
            raise BadInput(f"link `{link.id}` leads from `{points[link.source].node}` to itself; remove it")


def _check_dependencies(inventory: Inventory) -> None:
    parts = (inventory.nodes, inventory.termination_points, inventory.links)
    physical = {entry.id for part in parts for entry in part}
    for dependency in inventory.dependencies:
        whose = f"the dependency of `{dependency.dependent}`"
        for name in (dependency.dependent, *dependency.on):
            _must_be(physical, name, whose, "node, termination point or link")
        if dependency.needs > len(set(dependency.on)):
            raise BadInput(f"{whose} needs {dependency.needs} of {len(set(dependency.on))}; lower `needs`")
        if len(set(dependency.on)) != len(dependency.on):
            raise BadInput(f"{whose} names an element twice in `on`; name it once")


def _check_demands(inventory: Inventory) -> None:
    routing = {node.id for node in inventory.nodes if node.kind in ROUTING_KINDS}
    slices = {entry.id for entry in inventory.slices}
    for demand in inventory.demands:
        whose = f"demand `{demand.id}`"
        ends = (demand.source, demand.destination) + ((demand.via,) if demand.via is not None else ())
        for name in ends:
            _must_be(routing, name, whose, "routing node")
        if demand.source == demand.destination:
            raise BadInput(f"{whose} starts and ends at `{demand.source}`; remove it")
        if demand.slice_id:
            _must_be(slices, demand.slice_id, whose, "slice")


def _check_services(inventory: Inventory) -> None:
    demands = {demand.id for demand in inventory.demands}
    cells = {node.id for node in inventory.nodes if node.kind is NodeKind.CELL}
    customers = {customer.id for customer in inventory.customers}
    slices = {entry.id for entry in inventory.slices}
    for service in inventory.services:
        whose = f"service `{service.id}`"
        _must_be(customers, service.customer, whose, "customer")
        if service.slice_id:
            _must_be(slices, service.slice_id, whose, "slice")
        for name in service.demands:
            _must_be(demands, name, whose, "demand")
        for name in service.cells:
            _must_be(cells, name, whose, "cell")


def _check_loops(inventory: Inventory) -> None:
    try:
        order(requirements(inventory))
    except CycleError as error:
        loop = list(dict.fromkeys(name for name, _ in error.args[1]))
        named = " → ".join(f"`{name}`" for name in [*loop[:12], loop[0]])
        raise BadInput(f"dependencies form a loop: {named}; remove one of them") from error


def order(needed: Iterable[Requirement]) -> list[Unit]:
    """Return all units so that each comes after what it needs. Raises graphlib.CycleError."""
    sorter: TopologicalSorter[Unit] = TopologicalSorter()
    for requirement in needed:
        sorter.add(requirement.unit, *requirement.on)
    return list(sorter.static_order())
