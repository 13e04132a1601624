"""What an inventory may declare for the physics: batteries of power nodes, radio of cells, elastic classes."""

from collections.abc import Iterable, Iterator, Mapping

from domain.errors import BadInput
from domain.network import Inventory, Node, NodeKind
from twin.integrity import Requirement


def check_declared(inventory: Inventory) -> None:
    """Refuse declarations that no law could use, rather than predict nothing from them silently.

    Raises:
        BadInput: a battery at what is no power node, radio at what is no cell, or a cell with radio that has no
            position.
    """
    for node in inventory.nodes:
        if node.battery_hours and node.kind is not NodeKind.POWER:
            raise BadInput(f"`{node.id}` has a battery and is no power node; declare it at the power node of its site")
        if node.radio is not None:
            _check_radio(node)


def _check_radio(node: Node) -> None:
    if node.kind is not NodeKind.CELL:
        raise BadInput(f"`{node.id}` has radio and is no cell; declare it at the cell")
    if node.latitude is None or node.longitude is None:
        raise BadInput(f"cell `{node.id}` has radio and no position; give its latitude and longitude")


def batteries_of(inventory: Inventory) -> dict[str, float]:
    """Return the power nodes that have a battery, sorted by id, with its hours."""
    return {node.id: node.battery_hours for node in sorted(inventory.nodes, key=_id) if node.battery_hours > 0}


def _id(node: Node) -> str:
    return node.id


def backed(needed: Iterable[Requirement], batteries: Mapping[str, float]) -> Iterator[Requirement]:
    """Yield the requirements with batteries in them: what needs a power node needs its supply instead.

    The supply of a power node is there while the node works or its battery is charged. The node itself stays down
    without mains: that is what its alarm says.
    """
    for requirement in needed:
        on = tuple((name, "supply") if name in batteries else (name, part) for name, part in requirement.on)
        yield requirement._replace(on=on)
    for name in batteries:
        yield Requirement((name, "supply"), 1, ((name, ""), (name, "battery")))
