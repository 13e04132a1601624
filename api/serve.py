"""`nocturne serve`: a network, a house over it, and the HTTP door, until somebody says stop."""

import contextlib
import signal
import socket
import sys
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

import uvicorn

from adapters.network.emulated.client import EmulatedNetwork
from api import logs
from api.bootstrap import House, build
from api.client import ADDRESS, leave_address
from api.http.app import create_app
from api.identities import IDENTITIES, write_identities
from api.settings import Settings
from domain.clock import SystemClock
from domain.errors import BadInput, Conflict
from domain.identity import Role

#: The account that makes the others.
FIRST = "admin"
_GRACE_S = 5


def serve(settings: Settings, *, demo: bool) -> None:
    """Serve until SIGTERM or SIGINT, then end cleanly: requests, road, store, and the network if we started it.

    Raises:
        Conflict: the port or the data folder is taken.
        BadInput: there is no network to act on.
        Unavailable: store or network cannot be reached.
    """
    logs.configure(_log_level(settings, demo=demo), SystemClock())
    with contextlib.suppress(KeyboardInterrupt), _ended_by_sigterm(), _bound(settings) as door:
        settings = settings.model_copy(update={"port": door.getsockname()[1], "open_docs": settings.open_docs or demo})
        with _stage(settings, demo=demo) as house, _address_written(settings):
            _listen(house, settings, door)


def _stage(settings: Settings, *, demo: bool) -> contextlib.AbstractContextManager[House]:
    if settings.network.startswith("lab:") and not demo:
        from api.lab import served_house

        return served_house(settings)
    if not demo:
        return _real(settings)
    from api.demo_host import demo_house

    return demo_house(settings)


@contextlib.contextmanager
def _real(settings: Settings) -> Iterator[House]:
    """A house over a network that runs already."""
    if not settings.network_url:
        raise BadInput(
            "there is no network to act on: set NOCTURNE_NETWORK_URL, or use `nocturne serve --demo` to emulate one"
        )
    network = EmulatedNetwork(settings.network_url)
    house = build(settings, network)
    try:
        _somebody_to_begin_with(house, settings)
        house.start()
        yield house
    finally:
        house.close()


def _somebody_to_begin_with(house: House, settings: Settings) -> None:
    """Make the account that makes the others, where the house vouches for accounts and there is none yet."""
    if settings.identity != "local" or house.road.ledger.read(lambda tables: tables.principals.count()):
        return
    _account, token = house.issuer.issue(FIRST, {Role.ADMIN}, person="the administrator")
    write_identities(settings.data / IDENTITIES, {FIRST: token})
    sys.stderr.write(
        f"The first account is `{FIRST}`; its token lies in {settings.data / IDENTITIES}, for you alone.\n"
        "Make others with `nocturne accounts add NAME --role ROLE --person PERSON`.\n"
    )


def _listen(house: House, settings: Settings, door: socket.socket) -> None:
    config = uvicorn.Config(
        create_app(house, settings),
        log_config=None,  # libraries log through `logs`
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=_GRACE_S,
    )
    uvicorn.Server(config).run(sockets=[door])


@contextlib.contextmanager
def _bound(settings: Settings) -> Iterator[socket.socket]:
    """Take the port before anything is built, so that a taken one is told at once."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # the protocol is named, because asyncio sends small answers at once (TCP_NODELAY) only where it is
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((settings.host, settings.port))
        except OSError as error:
            raise Conflict(
                f"port {settings.port} of {settings.host} cannot be had ({error.strerror}); choose another with --port"
            ) from None
        yield door


@contextlib.contextmanager
def _address_written(settings: Settings) -> Iterator[None]:
    """Leave word in the data folder of where the server listens, while it does."""
    path = settings.data / ADDRESS
    leave_address(settings.data, settings.url)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Have SIGTERM unwind the stack as Ctrl-C does; uvicorn hands a signal on to this handler once it is done."""

    def end(_number: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _log_level(settings: Settings, *, demo: bool) -> str:
    """A demo shares its terminal with a reader: it logs what goes wrong only, unless somebody asks for more."""
    return "warning" if demo and "log_level" not in settings.model_fields_set else settings.log_level
