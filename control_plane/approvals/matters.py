"""What every decision of a person begins with: the proposal, the reason, and on whose account it is said."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from control_plane import reach, refusals
from control_plane.approvals import lending
from control_plane.gate import WAITING, expire
from control_plane.ports import Change, Written
from control_plane.road import Road
from control_plane.tables import Message, Tables
from domain.errors import BadInput, Gone
from domain.identity import Principal
from domain.proposals import Proposal

T = TypeVar("T")

_REASON_MOST = 2000


def readable(text: str, what: str = "a reason") -> str:
    """Return what a person wrote, checked. Raises BadInput."""
    text = text.strip()
    if not any(sign.isprintable() for sign in text) or len(text) > _REASON_MOST:
        raise BadInput(f"give {what} of 1 to {_REASON_MOST} readable characters: it is part of the record")
    return text


def proposal_of(road: Road, tables: Tables, who: Principal, proposal_id: str) -> Proposal:
    """Return a proposal every step of which lies in the caller's scope, or in one that it is lent.

    Raises:
        NotFound: there is no such proposal for this caller.
        Refused: a step lies outside.
    """
    lent = [loan.scope for loan in lending.loans(tables, who, road.clock.now())]
    return reach.proposal(road, tables, who, proposal_id, lent)


def asked_for(who: Principal) -> tuple[str, ...]:
    """Return every account and person for whom an account asks: none of them may sign what it asked for."""
    behind = asked_for(who.behind) if who.behind else ()
    names = (who.behind.name, who.person) if who.behind else (who.person,)
    return tuple(dict.fromkeys(name for name in (*names, *behind) if name))


def requesters(tables: Tables, proposal: Proposal) -> tuple[str, ...]:
    """Return the people behind the accounts that asked for a plan."""
    accounts = (proposal.requester, *proposal.on_behalf_of)
    return tuple(account.person for account in tables.principals.find(name=accounts) if account.person)


def done(road: Road, change: Change[T]) -> T:
    """Do a change and wake the worker."""
    result = road.ledger.do(change)
    road.bell.set()
    return result


def guarded(road: Road, who: Principal, about: str, act: Callable[[], T]) -> T:
    """Do something that a person may be refused; a refusal is recorded, and so is that its time is over.

    What was once seen to have expired stays so, whatever the clock says later.
    """
    try:
        with refusals.recording(road, who, about):
            return act()
    except Gone:
        road.ledger.do(lambda tables: _expired(road, tables, about))
        raise


def _expired(road: Road, tables: Tables, proposal_id: str) -> Written[None]:
    proposal = tables.proposals.get(proposal_id)
    if proposal is None or proposal.state not in WAITING or road.clock.now() < proposal.expires_at:
        return Written(None)
    return Written(None, (expire(road, tables, proposal)[1],), (road.wake(proposal.incident_id),))


def at(road: Road, topic: str, ref: str, due_at: datetime) -> Message:
    """Return an outbox message that is due at a moment."""
    return Message(id=road.id("msg"), topic=topic, ref=ref, due_at=due_at)


def reminders(road: Road, proposal: Proposal) -> tuple[Message, ...]:
    """Return the messages of a proposal that waits: a warning while there is time to decide, and its end."""
    left = (proposal.expires_at - road.clock.now()).total_seconds()
    warn_at = warned_from(road, proposal)
    asked = at(road, "notify", proposal.id, road.clock.now())
    return (asked, at(road, "expiring", proposal.id, warn_at), road.wake(proposal.incident_id, left))


def warned_from(road: Road, proposal: Proposal) -> datetime:
    """Return when people are warned that a proposal expires: when the declared share of its time is left."""
    return proposal.expires_at - timedelta(seconds=road.settings.proposal_s * road.settings.warn_share)
