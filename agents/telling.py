"""What the record has to say to each kind of question: facts in, sentences with their citations out.

Each function answers one kind of question about one matter, with nothing that is not stored. Where the record
has nothing to say, it returns no sentence, and the narrator refuses.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agents.ports import Facts
from agents.wording import count, label, labels, percent, plain, quoted, said
from domain.answers import Sentence
from domain.diagnosis import Cause, Diagnosis, Verdict
from domain.evidence import Evidence
from domain.proposals import Proposal, ProposalState
from domain.records import Record

_MOST_EVENTS = 40

#: What the house records, in words. A kind that is not here is named as it is.
EVENTS: dict[str, str] = {
    "correlate.incident.opened": "the incident was opened",
    "correlate.incident.extended": "more alarms joined the incident",
    "correlate.incident.refreshed": "the incident's alarms were counted anew",
    "plane.handoff.made": "the case was handed over through the control plane",
    "plane.handoff.refused": "a hand-over was refused",
    "diagnose.incident.diagnosed": "the incident was diagnosed",
    "propose.proposal.drafted": "a plan was drafted",
    "propose.incident.nothing_new": "no new plan came of the diagnosis",
    "rehearse.proposal.rehearsed": "the plan was rehearsed in the twin",
    "judge.proposal.decided": "the policy book answered",
    "gate.proposal.approved": "the plan was approved",
    "gate.proposal.rejected": "the plan was rejected",
    "gate.proposal.changed": "another plan was asked for",
    "gate.proposal.deferred": "the decision was put off",
    "gate.proposal.refused": "an attempt to decide was refused",
    "gate.proposal.withdrawn": "the proposal was withdrawn",
    "gate.proposal.expired": "the proposal expired",
    "gate.grant.voided": "the grant was voided",
    "act.execution.begun": "carrying out the plan began",
    "act.step.intended": "a step was about to be taken",
    "act.step.settled": "it became known what came of a step",
    "act.step.settled_by_hand": "a person said what came of a step",
    "act.execution.verifying": "all steps were taken, and verification began",
    "act.execution.stopping": "somebody stopped the plan",
    "act.execution.compensating": "taking the steps back began",
    "act.execution.escalated": "a person was asked to decide",
    "verify.execution.failed": "verification failed",
    "verify.execution.settled": "the outcome was settled",
    "verify.incident.closed": "the incident was closed",
}


@dataclass(frozen=True)
class Matter:
    """What a question is about: an incident, or one of its proposals (`ref`); `names` are all that it named."""

    facts: Facts
    incident: str
    ref: str
    names: tuple[str, ...]
    proposals: tuple[Proposal, ...]
    diagnosis: Diagnosis | None

    @property
    def records(self) -> Sequence[Record]:
        """What mentions the incident, or only the proposal when one was named."""
        return self.facts.records(self.ref if self.ref.startswith("prop_") else self.incident)


def why(matter: Matter) -> list[Sentence]:
    """Name the cause, the evidence for it, how the trouble spread, and what would be different without it."""
    diagnosis = matter.diagnosis
    drafts = [_why_proposed(p) for p in matter.proposals] if matter.ref.startswith("prop_") else []
    if diagnosis is None:
        return drafts
    top = diagnosis.top
    if top is None:
        return [*drafts, _no_cause(diagnosis)]
    lead = Sentence(
        text=f"The likeliest cause of incident {label(matter.incident)} is that {said(top)} "
        f"({percent(top.confidence)} sure).",
        cites=(diagnosis.id,),
    )
    known = {item.id: item for item in matter.facts.evidence(matter.incident)}
    evidence = [_evidence(known[ref]) for ref in top.evidence_ids if ref in known][:5]
    return [*drafts, lead, *evidence, *_spread(matter, top, diagnosis), *_without(top, diagnosis)]


def how_sure(matter: Matter) -> list[Sentence]:
    """Give the confidence, the candidates that remain, and what weakens the diagnosis."""
    diagnosis = matter.diagnosis
    if diagnosis is None:
        return []
    if diagnosis.top is None:
        return [_no_cause(diagnosis)]
    texts = [f"Diagnosis {label(diagnosis.id)} is {percent(diagnosis.top.confidence)} sure that {said(diagnosis.top)}."]
    if diagnosis.candidate_set:
        texts.append(
            f"{percent(diagnosis.level)} of the confidence lies on {count(len(diagnosis.candidate_set), 'candidate')}: "
            f"{labels(diagnosis.candidate_set)}."
        )
    if diagnosis.provisional:
        texts.append("It is provisional: late data may still change it.")
    if diagnosis.degraded_by:
        texts.append(f"Sources were silent, which weakens it: {labels(diagnosis.degraded_by)}.")
    return [Sentence(text=text, cites=(diagnosis.id,)) for text in texts]


def not_checked(matter: Matter) -> list[Sentence]:
    """List what the diagnosis says that it could not look at."""
    diagnosis = matter.diagnosis
    if diagnosis is None:
        return []
    if not diagnosis.not_checked:
        return [Sentence(text=f"Diagnosis {label(diagnosis.id)} lists nothing as unchecked.", cites=(diagnosis.id,))]
    return [
        Sentence(text=f"Not checked: {plain(gap).rstrip('.')}.", cites=(diagnosis.id,)) for gap in diagnosis.not_checked
    ]


def timeline(matter: Matter) -> list[Sentence]:
    """Tell what was recorded, oldest first; of a long story, its beginning and its end."""
    records = list(matter.records)
    half = _MOST_EVENTS // 2
    shown = records if len(records) <= _MOST_EVENTS else records[:half] + records[-half:]
    return [Sentence(text=_event(record), cites=(record.id,)) for record in shown]


def approvals(matter: Matter) -> list[Sentence]:
    """Say who approved or rejected what, and with which reason."""
    spoken = [r for r in matter.records if r.kind.startswith("gate.proposal.") and not r.actor.startswith("plane")]
    if spoken:
        return [Sentence(text=_event(record), cites=(record.id,)) for record in spoken]
    return [
        Sentence(
            text=f"No person has signed proposal {label(proposal.id)}; it is {proposal.state}.", cites=(proposal.id,)
        )
        for proposal in matter.proposals
    ]


def done(matter: Matter) -> list[Sentence]:
    """List the steps that were taken and what became of each."""
    told = {"act.step.settled": _step, "act.step.settled_by_hand": _event}
    settled = [record for record in matter.records if record.kind in told]
    if settled:
        return [Sentence(text=told[record.kind](record), cites=(record.id,)) for record in settled]
    return [
        Sentence(
            text=f"No step of proposal {label(proposal.id)} was taken; it is {proposal.state}.", cites=(proposal.id,)
        )
        for proposal in matter.proposals
    ]


def outcome(matter: Matter) -> list[Sentence]:
    """Say how each plan ended, what verification saw, and how the incident was closed."""
    told = [sentence for proposal in matter.proposals for sentence in _outcome(matter, proposal)]
    closed = [record for record in matter.records if record.kind == "verify.incident.closed"]
    return [*told, *(Sentence(text=_event(record), cites=(record.id,)) for record in closed)]


def verdicts(matter: Matter) -> list[Sentence]:
    """Say what the policy book answered, and because of which rules."""
    decided = [record for record in matter.records if record.kind == "judge.proposal.decided"]
    told = [Sentence(text=_decision(record), cites=(record.id,)) for record in decided]
    spoken = (ProposalState.HELD, ProposalState.DENIED, ProposalState.REJECTED, ProposalState.WITHDRAWN)
    reasons = [p for p in matter.proposals if p.state in spoken and p.state_reason]
    return told + [
        Sentence(
            text=f"Proposal {label(p.id)} is {p.state}; recorded reason: {quoted(p.state_reason, 400)}.", cites=(p.id,)
        )
        for p in reasons
    ]


def _why_proposed(proposal: Proposal) -> Sentence:
    """An agent's reason is ours; one that a person typed is quoted."""
    ours = proposal.requester.startswith("agent:")
    reason = plain(proposal.why) if ours else quoted(proposal.why, 400)
    text = f"{label(proposal.requester)} asked for proposal {label(proposal.id)}: {reason}"
    return Sentence(text=text.rstrip(".") + ".", cites=(proposal.id,))


