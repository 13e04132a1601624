"""Looking back at what agents did alone: a share of it, the larger the more they may, is drawn for a person to judge.

The draw is a hash of the seed and the execution, so that anybody can repeat it, and an agent cannot foresee it: it
does not know the id of an execution before its plan is granted.
"""

import hashlib
from datetime import timedelta

from control_plane.road import Road
from control_plane.tables import Tables
from domain.autonomy import TERMS, Level
from domain.execution import Execution
from domain.keeping import Review
from domain.proposals import Proposal
from domain.records import Entry

#: The kind of these reviews; `ref` is the execution.
KIND = "alone"
_SEED = "nocturne autonomy review"
_DUE = timedelta(days=1)


def draw(execution_id: str) -> float:
    """Return the number, from 0 (included) to 1 (not), that decides whether an execution is looked at."""
    return int.from_bytes(hashlib.sha256(f"{_SEED}|{execution_id}".encode()).digest()[:8]) / 2**64


def sampled(road: Road, tables: Tables, proposal: Proposal, execution: Execution, level: Level) -> tuple[Entry, ...]:
    """Have an execution that was carried out alone reviewed if the draw says so; the record shows draw and share."""
    terms, drawn = TERMS.get(level), draw(execution.id)
    share = terms.review_share if terms else 1.0  # alone, and on no level any more: always
    if drawn < share:
        review = Review(
            id=road.id("rev"), tenant=proposal.tenant, kind=KIND, ref=execution.id, due_at=road.clock.now() + _DUE
        )
        tables.reviews.add(review)
    refs = (execution.id, proposal.id, *([review.id] if drawn < share else []))
    return (
        Entry(
            kind="autonomy.review.drawn",
            actor="plane",
            refs=refs,
            event_time=road.clock.now(),
            tenant=proposal.tenant,
            residency=proposal.region,
            fields={"draw": round(drawn, 6), "share": share, "reviewed": drawn < share, "level": int(level)},
        ),
    )
