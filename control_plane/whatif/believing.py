"""What every answer of the twin stands on: which state of the network it is of, and how far the twin is off."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from pydantic import field_serializer

from control_plane.horizon import Horizon
from control_plane.rights import need
from control_plane.road import Road
from control_plane.state import snapshot_at
from domain.base import Utc, Word
from domain.errors import Refused, Unavailable
from domain.identity import Permission, Principal
from domain.rehearsal import TwinFidelity
from twin.snapshot import Snapshot


class Believed(Word):
    """Where an answer comes from, and how far the twin is off now, KPI by KPI."""

    at: Utc
    digest: str
    source: str
    fidelity: TwinFidelity

    @field_serializer("fidelity")
    def _with_verdicts(self, fidelity: TwinFidelity) -> dict[str, Any]:
        return fidelity.plain()


class Alone:
    """Lets one long question be worked on at a time: they share the machine with the road."""

    def __init__(self) -> None:
        self._working = threading.Lock()

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Raises Unavailable while somebody else's question is being worked on."""
        if not self._working.acquire(blocking=False):
            raise Unavailable("another long question is being worked on; ask again in a moment")
        try:
            yield
        finally:
            self._working.release()


def look(road: Road, who: Principal, at: datetime | None = None) -> tuple[Horizon, Snapshot, Believed]:
    """Return what a caller may see, the network now or at a past moment, and what the answer stands on.

    Raises:
        Refused: the caller may not read.
        BadInput: the moment lies in the future.
    """
    need(who, Permission.READ)
    snapshot, source = snapshot_at(road, at)
    believed = Believed(at=at or road.clock.now(), digest=snapshot.digest, source=source, fidelity=road.live.fidelity())
    return Horizon(road.live, who), snapshot, believed


def look_at_all(road: Road, who: Principal) -> tuple[Snapshot, Believed]:
    """Return the whole network as it is believed to be. Raises Refused for a caller who does not see all of it."""
    horizon, snapshot, believed = look(road, who)
    if not horizon.everywhere:
        raise Refused("this is of the whole network; ask with an account of all regions")
    return snapshot, believed
