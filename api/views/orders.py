"""Service orders as text."""

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table

from api.views.text import plain


def listed(found: list[dict[str, Any]]) -> RenderableType:
    """Return the orders as a table; none is said in a line."""
    if not found:
        return "No orders. `nocturne order circuit --help` says how one is made."
    table = Table("order", "state", "customer", "name", "Mbit/s", "because")
    for view in found:
        order = view["order"]
        row = (order["id"], view["state"], order["customer"]["name"], order["name"], _rate(order), view["because"])
        table.add_row(*(plain(str(cell), 200) for cell in row))
    return table


def shown(view: dict[str, Any]) -> RenderableType:
    """Return one order: where it stands, what was promised, and the way of each circuit."""
    order, promise = view["order"], view["order"]["slice"]
    lines = [
        f"{order['id']}: {view['state']}",
        f"  {view['because']}",
        f"  {order['kind']} `{order['name']}` for `{order['customer']['name']}`: {_rate(order)} Mbit/s in all",
        f"  promised: at most {promise['max_delay_ms']:g} ms one way, {promise['max_loss']:.2%} loss",
    ]
    if order["fits_share"]:
        lines.append(f"  {float(_rate(order)) * order['fits_share']:g} Mbit/s would fit")
    if view["proposal_id"]:
        lines.append(f"  plan: {view['proposal_id']} (`nocturne show`, `nocturne approve`)")
    for circuit in order["circuits"]:
        way = view["ways"].get(circuit["id"])
        through = f", through {way}" if way else ", the default way" if way == "" else ""
        guard = ", protected" if circuit["id"] in order["protected"] else ""
        ends = f"{circuit['source']} to {circuit['destination']}"
        lines.append(f"  {circuit['id']}: {ends}, {circuit['mbps']:g} Mbit/s{through}{guard}")
    return Group(*(plain(line, 400) for line in lines))


def _rate(order: dict[str, Any]) -> str:
    return f"{sum(circuit['mbps'] for circuit in order['circuits']):g}"
