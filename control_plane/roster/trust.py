"""Do people still trust the agents? Acceptance, passing over, and the time to decide, from recorded decisions.

That agents are passed over is told early: when the last proposals expire undecided surely more often than those
before (by intervals that do not touch), or when decisions take surely longer than they did. That they are accepted
less is told by `control_plane.autonomy.acceptance`.
"""

from collections import defaultdict
from collections.abc import Sequence
from statistics import median

from control_plane.road import Road
from control_plane.roster.attention import Rate, rate
from control_plane.roster.notices import Told, to_role
from control_plane.tables import Tables
from domain.base import Word
from domain.identity import Role
from domain.proposals import Proposal, ProposalState
from domain.records import Entry
from domain.roster import NoticeKind
from stats.proportions import later_are_larger

_S = ProposalState
_ACCEPTED = frozenset({_S.GRANTED, _S.EXECUTING, _S.SETTLED})
_REFUSED = frozenset({_S.REJECTED, _S.CHANGED})
#: The last decisions that are held against those before them.
_LAST = 20
_MOST = 400
_SURE = 0.01
_SLOWER = 1.5


class Trust(Word):
    """What people make of one agent's proposals of one class of action.

    `ignored` is what expired undecided. `seconds` is the median time to decide, lately and before; `slower` is the
    chance of such times, were people as quick as before.
    """

    requester: str
    action: str
    accepted: Rate
    before: Rate
    ignored: Rate
    ignored_before: Rate
    seconds: float | None
    seconds_before: float | None
    slower: float
    alarms: tuple[str, ...]


def trust(tables: Tables, tenant: str) -> list[Trust]:
    """Return the trust in every agent, by class of action, from what people decided."""
    agents = sorted({p.requester for p in tables.proposals.find(tenant=tenant, newest=True, limit=5 * _MOST)})
    return [row for agent in agents if agent.startswith("agent:") for row in trust_in(tables, tenant, agent)]


def trust_in(tables: Tables, tenant: str, requester: str) -> list[Trust]:
    """Return the trust in one agent, by class of action."""
    recent = tables.proposals.find(tenant=tenant, requester=requester, newest=True, limit=_MOST)
    by_class: dict[str, list[tuple[Proposal, float | None]]] = defaultdict(list)
    for proposal in reversed(recent):
        by_people, seconds = _by_people(tables, proposal)
        if by_people:
            by_class[proposal.plan.steps[0].kind].append((proposal, seconds))
    return [_row(requester, action, rows) for action, rows in sorted(by_class.items())]


def notice_drop(road: Road, tables: Tables, tenant: str, requester: str) -> Told:
    """Tell who keeps the roster's people when trust in an agent has dropped; once a day for each alarm."""
    told = Told()
    for row in trust_in(tables, tenant, requester):
        for alarm in row.alarms:
            one = to_role(
                road,
                tables,
                Role.CHANGE_MANAGER,
                tenant=tenant,
                kind=NoticeKind.ALARM,
                ref=f"trust:{requester}:{row.action}",
                text=f"people trust `{requester}` less in `{row.action}`: {alarm}",
                mark=f"{alarm.split(':')[0]} {road.clock.now():%Y-%m-%d}",
            )
            fields = {"requester": requester, "action": row.action, "alarm": alarm}
            now = road.clock.now()
            said = Entry(kind="attention.trust.dropped", actor="plane", event_time=now, tenant=tenant, fields=fields)
            entries = (*one.entries, said) if one.notices else ()
            told = Told((*told.notices, *one.notices), (*told.entries, *entries), (*told.messages, *one.messages))
    return told


def _by_people(tables: Tables, proposal: Proposal) -> tuple[bool, float | None]:
    """Say whether people decided on a proposal (or let it expire), and how long that took in seconds."""
    if proposal.state is _S.EXPIRED:
        return True, None
    if proposal.state not in _ACCEPTED | _REFUSED:
        return False, None
    approvals = tables.approvals.find(proposal_id=proposal.id)
    if not approvals:
        return False, None  # allowed by the book: nobody was asked
    decision = tables.decisions.get(proposal.decision_id or "")
    since = decision.made_at if decision else proposal.made_at
    return True, max(0.0, (approvals[0].made_at - since).total_seconds())


def _row(requester: str, action: str, rows: Sequence[tuple[Proposal, float | None]]) -> Trust:
    late, early = rows[-_LAST:], rows[:-_LAST]
    accepted, before = _accepted(late), _accepted(early)
    ignored, ignored_before = _ignored(late), _ignored(early)
    now_s, then_s = [s for _, s in late if s is not None], [s for _, s in early if s is not None]
    slower = later_are_larger(then_s, now_s)
    seconds, seconds_before = (median(now_s) if now_s else None), (median(then_s) if then_s else None)
    alarms = []
    if ignored.n and ignored_before.n and ignored.low > ignored_before.high:
        alarms.append(
            f"ignored: {ignored.count} of {ignored.n} lately, {ignored_before.count} of {ignored_before.n} before"
        )
    if seconds is not None and seconds_before is not None and slower < _SURE and seconds > _SLOWER * seconds_before:
        alarms.append(f"time: {seconds:.0f} s to decide lately, {seconds_before:.0f} s before")
    return Trust(
        requester=requester,
        action=action,
        accepted=accepted,
        before=before,
        ignored=ignored,
        ignored_before=ignored_before,
        seconds=seconds,
        seconds_before=seconds_before,
        slower=slower,
        alarms=tuple(alarms),
    )


def _accepted(rows: Sequence[tuple[Proposal, float | None]]) -> Rate:
    decided = [proposal for proposal, _ in rows if proposal.state is not _S.EXPIRED]
    return rate(sum(proposal.state in _ACCEPTED for proposal in decided), len(decided))


def _ignored(rows: Sequence[tuple[Proposal, float | None]]) -> Rate:
    return rate(sum(proposal.state is _S.EXPIRED for proposal, _ in rows), len(rows))