def _no_cause(diagnosis: Diagnosis) -> Sentence:
    found_none = diagnosis.verdict is Verdict.NO_FAULT
    text = "found no fault" if found_none else "cannot tell the cause from what is known"
    return Sentence(text=f"Diagnosis {label(diagnosis.id)} {text}.", cites=(diagnosis.id,))


def _evidence(item: Evidence) -> Sentence:
    at = f"{item.event_time:%H:%M:%S} UTC"
    text = f"Evidence: {plain(item.statement).rstrip('.')} ({label(item.source)}, {at})."
    if item.quoted.strip():
        text += f" The source wrote {quoted(item.quoted)}."
    return Sentence(text=text, cites=(item.id,))


def _spread(matter: Matter, top: Cause, diagnosis: Diagnosis) -> list[Sentence]:
    """Show the path to the element that was asked about, else the longest one."""
    if not top.paths:
        return []
    asked = [path for path in top.paths if path.symptom in matter.names]
    path = asked[0] if asked else max(top.paths, key=lambda path: (len(path.elements), path.symptom))
    way = " → ".join(label(element) for element in path.elements)
    text = f"It explains {count(len(top.paths), 'symptom')}; the trouble reached {label(path.symptom)} by {way}."
    return [Sentence(text=text, cites=(diagnosis.id, *path.evidence_ids[:4]))]


