"""Puts the HTTP door together: four layers, five families of routes, one shape for every error."""

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from api.house import House
from api.http import (
    accounts,
    approvals,
    ask,
    attention,
    autonomy,
    doors,
    guards,
    orders,
    policy,
    record,
    roster,
    twin,
    work,
)
from api.http.access import ACCESS, DOCS, OPEN
from api.http.attempts import Attempts
from api.http.authentication import Authentication
from api.http.errors import handle_errors
from api.http.limits import Limits
from api.http.requests import Requests
from api.http.sieve import Sieve
from api.settings import Settings

ROUTERS = (
    doors.router,
    work.router,
    ask.router,
    record.router,
    accounts.router,
    approvals.router,
    guards.router,
    policy.router,
    roster.router,
    twin.router,
    attention.router,
    autonomy.router,
    orders.router,
)


def create_app(house: House, settings: Settings) -> FastAPI:
    """Return the application on `house`. It neither starts nor closes the house.

    Raises:
        RuntimeError: a route has no row in the table of who may use it, or a row has no route.
    """
    _check_table()
    app: FastAPI = FastAPIOffline(
        title="Nocturne",
        description="From an alarm to a verified, audited repair. Every error is `{code, reason}`.",
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.house = house
    for router in ROUTERS:
        app.include_router(router)
    handle_errors(app)
    # the layer that is added last is the outermost
    app.add_middleware(
        Limits,
        max_bytes=settings.max_body_bytes,
        max_depth=settings.max_depth,
        max_items=settings.max_items,
        timeout_s=settings.body_timeout_s,
    )
    app.add_middleware(Sieve, house=house, open_docs=settings.open_docs)
    app.add_middleware(
        Authentication,
        issuer=house.issuer,
        attempts=Attempts(house.clock, settings.failed_logins),
        open_docs=settings.open_docs,
    )
    app.add_middleware(Requests, clock=house.clock)
    return app


def _check_table() -> None:
    """Fail at the start, not at the first knock."""
    served = {
        (method, route.path)  # type: ignore[attr-defined]  # an APIRouter of ours holds API routes only
        for router in ROUTERS
        for route in router.routes
        for method in route.methods  # type: ignore[attr-defined]
    }
    rows = {row for row in ACCESS if not row[1].startswith(DOCS)}
    asked = {route for route in served if route[1] not in OPEN}
    if asked != rows:
        raise RuntimeError(f"routes and their access table differ: {sorted(asked ^ rows)}")
