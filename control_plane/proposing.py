"""Turning drafts into proposals: hand-offs through the plane, and what a new diagnosis means for older plans."""

from datetime import timedelta
from typing import NamedTuple

from control_plane.approvals import changes
from control_plane.gate import WAITING, entry, moved, withdraw
from control_plane.gathering import case_of
from control_plane.guards import throttle
from control_plane.handoffs import ask, hand_over
from control_plane.orders.behind import behind
from control_plane.ports import Planner, Written
from control_plane.replay import pins
from control_plane.replay.tape import Recording, recording
from control_plane.road import Road
from control_plane.tables import Message, Tables
from domain.actions import ActionClass
from domain.agents import Case
from domain.diagnosis import Diagnosis, Verdict
from domain.incidents import Incident
from domain.proposals import Draft, Proposal, ProposalState
from domain.records import Entry

_PAPERWORK = frozenset({ActionClass.OPEN_TICKET, ActionClass.CANCEL_TICKET})
_PREPARATION = frozenset({ActionClass.TRAIN_MODEL, ActionClass.RETIRE_MODEL})
#: What people refused or what was tried is not asked for again; what the rules denied may be, on newer knowledge.
_NOT_AGAIN = frozenset({ProposalState.REJECTED, ProposalState.SETTLED, ProposalState.CHANGED})
_REPLACEABLE = frozenset({ProposalState.DRAFTED, ProposalState.REHEARSED, *WAITING})


def repairs(proposal: Proposal) -> bool:
    """Say whether a proposal would change what is in trouble or prepare it, rather than write a ticket about it."""
    return not _PAPERWORK.issuperset(proposal.plan.classes)


def recovers_nothing(proposal: Proposal) -> bool:
    """Say whether a proposal by itself ends no trouble: it is done when what it wrote can be read back."""
    return (_PAPERWORK | _PREPARATION).issuperset(proposal.plan.classes)


def ask_planners(road: Road, incident: Incident, diagnosis: Diagnosis) -> None:
    """Ask every planner that may be handed this diagnosis; then note that it was done."""
    drafts = [] if diagnosis.verdict is not Verdict.CAUSE else _drafts(road, incident, diagnosis)
    now_done = incident.but(proposed_for=diagnosis.id)

    def change(tables: Tables) -> Written[None]:
        if not tables.incidents.swap(incident, now_done):
            return Written(None)
        entries: list[Entry] = []
        messages: list[Message] = []
        entries += _withdraw_outdated(road, tables, incident, diagnosis, drafts)
        for drafted in drafts:
            draft = drafted.draft
            standing = _standing(tables, incident, draft)
            if standing is not None:
                entries.append(_renew(road, tables, standing, diagnosis, drafted))
                continue
            made = _proposal(road, tables, drafted.planner, incident, diagnosis, draft)
            if made and (told := throttle.stands_against(road, tables, incident, made.requester, draft.plan)):
                entries, messages = [*entries, *told.entries], [*messages, *told.messages]
                continue
            if made is not None:
                tables.proposals.add(made)
                changes.follow(tables, made, made.made_at)
                pinned = drafted.pin(road, tables, made)
                refs = (diagnosis.id, *draft.evidence_ids[:32])
                said = {"plan": made.plan.model_dump(mode="json"), "why": made.why, "pinned": pinned}
                entries.append(entry(road, "propose.proposal.drafted", made.requester, made, refs, **said))
        entries = entries or [_nothing(road, incident, diagnosis)]
        return Written(None, tuple(entries), tuple(messages))

    road.ledger.do(change)


class Drafted(NamedTuple):
    """What one planner drafted, the case it was handed, and what it heard meanwhile."""

    planner: Planner
    draft: Draft
    case: Case
    tape: Recording

    def pin(self, road: Road, tables: Tables, proposal: Proposal) -> str:
        """Keep what the plan was made from; return the digest of that."""
        pin = pins.of_plan(road, self.planner.card.name, self.case, self.tape, proposal, self.draft)
        pins.keep(road, tables, pin, self.tape)
        return pin.inputs_digest


