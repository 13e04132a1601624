"""Another book is in force: what waits for people is judged again under it, with the signatures that it has.

What the new book forbids is withdrawn; what it lets pass as signed is granted; the rest waits on, by the new rules.
What a person put off is granted by nobody but a person, and what is past its time by nobody at all.
"""

from functools import partial

from control_plane.approvals.signing import grant
from control_plane.approvals.verdict import missing
from control_plane.gate import WAITING, entry, withdraw
from control_plane.guards import passing
from control_plane.judging import brief, judge
from control_plane.policy.activation import refresh
from control_plane.ports import Written
from control_plane.replay import pins
from control_plane.road import Road
from control_plane.tables import Message, Tables
from domain.decisions import Decision, Ruling
from domain.proposals import Proposal, ProposalState
from domain.records import Entry


def policy_changed(road: Road, _ref: str) -> None:
    """Judge everything again that waits; the errand of a book that came into force."""
    refresh(road)
    for id in road.ledger.read(lambda tables: [proposal.id for proposal in tables.proposals.find(state=WAITING)]):
        road.ledger.do(partial(_again, road, id))
    road.bell.set()


def _again(road: Road, id: str, tables: Tables) -> Written[None]:
    proposal = tables.proposals.get(id)
    if proposal is None or proposal.state not in WAITING or road.clock.now() >= proposal.expires_at:
        return Written(None)
    about, now = brief(road, tables, proposal), road.clock.now()
    judgement = judge(road, about, now, about.signatures)
    before = tables.decisions.get(proposal.decision_id or "")
    if before is not None and before.judgement == judgement:
        return Written(None)
    decision, pinned = pins.decided(road, tables, about, now, judgement)
    judged = proposal.but(decision_id=decision.id)
    if not tables.proposals.swap(proposal, judged):
        return Written(None)
    made, messages = _consequence(road, tables, judged, decision)
    return Written(None, (_decided(road, judged, decision, pinned), *made), messages)


def _consequence(
    road: Road, tables: Tables, proposal: Proposal, decision: Decision
) -> tuple[tuple[Entry, ...], tuple[Message, ...]]:
    because = "; ".join(rule.because for rule in decision.judgement.rules)
    if decision.judgement.answer is Ruling.DENY:
        _, withdrawn = withdraw(road, tables, proposal, f"the policy book that is in force now forbids it: {because}")
        return (withdrawn,), (road.wake(proposal.incident_id),)
    if proposal.state is not ProposalState.HELD:
        return (), ()
    about = brief(road, tables, proposal)
    if decision.judgement.answer is not Ruling.ALLOW or missing(road, about, road.clock.now()):
        return (), ()
    if passing.against(road, tables, about):
        return (), ()
    granted, grant_id, messages = grant(
        road, tables, about, "the policy book that is in force now lets it pass as signed"
    )
    return (entry(road, "gate.proposal.granted", "plane", granted, (grant_id,), because=because),), messages


def _decided(road: Road, proposal: Proposal, decision: Decision, pinned: str) -> Entry:
    judgement = decision.judgement
    said = {
        "answer": judgement.answer,
        "rules": [rule.id for rule in judgement.rules],
        "because": "; ".join(rule.because for rule in judgement.rules),
        "errors": list(judgement.errors),
        "context": decision.context,
        "pinned": pinned,
    }
    return entry(road, "judge.proposal.decided", "plane", proposal, (decision.id,), **said)
