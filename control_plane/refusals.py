"""Every command that is refused leaves a record: who asked, for whom, for what, and why it was refused."""

import functools
import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from control_plane.ports import Written
from control_plane.road import Road
from control_plane.tables import Tables
from domain.errors import Refused
from domain.identity import Principal
from domain.records import Entry

C = TypeVar("C")

_ID = re.compile(r"[a-z]+_[0-9A-Za-z]{6,64}")
_LONGEST = 200
_MOST_IDS = 8


def note(road: Road, who: Principal, command: str, reason: str) -> None:
    """Record that a command was refused. Ids in its text become references."""
    ids = tuple(dict.fromkeys(_ID.findall(command)))[:_MOST_IDS]

    def change(tables: Tables) -> Written[None]:
        found = (tables.proposals.get(id) for id in ids)
        about = next((proposal for proposal in found if proposal and proposal.tenant == who.tenant), None)
        said = {"command": command[:_LONGEST], "reason": reason, **who.on_behalf_of}
        refused = Entry(
            kind="gate.proposal.refused" if about else "rights.command.refused",
            actor=who.name,
            refs=ids,
            fields=said,
            event_time=road.clock.now(),
            tenant=who.tenant,
            residency=about.region if about else "default",
        )
        return Written(None, (refused,))

    road.ledger.do(change)


@contextmanager
def recording(road: Road, who: Principal, command: str) -> Iterator[None]:
    """Record a refusal that passes through here, unless it was recorded further in; it goes on as it came."""
    try:
        yield
    except Refused as refusal:
        if not refusal.recorded:
            refusal.recorded = True
            note(road, who, command, refusal.reason)
        raise


def recorded(service: type[C]) -> type[C]:
    """Have every public method `(self, who, …)` of a class of the service layer record what it refuses.

    The class keeps its road as `_road`.
    """
    for name, method in list(vars(service).items()):
        if not name.startswith("_") and inspect.isfunction(method) and "who" in inspect.signature(method).parameters:
            setattr(service, name, _recorded(name, method))
    service.records_refusals = True  # type: ignore[attr-defined]  # a test asks every desk for it
    return service


def _recorded(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def wrapped(self: Any, who: Principal, *args: Any, **named: Any) -> Any:
        said = " ".join((name, *(value for value in (*args, *named.values()) if isinstance(value, str))))
        with recording(self._road, who, said):
            return method(self, who, *args, **named)

    return wrapped
