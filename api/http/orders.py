"""Service orders: a circuit or a slice is ordered, looked at, and taken back. People sign what comes of it."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.http.context import Here, Id, Who
from api.http.reply import reply
from api.http.schemas import Reason
from control_plane.orders.desk import OrderView
from domain.orders import OrderWish

router = APIRouter(tags=["orders"])


@router.get("/orders", response_model=list[OrderView])
def orders(house: Here, who: Who, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> Response:
    """Show the orders, the newest first, each with where it stands."""
    return reply(house.desks.orders.orders(who, limit))


@router.post("/orders", response_model=OrderView, status_code=201)
def order(house: Here, who: Who, body: OrderWish) -> Response:
    """Order a circuit or a slice. What does not fit is kept as `rejected`, with the reason and the share that would."""
    return reply(house.desks.orders.place(who, body), 201)


@router.get("/orders/{id}", response_model=OrderView)
def show_order(house: Here, who: Who, id: Id) -> Response:
    """Show one order, by its id or by the customer's own name for it."""
    return reply(house.desks.orders.order(who, id))


@router.post("/orders/{id}/cancel", response_model=OrderView)
def cancel(house: Here, who: Who, id: Id, body: Reason) -> Response:
    """Take an order back: at once where nothing was done yet, by a plan where it carries traffic."""
    return reply(house.desks.orders.cancel(who, id, body.because))
