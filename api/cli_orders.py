"""`nocturne order`, `nocturne orders`: circuits and slices are ordered, looked at, and taken back."""

from typing import Annotated, Any

import typer

from api.cli_shared import Account, AsJson, Because, Data, Url, client, show, write_json
from domain.errors import BadInput

_ENGINEER, _VIEWER = "engineer", "viewer"

Customer = Annotated[str, typer.Option(help="Who orders: a customer's id or name; a new one is declared.")]
Name = Annotated[str, typer.Option(help="What it is for, in a few words.")]
Delay = Annotated[float, typer.Option(help="Milliseconds one way that are promised at most.")]
Loss = Annotated[float, typer.Option(help="Share of traffic that may get lost, 0 to 1.")]
Class = Annotated[str, typer.Option("--class", help="The traffic class.")]
Own = Annotated[str | None, typer.Option("--own-id", help="Your own name for the order: the same twice is refused.")]
Protected = Annotated[bool, typer.Option("--protected", help="The promise holds after any one link failure, too.")]
Id = Annotated[str, typer.Argument(help="An order's id, or your own name for it.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    room = typer.Typer(help="Order a circuit or a slice, look at an order, take it back.", no_args_is_help=True)
    room.command("circuit")(circuit)
    room.command("slice")(slice_)
    room.command("show")(show_order)
    room.command("cancel")(cancel)
    app.add_typer(room, name="order", rich_help_panel="Declare")
    app.command("orders", rich_help_panel="Look")(orders)


def circuit(
    source: Annotated[str, typer.Argument(help="The routing node where it starts.")],
    destination: Annotated[str, typer.Argument(help="The routing node where it ends.")],
    mbps: Annotated[float, typer.Option(help="Mbit/s, one way.")],
    customer: Customer,
    name: Name = "circuit",
    id: Annotated[str | None, typer.Option(help="The circuit becomes `circuit:ID`; chosen, unless given.")] = None,
    max_delay_ms: Delay = 100.0,
    max_loss: Loss = 0.01,
    traffic_class: Class = "best_effort",
    protected: Protected = False,
    own_id: Own = None,
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Order one circuit: it is placed in the twin at once, and a plan for it waits for a signature."""
    one = {"source": source, "destination": destination, "mbps": mbps, "protected": protected} | _given(id=id)
    wish = _wish("circuit", customer, name, [one], max_delay_ms, max_loss, traffic_class, own_id)
    _tell(client(as_, url, data, _ENGINEER).post("/orders", wish), as_json)


def slice_(
    circuits: Annotated[list[str], typer.Argument(metavar="SOURCE,DESTINATION,MBPS...", help="One per circuit.")],
    customer: Customer,
    name: Name = "slice",
    max_delay_ms: Delay = 100.0,
    max_loss: Loss = 0.01,
    traffic_class: Class = "best_effort",
    protected: Protected = False,
    own_id: Own = None,
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Order a slice: several circuits with one promise, all of them or none."""
    each = [_circuit(text, protected) for text in circuits]
    wish = _wish("slice", customer, name, each, max_delay_ms, max_loss, traffic_class, own_id)
    _tell(client(as_, url, data, _ENGINEER).post("/orders", wish), as_json)


def orders(
    limit: Annotated[int, typer.Option(help="At most so many, the newest first.", min=1, max=1000)] = 20,
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Service orders, the newest first, and where each stands."""
    found = client(as_, url, data, _VIEWER).get("/orders", limit=limit)
    if as_json:
        write_json(found)
        return
    from api.views.orders import listed

    show(listed(found))


def show_order(id: Id, as_: Account = None, url: Url = None, data: Data = None, as_json: AsJson = False) -> None:
    """One order: where it stands and why, what was promised, the way of each circuit."""
    _tell(client(as_, url, data, _VIEWER).get(f"/orders/{_quoted(id)}"), as_json)


def cancel(
    id: Id, because: Because, as_: Account = None, url: Url = None, data: Data = None, as_json: AsJson = False
) -> None:
    """Take an order back: at once where nothing was done, else by a plan that is signed like any other."""
    _tell(client(as_, url, data, _ENGINEER).post(f"/orders/{_quoted(id)}/cancel", {"because": because}), as_json)


def _circuit(text: str, protected: bool) -> dict[str, Any]:
    source, _, rest = text.partition(",")
    destination, _, rate = rest.partition(",")
    try:
        mbps = float(rate)
    except ValueError:
        raise BadInput(f"`{text[:80]}` is no circuit; write SOURCE,DESTINATION,MBPS") from None
    return {"source": source, "destination": destination, "mbps": mbps, "protected": protected}


def _wish(
    kind: str,
    customer: str,
    name: str,
    circuits: list[dict[str, Any]],
    delay_ms: float,
    loss: float,
    traffic_class: str,
    own_id: str | None,
) -> dict[str, Any]:
    for number in (delay_ms, loss, *(each["mbps"] for each in circuits)):
        if number != number or abs(number) == float("inf"):  # noqa: PLR0124  # NaN is what differs from itself
            raise BadInput("a rate, a delay and a loss are finite numbers; correct the one that is not")
    wish = {"kind": kind, "customer": customer, "name": name, "circuits": circuits, "traffic_class": traffic_class}
    return wish | {"max_delay_ms": delay_ms, "max_loss": loss} | _given(external_id=own_id)


def _given(**fields: str | None) -> dict[str, str]:
    return {name: value for name, value in fields.items() if value is not None}


def _tell(view: dict[str, Any], as_json: bool) -> None:
    if as_json:
        write_json(view)
        return
    from api.views.orders import shown

    show(shown(view))


def _quoted(id: str) -> str:
    from urllib.parse import quote

    return quote(id, safe="")
