"""Where routers are and what only their operator can declare: it cannot be read from a router who buys its traffic."""

from pathlib import Path

from domain.base import Word
from domain.network import Customer, Demand, Service, Slice


class Access(Word):
    """How to reach one router.

    Attributes:
        name: its name; its node is `node:<name>`.
        sockets: the folder with the vty sockets and process ids of its daemons.
        inside: the words before a command that is to run where the router's interfaces are.
        address: its loopback, which probes are sent from and to.
    """

    name: str
    sockets: Path
    inside: tuple[str, ...] = ()
    address: str

    @property
    def node(self) -> str:
        return f"node:{self.name}"


class Declared(Word):
    """What the operator says that the network is for. Demands name nodes: `node:<router>`."""

    name: str
    demands: tuple[Demand, ...] = ()
    slices: tuple[Slice, ...] = ()
    customers: tuple[Customer, ...] = ()
    services: tuple[Service, ...] = ()


class Reach(Word):
    """All routers of a network, and what is declared of it."""

    routers: tuple[Access, ...]
    declared: Declared