def _without(top: Cause, diagnosis: Diagnosis) -> list[Sentence]:
    texts = [top.counterfactual.statement] if top.counterfactual else []
    texts += [top.refutation] if top.refutation else []
    return [Sentence(text=plain(text).rstrip(".") + ".", cites=(diagnosis.id,)) for text in texts]


def _value(record: Record, name: str) -> Any:
    """Return a recorded value; None when there is none, or when it was redacted."""
    field = record.fields.get(name)
    return field.value if field else None


def _event(record: Record) -> str:
    what = EVENTS.get(record.kind, f"{label(record.kind)} was recorded")
    about = next((label(ref) for ref in record.refs if ref.startswith(("prop_", "inc_"))), "")
    text = (
        f"{record.event_time:%Y-%m-%d %H:%M:%S} UTC: {what}{f' ({about})' if about else ''}, by {label(record.actor)}"
    )
    details = [_value(record, name) for name in ("answer", "resolution", "state")]
    known = next((plain(str(detail), 40) for detail in details if detail), "")
    reason = _value(record, "because")
    return text + (f": {known}" if known else "") + (f"; reason given: {quoted(str(reason))}" if reason else "") + "."


def _step(record: Record) -> str:
    action = _value(record, "action") or {}
    kind, target = plain(str(action.get("kind", "a step")), 40), label(str(action.get("target", "")))
    text = f"{record.event_time:%H:%M:%S} UTC: {kind.replace('_', ' ')} at {target} was {_value(record, 'state')}"
    effect = _value(record, "took_effect")
    if effect is not None:
        text += ", and it took effect" if effect else ", and the device shows no effect of it"
    note = _value(record, "note")
    return text + (f"; noted: {quoted(str(note))}" if note else "") + "."


def _decision(record: Record) -> str:
    answer = plain(str(_value(record, "answer")), 20)
    rules = [str(rule) for rule in _value(record, "rules") or ()]
    text = f"The policy book answered {answer}" + (f" by {labels(rules, 8)}" if rules else "")
    because = _value(record, "because")
    text += f" ({plain(str(because))})" if because else ""
    errors = _value(record, "errors")
    return text + (f", and met {count(len(errors), 'error')}" if errors else "") + "."


def _outcome(matter: Matter, proposal: Proposal) -> list[Sentence]:
    execution = matter.facts.execution(proposal.id)
    if execution is None:
        text = f"Proposal {label(proposal.id)} was not carried out; it is {proposal.state}."
        return [Sentence(text=text, cites=(proposal.id,))]
    if execution.outcome is None:
        text = f"Execution {label(execution.id)} is {execution.state}; its outcome is not known yet."
        return [Sentence(text=text, cites=(execution.id,))]
    ended = execution.outcome
    because = f"; recorded reason: {quoted(ended.because, 400)}" if ended.because else ""
    passed = sum(check.passed for check in ended.checks)
    checks = f"; {passed} of {count(len(ended.checks), 'check')} passed" if ended.checks else ""
    text = f"Execution {label(execution.id)} ended as {ended.resolution.replace('_', ' ')}{checks}{because}."
    return [Sentence(text=text, cites=(execution.id, proposal.id))]
