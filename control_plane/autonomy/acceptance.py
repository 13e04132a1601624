"""How often people accept what agents ask for, as it was asked; and whether they have begun to accept less.

Only what a person decided counts: expired and withdrawn proposals, and those that no person was asked about, do not.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from control_plane.gate import grant_id_of
from control_plane.ports import Written
from control_plane.road import Road
from control_plane.roster.notices import to_role
from control_plane.tables import Message, Tables
from domain.actions import ActionClass
from domain.base import Word
from domain.identity import Role
from domain.proposals import Proposal, ProposalState
from domain.records import Entry
from domain.roster import NoticeKind
from stats.anytime import Watch
from stats.shares import clopper_pearson

#: So many newest proposals are looked at.
_MOST = 2000
#: The first so many decisions say what is usual; a drop is a drop from there.
_USUAL = 30
_SUSPICION = 20.0
#: Told again after so many more decisions.
_MOST_AGAIN = 100
_YES = frozenset({ProposalState.GRANTED, ProposalState.EXECUTING, ProposalState.SETTLED})
_NO = frozenset({ProposalState.REJECTED, ProposalState.CHANGED})


class Acceptance(Word):
    """One agent and class of action; `low` and `high` hold the true share of acceptance with 95 %."""

    agent: str
    action: ActionClass
    decided: int
    accepted: int
    share: float
    low: float
    high: float
    dropped: bool


def acceptance(tables: Tables, tenant: str, agent: str = "") -> list[Acceptance]:
    """Return the acceptance of each agent (or of one) and class of action, by name."""
    where: dict[str, Any] = {"tenant": tenant} | ({"requester": agent} if agent else {})
    proposals = tables.proposals.find(newest=True, limit=_MOST, **where)[::-1]
    decided: dict[tuple[str, ActionClass], list[bool]] = {}
    for proposal in proposals:
        accepted = _accepted(tables, proposal)
        if accepted is None or not proposal.requester.startswith("agent:"):
            continue
        for action in proposal.plan.classes:
            decided.setdefault((proposal.requester, action), []).append(accepted)
    return [_row(agent, action, each) for (agent, action), each in sorted(decided.items())]


def dropped(accepted: Sequence[bool]) -> bool:
    """Say whether people accept surely less than they did at first: the share of their no's has risen.

    The first 30 decisions give the usual share of no's, by its upper 95 % bound; an e-process that may be looked at
    after every later decision says when it is exceeded.
    """
    usual = list(accepted[:_USUAL])
    if len(usual) < _USUAL:
        return False
    limit = min(max(clopper_pearson(usual.count(False), len(usual))[1], 0.05), 0.95)
    watch = Watch()
    for yes in accepted[_USUAL:]:
        watch = watch.after(not yes, limit)
        if watch.e_value >= _SUSPICION:
            return True
    return False


def look(road: Road, ref: str) -> None:
    """Errand: tell operators when people have begun to accept less of an agent; `ref` is `tenant|agent`."""
    tenant, _, agent = ref.partition("|")

    def change(tables: Tables) -> Written[None]:
        entries: list[Entry] = []
        messages: list[Message] = []
        for row in acceptance(tables, tenant, agent):
            if not row.dropped:
                continue
            text = (
                f"people accept less of what `{row.agent}` asks for in {row.action} than they did: "
                f"{row.accepted} of {row.decided} in all; look at its newest proposals"
            )
            told = to_role(
                road,
                tables,
                Role.OPERATOR,
                tenant=tenant,
                kind=NoticeKind.ALARM,
                ref=ref,
                text=text,
                mark=f"{row.action} {row.decided // _MOST_AGAIN}",
            )
            entries += told.entries
            messages += told.messages
        return Written(None, tuple(entries), tuple(messages))

    road.ledger.do(change)


def _accepted(tables: Tables, proposal: Proposal) -> bool | None:
    """Say what a person said of a proposal; None: no person has decided."""
    if proposal.state in _NO:
        return False
    if proposal.state not in _YES:
        return None
    grant = tables.grants.get(grant_id_of(proposal.id))
    return True if grant is not None and grant.approval_ids else None


def _row(agent: str, action: ActionClass, decisions: Iterable[bool]) -> Acceptance:
    each = list(decisions)
    accepted = sum(each)
    low, high = clopper_pearson(accepted, len(each))
    return Acceptance(
        agent=agent,
        action=action,
        decided=len(each),
        accepted=accepted,
        share=accepted / len(each),
        low=low,
        high=high,
        dropped=dropped(each),
    )
