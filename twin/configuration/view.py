"""What a check looks at: one configuration of the network (`View`), or the way from one to another (`Push`)."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from domain.configuration import Configuration, Interface, PushPolicy, RouterConfiguration
from domain.network import Inventory
from twin.configuration.forwarding import Forwarding
from twin.configuration.reading import Document
from twin.configuration.wiring import Wire, Wiring, number_of, own_address

#: Router, section, its name, and a part of it: what `Document.line` finds.
Where = tuple[str, str, str, str]

NOTHING = Document(Configuration(), (), {})


@dataclass(frozen=True)
class Hit:
    """Something that a check found. `subject` has no values in it; see `ConfigurationFinding`."""

    subject: str
    message: str
    places: tuple[Where, ...]


@dataclass(frozen=True, eq=False)
class View:
    """One configuration of all routers, on the wires of an inventory."""

    document: Document
    wiring: Wiring

    @property
    def inventory(self) -> Inventory:
        return self.wiring.inventory

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All routers of the inventory, sorted: their places are their numbers in `forwarding`."""
        return tuple(sorted(self.wiring.routers))

    @cached_property
    def wires(self) -> tuple[Wire, ...]:
        return self.wiring.wires(self.document)

    @cached_property
    def forwarding(self) -> Forwarding:
        return Forwarding(self.names, self.document, self.wires)

    @property
    def routers(self) -> dict[str, RouterConfiguration]:
        return self.document.routers

    def interfaces(self) -> Iterator[tuple[str, Interface]]:
        """Yield every interface with its router."""
        for name, router in self.routers.items():
            for interface in router.interfaces:
                yield name, interface

    @cached_property
    def owners(self) -> dict[int, list[tuple[str, Interface]]]:
        """The interfaces that have an address, by the address as a number."""
        found: dict[int, list[tuple[str, Interface]]] = defaultdict(list)
        for router, interface in self.interfaces():
            if interface.address is not None:
                found[number_of(own_address(interface))].append((router, interface))
        return dict(found)

    def with_routers(self, routers: dict[str, RouterConfiguration]) -> "View":
        """Return the view of another configuration of the same network; it has no lines."""
        configuration = Configuration.model_construct(routers=tuple(routers.values()))
        return View(Document(configuration, (), {}), self.wiring)


@dataclass(frozen=True, eq=False)
class Push:
    """A push: from `before` to `after`, router by router in `order` (None: in any order that is safe)."""

    before: View
    after: View
    order: tuple[str, ...] | None
    policy: PushPolicy

    @property
    def inventory(self) -> Inventory:
        return self.after.inventory

    @cached_property
    def touched(self) -> frozenset[tuple[str, str, str]]:
        """Router, section and name of each section that differs."""
        old, new = _sections(self.before.routers), _sections(self.after.routers)
        return frozenset(key for key in {*old, *new} if old.get(key) != new.get(key))

    @cached_property
    def changed(self) -> tuple[str, ...]:
        """Routers whose configuration differs, sorted."""
        old, new = self.before.routers, self.after.routers
        return tuple(name for name in sorted({*old, *new}) if old.get(name) != new.get(name))

    def places(self, router: str) -> tuple[Where, ...]:
        """Return where a router differs."""
        return tuple((*key, "") for key in sorted(self.touched) if key[0] == router)


def _sections(routers: dict[str, RouterConfiguration]) -> dict[tuple[str, str, str], Any]:
    found: dict[tuple[str, str, str], Any] = {}
    for name, router in routers.items():
        found[name, "", ""] = (router.description, router.local_as)
        for section, words, key in (
            ("interface", router.interfaces, "name"),
            ("access-list", router.access_lists, "name"),
            ("neighbor", router.sessions, "peer"),
            ("route", router.routes, "prefix"),
            ("policy", router.policies, "name"),
            ("protection", router.protections, "name"),
        ):
            found |= {(name, section, getattr(word, key)): word for word in words}
    return found
