"""Cards that test attention: wrong on purpose, shown to one person like any other, and never carried out.

A seeded card has the id of a proposal, and there is no proposal behind it. So an answer to it is taken here, before
the gate looks for the proposal; the gate would not find one; and should a proposal of that id ever appear, no grant is
made of it (`refuse`), and no grant of it stands. The record says from the beginning that something was drawn, as a
commitment that tells nobody what; the answer opens it. The person is told with the answer.
"""

import json
import secrets
from datetime import datetime

from control_plane.ports import Written
from control_plane.rights import need
from control_plane.road import Road
from control_plane.tables import Tables
from domain.canonical import digest
from domain.errors import Conflict, Gone, Refused
from domain.gate import Choice
from domain.identity import Permission, Principal
from domain.proposals import Proposal, ProposalState
from domain.records import Entry
from domain.roster import SeededCard

#: What an answer shows the card to have become. None of these states leads on to a grant.
_AFTER = {
    Choice.APPROVE: ProposalState.WITHDRAWN,
    Choice.REJECT: ProposalState.REJECTED,
    Choice.CHANGE: ProposalState.CHANGED,
    Choice.DEFER: ProposalState.WITHDRAWN,
    Choice.ASK: ProposalState.WITHDRAWN,
}
CAUGHT = frozenset({Choice.REJECT, Choice.CHANGE})
MISSED = frozenset({Choice.APPROVE})


def open_cards(tables: Tables, who: Principal, now: datetime) -> list[SeededCard]:
    """Return the seeded cards that an account has before it and did not answer."""
    cards = tables.seeded_cards.find(tenant=who.tenant, shown_to=who.name, newest=True, limit=50)
    return [card for card in reversed(cards) if card.answered_at is None and (card.expires_at or now) > now]


def open_card(tables: Tables, who: Principal, id: str, now: datetime) -> SeededCard | None:
    """Return the seeded card with this id, or an unambiguous part of it; None when it is not one of the caller's."""
    fitting = [card for card in open_cards(tables, who, now) if card.id == id or (len(id) >= 6 and id in card.id)]
    return fitting[0] if len(fitting) == 1 else None


def refuse(tables: Tables, proposal_id: str) -> None:
    """Return unless a seeded card has this id. Raises Refused: nothing of it is ever granted or carried out."""
    if tables.seeded_cards.get(proposal_id) is not None:
        raise Refused(f"`{proposal_id}` was made to test attention; nothing of it is ever carried out")


def commitment(card: SeededCard) -> str:
    """Return the digest that binds a card, unreadable without its salt."""
    return digest([card.salt, card.id, card.shown_to, card.card, card.wrong])


def keep(road: Road, tables: Tables, card: SeededCard) -> tuple[Entry, ...]:
    """Put a card before its person. Raises Conflict when a proposal has its id."""
    if tables.proposals.get(card.id) is not None:
        raise Conflict(f"proposal `{card.id}` exists; a card that tests attention needs an id of its own")
    tables.seeded_cards.add(card)
    return (drawn(road, card.tenant, commitment(card)),)


def drawn(road: Road, tenant: str, committed: str = "") -> Entry:
    """Return the entry of a draw. One that brought no card looks the same: a commitment to nothing."""
    return Entry(
        kind="attention.draw.committed",
        actor="plane",
        event_time=road.clock.now(),
        tenant=tenant,
        fields={"commitment": committed or secrets.token_hex(32)},
    )


def answer(
    road: Road, who: Principal, proposal_id: str, choice: Choice, because: str, plan_digest: str | None = None
) -> Proposal | None:
    """Take the answer to a seeded card; None when the id is not that of one of the caller's.

    Returns:
        The card's proposal, in a state from which nothing follows, with what was wrong as its reason.

    Raises:
        Refused: the caller may not decide on proposals.
        Conflict: it was answered already, or its plan is not the one that was looked at.
        Gone: it expired.
    """
    card = road.ledger.read(lambda tables: tables.seeded_cards.get(proposal_id))
    if card is None or (card.tenant, card.shown_to) != (who.tenant, who.name):
        return None
    need(who, Permission.APPROVE)
    shown = shown_proposal(card)
    if plan_digest is not None and plan_digest != shown.plan_digest:
        raise Conflict(f"the plan of `{proposal_id}` is not the one you looked at; read it again before you decide")

    def change(tables: Tables) -> Written[SeededCard]:
        old, now = tables.seeded_cards.get(proposal_id), road.clock.now()
        assert old is not None
        if old.answered_at is not None:
            raise Conflict(f"proposal `{proposal_id}` was answered and waits for nobody ({old.wrong})")
        if old.expires_at is not None and now >= old.expires_at:
            raise Gone(f"proposal `{proposal_id}` expired at {old.expires_at:%H:%M:%S}; look for a newer one")
        new = old.but(person=who.person, choice=choice, answered_at=now)
        tables.seeded_cards.swap(old, new)
        return Written(new, (_answered(who, new, because),))

    road.ledger.do(change)
    spotted = "you saw it" if choice in CAUGHT else "nothing of it is carried out"
    reason = f"this card tested attention, and its plan is wrong: {card.wrong}; {spotted}"
    return shown.but(state=_AFTER[choice], state_reason=reason)


def shown_proposal(card: SeededCard) -> Proposal:
    """Return the proposal that a card shows."""
    return Proposal.model_validate(json.loads(card.card)["proposal"])


def _answered(who: Principal, card: SeededCard, because: str) -> Entry:
    assert card.answered_at is not None
    choice = Choice(card.choice)
    return Entry(
        kind="attention.card.answered",
        actor=who.name,
        refs=(card.id, card.made_from),
        event_time=card.answered_at,
        tenant=card.tenant,
        fields={
            "seeded": True,
            "mutation": card.mutation,
            "wrong": card.wrong,
            "choice": choice,
            "caught": choice in CAUGHT,
            "missed": choice in MISSED,
            "because": because,
            "person": who.person,
            "shift": card.shift,
            "shown_at": card.made_at.isoformat(),
            "commitment": commitment(card),
            "salt": card.salt,
            "card_digest": digest(card.card),
        },
    )
