"""Before a proposal expires, people are told. That it then expires is nobody's decision: it is not a person's no."""

from control_plane.approvals.matters import at, warned_from
from control_plane.approvals.signing import moved_within
from control_plane.gate import WAITING, entry
from control_plane.ports import Written
from control_plane.road import Road
from control_plane.tables import Tables


def warn(road: Road, proposal_id: str) -> None:
    """Errand: record that a proposal expires soon, and have people told; once for each time that it expires."""
    road.ledger.do(lambda tables: _warn(road, tables, proposal_id))


def _warn(road: Road, tables: Tables, proposal_id: str) -> Written[None]:
    proposal, now = tables.proposals.get(proposal_id), road.clock.now()
    if proposal is None or proposal.state not in WAITING or now >= proposal.expires_at:
        return Written(None)
    warn_at = warned_from(road, proposal)
    if now < warn_at or (proposal.warned_at is not None and proposal.warned_at >= warn_at):
        return Written(None)  # it was put off meanwhile, or people know
    warned = moved_within(tables, proposal, warned_at=now)
    said = {"expires_at": proposal.expires_at.isoformat(), "next_role": proposal.next_role}
    made = entry(road, "gate.proposal.expiring", "plane", warned, (), **said)
    return Written(None, (made,), (at(road, "notify", proposal.id, now),))
