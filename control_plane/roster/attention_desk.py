"""The desk of the approvers' attention: what they looked at, what they miss, whom they trust, deciding in batches."""

import json
from collections.abc import Sequence

from control_plane import reach, refusals
from control_plane.approvals import signing
from control_plane.horizon import Horizon
from control_plane.judging import ask, brief
from control_plane.rights import need
from control_plane.road import Road
from control_plane.roster import drawing, seeding, viewing
from control_plane.roster.attention import PersonAttention, ShiftAttention, by_person, by_shift
from control_plane.roster.on_call import account_of
from control_plane.roster.trust import Trust, trust
from control_plane.tables import Tables
from domain.actions import Harm
from domain.autonomy import Band
from domain.base import Word
from domain.decisions import Decision
from domain.errors import BadInput, NocturneError, NotFound, Refused
from domain.identity import Permission, Principal
from domain.proposals import Plan
from domain.roster import SeededCard, Viewing
from policies.chain import signing_roles

_HARMLESS = frozenset({Harm.NONE, Harm.LOW})


class Attention(Word):
    """What is known of people's attention. Rates carry exact intervals at 95 %."""

    seeded_share: float
    miss_limit: float
    people: tuple[PersonAttention, ...]
    shifts: tuple[ShiftAttention, ...]


class Answered(Word):
    """What came of one proposal of a batch: its state, or why it was not approved."""

    id: str
    state: str = ""
    reason: str = ""


@refusals.recorded
class AttentionDesk:
    """Commands and queries about attention."""

    def __init__(self, road: Road) -> None:
        self._road = road

    def attention(self, who: Principal) -> Attention:
        """Return attention by person and shift. It is about people, so few may read it."""
        need(who, Permission.KEEP_ROSTER)
        settings = self._road.settings

        def read(tables: Tables) -> Attention:
            return Attention(
                seeded_share=settings.seeded_share,
                miss_limit=settings.miss_limit,
                people=tuple(by_person(tables, who.tenant, settings.miss_limit)),
                shifts=tuple(by_shift(tables, who.tenant)),
            )

        return self._road.ledger.read(read)

    def trust(self, who: Principal) -> list[Trust]:
        """Return how far people trust each agent, by class of action."""
        need(who, Permission.READ)
        return self._road.ledger.read(lambda tables: trust(tables, who.tenant))

    def opened(self, who: Principal, proposal_id: str, evidence: Sequence[str] = ()) -> Viewing | None:
        """Keep that somebody who may sign opened a card, and which evidence. Raises NotFound or BadInput."""
        need(who, Permission.READ)
        if not signing_roles(who):
            return None

        def known(tables: Tables) -> tuple[str, ...]:
            card = seeding.open_card(tables, who, proposal_id, self._road.clock.now())
            if card is not None:
                return seeding.shown_proposal(card).evidence_ids
            proposal = tables.proposals.get(proposal_id)
            if proposal is None or not Horizon(self._road.live, who).proposal(tables, proposal):
                raise NotFound(f"there is no proposal `{proposal_id}`; `nocturne inbox` lists those that wait")
            return proposal.evidence_ids

        return viewing.opened(self._road, who, proposal_id, self._road.ledger.read(known), evidence)

    def seed(self, who: Principal, account: str, mutation: str = "", proposal_id: str = "") -> str:
        """Put a card that is wrong on purpose before somebody; return its id. Never to oneself.

        Raises:
            BadInput: there is no such account or mutation, or nothing recorded can be made wrong in this way.
            Refused: it is for the caller's own eyes.
        """
        need(who, Permission.SEED)
        found = self._road.ledger.read(lambda tables: account_of(tables, who.tenant, account))
        if found is None:
            raise BadInput(f"there is no account `{account[:128]}`; name the account of an approver")
        if found.name == who.name or found.person == who.person:
            raise Refused("nobody tests their own attention; ask somebody else to put the card before you")
        made = drawing.seed(self._road, found, mutation, proposal_id)
        if made is None:
            raise BadInput(
                "nothing recorded yet can be made wrong in this way; wait for proposals, or take another way"
            )
        return made.id

    def approve_batch(self, who: Principal, ids: Sequence[str], because: str) -> list[Answered]:
        """Approve several harmless proposals with one reason; each by the same rules as alone.

        Raises:
            BadInput: none or too many at once, or one of them twice.
            Refused: one of them could do harm, or put anybody at risk: then none is approved.
            NotFound: one of them is not there.
        """
        need(who, Permission.APPROVE)
        most = self._road.settings.batch_most
        if not 1 <= len(ids) <= most or len(set(ids)) < len(ids):
            raise BadInput(f"approve 1 to {most} different proposals at once; look at the others one by one")

        def check(tables: Tables) -> None:
            for id in ids:
                self._harmless(tables, who, id)

        self._road.ledger.read(check)
        return [self._approve(who, id, because) for id in ids]

    def _approve(self, who: Principal, id: str, because: str) -> Answered:
        try:
            return Answered(id=id, state=signing.approve(self._road, who, id, because).state)
        except NocturneError as error:
            return Answered(id=id, reason=error.reason)

    def _harmless(self, tables: Tables, who: Principal, id: str) -> None:
        """Refuse what deserves a look of its own."""
        card = seeding.open_card(tables, who, id, self._road.clock.now())
        if card is not None and card.id == id:
            self._refuse_risk(id, seeding.shown_proposal(card).plan, [_band(card)])
            return
        proposal = reach.proposal(self._road, tables, who, id)
        steps = ask(brief(self._road, tables, proposal), self._road.clock.now())
        self._refuse_risk(id, proposal.plan, [step.band for step in steps])

    @staticmethod
    def _refuse_risk(id: str, plan: Plan, bands: Sequence[Band]) -> None:
        if plan.harm not in _HARMLESS or any(band is not Band.NONE for band in bands):
            raise Refused(
                f"`{id}` could do harm; what could hurt somebody is not approved in a batch: look at it alone"
            )


def _band(card: SeededCard) -> Band:
    """Return the band of a seeded card, as its decision shows it."""
    shown = json.loads(card.card)["decision"]
    decision = Decision.model_validate(shown) if shown else None
    return Band(str(decision.context.get("band", Band.WIDE))) if decision else Band.WIDE