def _drafts(road: Road, incident: Incident, diagnosis: Diagnosis) -> list[Drafted]:
    """Hand the case to each planner; a ticket waits until the diagnosis is no longer provisional."""
    drafts, sender = [], road.diagnostician_for(incident).card
    for planner in road.planners:
        if planner.card.name not in sender.hands_to:
            continue
        if diagnosis.provisional and planner.card.name == "ticketing":
            continue
        case = case_of(road, incident)
        ticket = hand_over(road, incident.id, sender, planner.card, diagnosis.id)
        case = case.but(hand_off_id=ticket.id, diagnosis=diagnosis)
        with recording() as tape:
            draft = ask(road, planner, case)
        if draft is not None:
            drafts.append(Drafted(planner, draft, case, tape))
    return drafts


def _withdraw_outdated(
    road: Road, tables: Tables, incident: Incident, diagnosis: Diagnosis, drafts: list[Drafted]
) -> list[Entry]:
    """Withdraw repairs that wait and that the new diagnosis does not ask for any more; leave the others standing."""
    wanted = {drafted.draft.plan.digest for drafted in drafts}
    entries = []
    for proposal in tables.proposals.find(incident_id=incident.id, state=tuple(_REPLACEABLE)):
        if repairs(proposal) and proposal.plan_digest not in wanted and proposal.requester.startswith("agent:"):
            because = f"the diagnosis was revised (`{diagnosis.id}`), and no longer asks for this plan"
            entries.append(withdraw(road, tables, proposal, because)[1])
    return entries


def _standing(tables: Tables, incident: Incident, draft: Draft) -> Proposal | None:
    """Return the proposal of exactly this plan that people have not let pass yet, if there is one."""
    replaceable = tables.proposals.find(incident_id=incident.id, state=tuple(_REPLACEABLE))
    return next((p for p in replaceable if p.plan_digest == draft.plan.digest), None)


def _renew(road: Road, tables: Tables, standing: Proposal, diagnosis: Diagnosis, drafted: Drafted) -> Entry:
    """Put a standing proposal on the newer diagnosis; it is rehearsed, judged and signed again."""
    draft = drafted.draft
    renewed = moved(
        tables,
        standing,
        ProposalState.DRAFTED,
        f"renewed on `{diagnosis.id}`",
        at=road.clock.now(),
        diagnosis_id=diagnosis.id,
        why=draft.why,
        evidence_ids=draft.evidence_ids,
        confidence=draft.confidence,
        alternatives=draft.alternatives,
    )
    refs = (diagnosis.id, *draft.evidence_ids[:32])
    said = {"why": renewed.why, "pinned": drafted.pin(road, tables, renewed)}
    return entry(road, "propose.proposal.renewed", renewed.requester, renewed, refs, **said)


def _proposal(
    road: Road, tables: Tables, planner: Planner, incident: Incident, diagnosis: Diagnosis, draft: Draft
) -> Proposal | None:
    """Return the proposal for a draft, or None when the same plan stands, was refused, or was tried already."""
    digest = draft.plan.digest
    earlier = tables.proposals.find(incident_id=incident.id, requester=planner.card.principal)
    paperwork = _PAPERWORK.issuperset(draft.plan.classes)
    same = [p for p in earlier if paperwork or p.plan_digest == digest]
    if any(p.live or p.state in _NOT_AGAIN for p in same):
        return None
    now = road.clock.now()
    return Proposal(
        id=road.id("prop"),
        incident_id=incident.id,
        diagnosis_id=diagnosis.id,
        change_id=road.id("chg"),
        tenant=incident.tenant,
        region=incident.region,
        requester=planner.card.principal,
        on_behalf_of=behind(tables, incident),
        title=draft.title,
        why=draft.why,
        plan=draft.plan,
        plan_digest=digest,
        evidence_ids=draft.evidence_ids,
        confidence=draft.confidence,
        cause_element=draft.cause_element,
        alternatives=draft.alternatives,
        expires_at=now + timedelta(seconds=road.settings.proposal_s),
        made_at=now,
    )


def _nothing(road: Road, incident: Incident, diagnosis: Diagnosis) -> Entry:
    """No plan came of the diagnosis: say so, and who is next."""
    return Entry(
        kind="propose.incident.nothing_new",
        actor="plane",
        refs=(incident.id, diagnosis.id),
        event_time=road.clock.now(),
        tenant=incident.tenant,
        residency=incident.region,
        fields={
            "verdict": diagnosis.verdict,
            "next_role": "operator",
            "deadline": (road.clock.now() + timedelta(seconds=road.settings.proposal_s)).isoformat(),
        },
    )
