"""Finding what somebody asks for among what the caller may see: by id, by a part of one, or page by page."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from control_plane.gate import WAITING
from control_plane.horizon import Horizon, no_proposal
from control_plane.tables import Shelf, Tables
from domain.base import Stored
from domain.errors import BadInput, NotFound
from domain.proposals import Proposal

S = TypeVar("S", bound=Stored)

_SHORTEST_PART = 6


def some_proposal(tables: Tables, horizon: Horizon, id: str) -> Proposal:
    """Return the proposal that an id names, or the one that matters most of the incident it names. Raises NotFound."""
    proposal = one(tables.proposals, id, horizon.tenant, partial(horizon.proposal, tables))
    if proposal is None and (incident := one(tables.incidents, id, horizon.tenant, horizon.incident)):
        newest = tables.proposals.find(incident_id=incident.id, newest=True)
        of_incident = [p for p in newest if horizon.proposal(tables, p)]
        proposal = next((p for p in of_incident if p.state in WAITING), None) or next(iter(of_incident), None)
    if proposal is None:
        raise no_proposal(id)
    return proposal


def one(shelf: Shelf[S], id: str, tenant: str, seen: Callable[[S], bool]) -> S | None:
    """Return the record that is to be seen with this id, or with exactly one id that holds it as a part.

    A part has six characters at least. What is not to be seen does not count.
    """
    exact = shelf.get(id)
    if exact is not None or len(id) < _SHORTEST_PART:
        return exact if exact is not None and seen(exact) else None
    newest = shelf.find(newest=True, limit=2000, tenant=tenant)
    matching = [record for record in newest if id in record.id and seen(record)]
    if len(matching) > 1:
        raise BadInput(f"`{id}` names {len(matching)} things; give more of the id")
    return matching[0] if matching else None


def found(record: S | None, kind: str, id: str) -> S:
    """Return the record. Raises NotFound when there is none, or none for this caller."""
    if record is None:
        raise NotFound(f"there is no {kind} `{id}`")
    return record


def page(
    shelf: Shelf[S],
    limit: int,
    offset: int,
    equal: Mapping[str, Any],
    horizon: Horizon,
    seen: Callable[[Horizon, S], bool],
) -> tuple[list[S], int]:
    """Return one page in order of id of what is to be seen, and how much that is in all."""
    where = {**equal, "tenant": horizon.tenant}
    try:
        if horizon.everywhere:
            return shelf.find(limit=offset + limit, **where)[offset:], shelf.count(**where)
        rows = [record for record in shelf.find(**where) if seen(horizon, record)]
    except KeyError as unknown:
        raise BadInput(f"one cannot filter by {unknown}") from unknown
    return rows[offset : offset + limit], len(rows)
