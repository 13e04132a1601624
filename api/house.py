"""What a door needs of the house: the service layer, someone who knows who is asking, and the time."""

from typing import TYPE_CHECKING, Protocol

from domain.clock import Clock
from domain.identity import Principal

if TYPE_CHECKING:  # the doors open, and are tested, without loading the rooms behind them
    from control_plane.commands import Commands
    from control_plane.desks import Desks
    from control_plane.queries import Queries


class Issuer(Protocol):
    """Knows who holds a token."""

    def authenticate(self, token: str) -> Principal:
        """Return the account behind `token`. Raises NotAuthenticated."""


class House(Protocol):
    """The parts of `api.bootstrap.House` that doors use."""

    @property
    def commands(self) -> "Commands": ...

    @property
    def queries(self) -> "Queries": ...

    @property
    def desks(self) -> "Desks": ...

    @property
    def issuer(self) -> Issuer: ...

    @property
    def clock(self) -> Clock: ...
