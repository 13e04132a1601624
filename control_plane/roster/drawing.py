"""Making a card that tests attention from a recorded one, now and then, for somebody who is on call.

Off unless a share is set. A draw is not to be foreseen, so its dice are the machine's own; what came of it is kept.
"""

import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import TypeVar

from control_plane.cards import Card
from control_plane.ports import Written
from control_plane.queries import Queries
from control_plane.road import Road
from control_plane.roster import seeding
from control_plane.roster.holding import Watcher
from control_plane.roster.mutations import MUTATIONS, Parts, Wrong
from control_plane.roster.notices import tell
from control_plane.roster.on_call import account_of, standing
from control_plane.tables import Tables
from domain.answers import Answer
from domain.errors import BadInput, NotFound
from domain.identity import Principal, Role
from domain.proposals import Proposal, ProposalState
from domain.records import Entry
from domain.roster import NoticeKind, SeededCard
from policies.chain import signing_roles

T = TypeVar("T")

_FINE = 10_000
#: Cards are made from one of so many last proposals.
_FROM = 50


def draw(road: Road, ref: str) -> None:
    """Errand: `proposal account`. With the chance that is set, put a wrong card before somebody who was just asked."""
    proposal_id, _, name = ref.partition(" ")
    found = road.ledger.read(lambda t: t.proposals.get(proposal_id))
    who = road.ledger.read(lambda t: account_of(t, found.tenant, name)) if found else None
    if found is None or who is None or road.settings.seeded_share <= 0:
        return
    busy = road.ledger.read(lambda t: seeding.open_cards(t, who, road.clock.now()))
    made = None
    if not busy and secrets.randbelow(_FINE) < road.settings.seeded_share * _FINE:
        made = seed(road, who)
    if made is None:
        road.ledger.do(lambda _: Written(None, (seeding.drawn(road, who.tenant),)))


def seed(road: Road, who: Principal, mutation: str = "", proposal_id: str = "") -> SeededCard | None:
    """Put a wrong card before somebody; None where nothing recorded can be made wrong in such a way.

    Args:
        road: the road.
        who: the account that the card is shown to, of a person who may sign.
        mutation: how it is made wrong; empty: drawn.
        proposal_id: the proposal whose card it is made from; empty: drawn from the last ones that were sound.

    Raises:
        BadInput: there is no such mutation, or nobody stands behind the account who may sign.
        NotFound: there is no such proposal.
    """
    if mutation and mutation not in MUTATIONS:
        raise BadInput(f"there is no mutation `{mutation[:80]}`; take one of {', '.join(MUTATIONS)}")
    if not who.person or not signing_roles(who):
        raise BadInput(f"`{who.name}` signs nothing, so there is nothing to test; name the account of an approver")
    for card in _sources(road, who, proposal_id):
        wrong = _made_wrong(road, card, mutation)
        if wrong is not None:
            return _put(road, who, card, wrong)
    return None


def _put(road: Road, who: Principal, card: Card, wrong: Wrong) -> SeededCard:
    return road.ledger.do(lambda tables: _keep(road, tables, who, card, wrong))


def _sources(road: Road, who: Principal, proposal_id: str) -> list[Card]:
    """Return recorded cards that a wrong one can be made from, in an order that nobody can foresee."""
    queries = Queries(road, lambda _question, _horizon: Answer(sentences=(), refused=True))
    if proposal_id:
        return [queries.card(who, proposal_id)]
    last = road.ledger.read(lambda t: t.proposals.find(tenant=who.tenant, newest=True, limit=_FROM))
    cards = []
    for proposal in _shuffled([each for each in last if each.rehearsal_id and each.requester.startswith("agent:")]):
        try:
            card = queries.card(who, proposal.id)
        except NotFound:  # not for this person's eyes
            continue
        if card.rehearsal is not None and card.rehearsal.sound and card.diagnosis is not None:
            cards.append(card)
        if len(cards) >= len(MUTATIONS):
            break
    return cards


def _made_wrong(road: Road, card: Card, mutation: str) -> Wrong | None:
    if card.diagnosis is None or card.rehearsal is None:
        return None
    parts = Parts(card.proposal, card.diagnosis, card.rehearsal, card.evidence)
    elements = sorted(road.live.elements)
    for name in [mutation] if mutation else _shuffled(list(MUTATIONS)):
        wrong = MUTATIONS[name](parts, elements)
        if wrong is not None:
            return wrong
    return None


def _keep(road: Road, tables: Tables, who: Principal, card: Card, wrong: Wrong) -> Written[SeededCard]:
    now, roles = road.clock.now(), signing_roles(who)
    role = Role.APPROVER if Role.APPROVER in roles else min(roles)
    shown = _shown(road, card, wrong)
    made = SeededCard(
        id=shown.proposal.id,
        tenant=who.tenant,
        shift=_shift(road, tables, who),
        shown_to=who.name,
        card=shown.model_dump_json(),
        wrong=wrong.wrong,
        mutation=wrong.mutation,
        made_from=card.proposal.id,
        salt=secrets.token_hex(16),
        made_at=now,
        expires_at=shown.proposal.expires_at,
    )
    entries: list[Entry] = [*seeding.keep(road, tables, made)]
    told = tell(
        road,
        tables,
        [Watcher(who.name, who.person, role)],
        tenant=who.tenant,
        kind=NoticeKind.DECIDE,
        ref=made.id,
        text=f"{shown.proposal.title}: waits for you (`{made.id}`)",
        mark=f"{shown.proposal.rehearsal_id}:0:",
        deadline=now + (shown.proposal.expires_at - now) * road.settings.escalate_share,
        next_role=role,
        region=shown.proposal.region,
    )
    return Written(made, (*entries, *told.entries), told.messages)


def _shown(road: Road, card: Card, wrong: Wrong) -> Card:
    """Return the card as it is shown: as of now, under ids of its own, and consistent in all but what is wrong."""
    now, id, rehearsal_id = road.clock.now(), road.id("prop"), road.id("reh")
    proposal: Proposal = wrong.parts.proposal.but(
        id=id,
        change_id=road.id("chg"),
        state=ProposalState.HELD,
        state_reason="; ".join(rule.because for rule in card.decision.judgement.rules) if card.decision else "",
        rehearsal_id=rehearsal_id,
        decision_id=None if card.decision is None else road.id("dec"),
        deferred_until=None,
        replaces=None,
        made_at=now,
        expires_at=now + timedelta(seconds=road.settings.proposal_s),
    )
    digest = proposal.plan_digest
    rehearsal = wrong.parts.rehearsal.but(id=rehearsal_id, proposal_id=id, plan_digest=digest, made_at=now)
    same = {"proposal_id": id, "plan_digest": digest, "rehearsal_id": rehearsal_id, "made_at": now}
    decision = card.decision.but(id=proposal.decision_id, **same) if card.decision else None
    return card.but(
        proposal=proposal,
        rehearsal=rehearsal,
        decision=decision,
        evidence=wrong.parts.evidence,
        approvals=(),
        execution=None,
        steps=(),
        signatures_needed=card.signatures_needed or 1,
    )


def _shift(road: Road, tables: Tables, who: Principal) -> str:
    """Return the shift in which the card is shown; without a roster, the day."""
    now = road.clock.now()
    here = [shift.id for shift in standing(tables, who.tenant, now) if shift.account == who.name and shift.on(now)]
    return here[0] if here else f"{now:%Y-%m-%d}:{who.name}"


def _shuffled(things: Sequence[T]) -> list[T]:
    left = list(things)
    return [left.pop(secrets.randbelow(len(left))) for _ in range(len(left))]
