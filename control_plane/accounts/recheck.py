"""Before a signature that can let something dangerous happen, whoever vouches for the signer is asked again.

A token says who somebody was when it was made. Between then and now the person may have left, or lost the role; for
most requests the few minutes that a token lives are short enough, for these they are not. It is asked outside the
change, because a change of the ledger waits for nobody; the change then checks everything that is ours to know.
"""

from control_plane.approvals.verdict import verdict
from control_plane.judging import brief
from control_plane.road import Road
from control_plane.tables import Tables
from domain.errors import NotFound
from domain.identity import Principal


def recheck(road: Road, who: Principal, proposal_id: str, *, always: bool = False) -> None:
    """Return when the account may sign this proposal as far as whoever vouches for it knows.

    Nothing is asked for a plan that needs fewer than `recheck_from` signatures, nor for one that is not there, unless
    `always` says so: who signs alone is always asked for.

    Raises:
        Refused: the account was ended, or lost the role.
        Unavailable: nobody can tell now; nothing was decided.
    """
    if road.doorkeeper is None:
        return
    if always or _needed(road, who, proposal_id) >= road.settings.recheck_from:
        road.doorkeeper.still_holds(who)


def _needed(road: Road, who: Principal, proposal_id: str) -> int:
    """Return how many people must sign, by the book or by the chain, whichever asks for more."""

    def count(tables: Tables) -> int:
        proposal = tables.proposals.get(proposal_id)
        if proposal is None or proposal.tenant != who.tenant:
            return 0
        try:
            said = verdict(road, brief(road, tables, proposal), road.clock.now())
        except NotFound:  # it is not rehearsed yet, so it waits for nobody
            return 0
        return max(said.needed or 0, sum(stage.needs for stage in said.progress.stages))

    return road.ledger.read(count)
