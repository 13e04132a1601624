"""What a person looked at before deciding: when a card was opened, which evidence, and how long until the decision.

Times are the server's. Which evidence was opened is the client's word: it may only name evidence of that card.
"""

from collections.abc import Sequence
from datetime import datetime

from control_plane.ports import Written
from control_plane.road import Road
from control_plane.tables import Tables
from domain.errors import BadInput
from domain.gate import Approval
from domain.identity import Principal
from domain.proposals import Proposal
from domain.records import Entry
from domain.roster import Viewing

_MOST = 500


def opened(
    road: Road, who: Principal, proposal_id: str, known: Sequence[str], evidence: Sequence[str] = ()
) -> Viewing | None:
    """Keep that a person opened a card, and evidence on it. Only the first opening sets the time.

    Args:
        road: the road.
        who: who looks; machines leave no trace here.
        proposal_id: the card.
        known: the ids of the evidence that the card shows.
        evidence: those that were opened.

    Raises:
        BadInput: some of the evidence is not on the card.
    """
    odd = [id for id in evidence if id not in set(known)]
    if odd or len(evidence) > _MOST:
        raise BadInput(f"`{(odd or ['so much'])[0][:80]}` is no evidence of this card; name ids that it shows")
    if not who.person:
        return None

    def change(tables: Tables) -> Written[Viewing]:
        old = tables.viewings.get(_id(who.person, proposal_id))
        found = tuple(dict.fromkeys((*(old.evidence_opened if old else ()), *evidence)))
        if old is not None and (old.evidence_opened == found or old.decided_at is not None):
            return Written(old)
        new = old.but(evidence_opened=found) if old else _new(who, proposal_id, road.clock.now(), found)
        if old is None:
            tables.viewings.add(new)
        else:
            tables.viewings.swap(old, new)
        return Written(new, (_entry(road, who, new),))

    return road.ledger.do(change)


def decided(tables: Tables, proposal: Proposal, approval: Approval) -> None:
    """Close the viewing with what was decided; for use inside the change that keeps the approval, which records it.

    Whoever decides without ever having opened the card gets a viewing of no time at all.
    """
    if not approval.person:
        return
    id, at = _id(approval.person, proposal.id), approval.made_at
    old = tables.viewings.get(id)
    if old is None:
        made = Viewing(
            id=id,
            tenant=proposal.tenant,
            proposal_id=proposal.id,
            account=approval.account,
            person=approval.person,
            opened_at=at,
            decided_at=at,
            choice=approval.choice,
        )
        tables.viewings.add(made)
        return
    seconds = old.seconds if old.decided_at else (at - old.opened_at).total_seconds()
    tables.viewings.swap(old, old.but(seconds=max(0.0, seconds), decided_at=at, choice=approval.choice))


def _new(who: Principal, proposal_id: str, now: datetime, evidence: tuple[str, ...]) -> Viewing:
    return Viewing(
        id=_id(who.person, proposal_id),
        tenant=who.tenant,
        proposal_id=proposal_id,
        account=who.name,
        person=who.person,
        opened_at=now,
        evidence_opened=evidence,
    )


def _id(person: str, proposal_id: str) -> str:
    return f"{person}:{proposal_id}"


def _entry(road: Road, who: Principal, viewing: Viewing) -> Entry:
    return Entry(
        kind="attention.card.opened",
        actor=who.name,
        refs=(viewing.proposal_id,),
        event_time=road.clock.now(),
        tenant=viewing.tenant,
        fields={"person": viewing.person, "evidence": list(viewing.evidence_opened)},
    )
