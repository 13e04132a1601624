"""The inbox and the card in a terminal.

Everything is built from `Text`, never from markup strings, and whatever came from outside goes through `plain` or
`quoted`: so no alarm text can colour, move, hide or pretend anything.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from api.views import autonomy
from api.views.cards import CardView, IncidentPage
from api.views.text import plain, quoted
from domain.actions import Action
from domain.alarms import Alarm
from domain.diagnosis import Cause, Diagnosis, Verdict
from domain.evidence import Evidence
from domain.incidents import Incident
from domain.models import ModelTrial
from domain.proposals import Proposal, ProposalState
from domain.rehearsal import Forecast, Rehearsal

_WAITING = {ProposalState.HELD, ProposalState.DEFERRED}
_MOVING = {ProposalState.GRANTED, ProposalState.EXECUTING}
_MOST_LINES = 12


def inbox(cards: Sequence[CardView]) -> RenderableType:
    """Return the table of what waits for a person."""
    if not cards:
        return Text("Nothing waits for you.")
    table = _table("proposal", "state", "what", "harm", "signatures", "expires (UTC)")
    for card in cards:
        proposal = card.proposal
        signatures = f"{len(card.signed)} of {'?' if card.signatures_needed is None else card.signatures_needed}"
        table.add_row(
            Text(proposal.id, no_wrap=True),
            Text(proposal.state),
            Text(plain(proposal.title, 120)),
            Text(proposal.plan.harm),
            Text(signatures),
            Text(f"{proposal.expires_at:%H:%M:%S}"),
        )
    return Group(table, *_commands([f"nocturne show {card.proposal.id}" for card in cards[:3]]))


def card(view: CardView) -> RenderableType:
    """Return everything that one needs to decide on a proposal, and the exact commands to do so."""
    proposal = view.proposal
    parts = [
        _heading(f"{proposal.id}  {proposal.state}  {plain(proposal.title, 120)}"),
        _line("why", plain(proposal.why, 1000)),
        _line("asked for by", f"{plain(proposal.requester)}, {_share(proposal.confidence)} sure"),
        *([_line("note", plain(proposal.state_reason, 500))] if proposal.state_reason else []),
        *_incident(view.incident, view.alarms),
        *_diagnosis(view.diagnosis),
        *_newer(view),
        *_evidence(view.evidence),
        *_plan(view),
        *_rehearsal(view.rehearsal),
        *_rules(view),
        *_approvals(view),
        *_execution(view),
        *_commands(next_commands(proposal)),
    ]
    return Group(*parts)


def incident(page: IncidentPage) -> RenderableType:
    """Return an incident with its diagnosis and what was proposed."""
    rows = [_line(proposal.id, f"{proposal.state}  {plain(proposal.title, 120)}") for proposal in page.proposals]
    parts = [*_incident(page.incident, page.alarms), *_diagnosis(page.diagnosis), *_evidence(page.evidence)]
    return Group(*parts, _heading("Proposals"), *(rows or [_line("", "none")]))


def incidents(rows: Sequence[Incident]) -> RenderableType:
    """Return the table of incidents."""
    if not rows:
        return Text("There is no such incident.")
    table = _table("incident", "state", "severity", "alarms", "elements", "opened (UTC)", "ended")
    for row in rows:
        table.add_row(
            Text(row.id, no_wrap=True),
            Text(row.state),
            Text(row.severity),
            Text(f"{row.open_alarms} open of {len(row.alarm_ids)}"),
            Text(plain(", ".join(row.elements[:3]), 80)),
            Text(f"{row.opened_at:%Y-%m-%d %H:%M:%S}"),
            Text(row.resolution or ""),
        )
    return table


def next_commands(proposal: Proposal) -> list[str]:
    """Return the commands that make sense for a proposal in its present state."""
    if proposal.state in _WAITING:
        return [
            f'nocturne approve {proposal.id} --because "…"',
            f'nocturne reject {proposal.id} --because "…"',
            f'nocturne change {proposal.id} --plan FILE --because "…"',
            f'nocturne defer {proposal.id} --minutes 10 --because "…"',
        ]
    if proposal.state in _MOVING:
        return [f'nocturne stop {proposal.id} --because "…"']
    return [f"nocturne audit show {proposal.id}"]


def _incident(incident: Incident, alarms: Sequence[Alarm]) -> Iterable[RenderableType]:
    yield _heading("Incident")
    state = f"{incident.state}, {incident.severity}, since {incident.opened_at:%H:%M:%S} UTC"
    yield _line(incident.id, state + (f", ended {incident.resolution}" if incident.resolution else ""))
    for alarm in alarms[:_MOST_LINES]:
        said = f"  {quoted(alarm.text, 120)}" if alarm.text else ""
        yield _line(
            "alarm",
            f"{plain(alarm.resource)}  {alarm.key.type}  {'cleared' if alarm.cleared else alarm.severity}{said}",
        )
    yield from _more(alarms)


def _diagnosis(diagnosis: Diagnosis | None) -> Iterable[RenderableType]:
    yield _heading("Diagnosis")
    if diagnosis is None:
        yield _line("", "none yet")
        return
    if diagnosis.verdict is not Verdict.CAUSE:
        yield _line("verdict", {Verdict.NO_FAULT: "no fault", Verdict.CANNOT_TELL: "cannot tell"}[diagnosis.verdict])
    for rank, cause in enumerate(diagnosis.causes[:5], 1):
        yield from _cause(rank, cause)
    if diagnosis.candidate_set:
        names = plain(", ".join(diagnosis.candidate_set), 400)
        yield _line("candidates", f"{names}  (hold {diagnosis.level:.0%} of the confidence)")
    yield _line("not checked", plain("; ".join(diagnosis.not_checked), 600) or "nothing was left out")
    if diagnosis.degraded_by:
        yield _line("silent", plain(", ".join(diagnosis.degraded_by), 400))
    if diagnosis.provisional:
        yield _line("", "provisional: it is revised when later data arrives")


def _newer(view: CardView) -> Iterable[RenderableType]:
    """Say it when the incident has been diagnosed anew since the plan was made."""
    newest = view.latest
    if newest is None or view.diagnosis is None or newest.id == view.diagnosis.id:
        return
    top = newest.top
    says = f"{_share(top.confidence)}  {plain(top.element)}  {top.fault}" if top else newest.verdict
    yield _line("meanwhile", f"a newer diagnosis says: {says}")


def _cause(rank: int, cause: Cause) -> Iterable[RenderableType]:
    yield _line(f"cause {rank}", f"{_share(cause.confidence):>6}  {plain(cause.element)}  {cause.fault}")
    if rank > 1:
        return  # what did not win needs no reasons here; `show --json` has them
    for path in cause.paths[:3]:
        yield _line("path", plain(" → ".join(path.elements), 400))
    if cause.counterfactual is not None:
        share = f"explains {cause.counterfactual.explained_share:.0%} of what is seen"
        yield _line("had it not been", f"{plain(cause.counterfactual.statement, 400)} ({share})")
    if cause.refutation:
        yield _line("refutation", plain(cause.refutation, 400))


def _share(confidence: float) -> str:
    """Nothing is certain, and nothing that is listed is impossible."""
    if 0 < confidence < 0.01:
        return "< 1%"
    return "> 99%" if confidence > 0.99 else f"{confidence:.0%}"


def _evidence(evidence: Sequence[Evidence]) -> Iterable[RenderableType]:
    if not evidence:
        return
    yield _heading("Evidence")
    for fact in evidence[:_MOST_LINES]:
        said = f"  it said {quoted(fact.quoted, 120)}" if fact.quoted else ""
        yield _line(
            fact.id,
            f"{plain(fact.element)}: {plain(fact.statement)}  ({plain(fact.source)}, {fact.event_time:%H:%M:%S}){said}",
        )
    yield from _more(evidence)


def _plan(view: CardView) -> Iterable[RenderableType]:
    yield _heading("Plan")
    done = {(step.kind.value, step.index): step for step in view.steps}
    for index, action in enumerate(view.proposal.plan.steps):
        step = done.get(("step", index))
        state = f"  [{step.state}]" if step else ""
        inverse = action.inverse()
        undo = f"undone by {_action(inverse)}" if inverse is not None else "cannot be undone"
        yield _line(f"step {index + 1}", f"{_action(action)}  (harm if wrong: {action.harm}; {undo}){state}")
    yield _line("digest", view.proposal.plan_digest)


def _action(action: Action) -> str:
    details = action.model_dump(mode="json", exclude={"kind", "target"})
    given = ", ".join(f"{name}={quoted(value, 80)}" for name, value in details.items() if value not in (None, ""))
    return f"{action.kind} {plain(action.target)}" + (f" ({given})" if given else "")


def _rehearsal(rehearsal: Rehearsal | None) -> Iterable[RenderableType]:
    yield _heading("Rehearsal")
    if rehearsal is None:
        yield _line("", "none yet")
        return
    if rehearsal.trial is not None:
        yield from _trial(rehearsal, rehearsal.trial)
        return
    if rehearsal.hindsight is not None:
        yield from autonomy.hindsight(rehearsal, rehearsal.hindsight)
        return
    table = _table("", "lost Mbit/s", "interval", "busiest link", "down", "demands hit", "customers hit")
    for name, forecast in (("do nothing", rehearsal.nothing), ("plan", rehearsal.plan), ("undone", rehearsal.inverse)):
        if forecast is not None:
            table.add_row(*_forecast(name, forecast))
    yield table
    if rehearsal.blast is not None:
        yield _line("after the plan", rehearsal.blast.told)
    yield _line("verdict", "better than doing nothing" if rehearsal.sound else "not better than doing nothing")
    for reason in rehearsal.reasons:
        yield _line("", plain(reason, 400))
    yield _line("recovers", plain(", ".join(rehearsal.recovers), 400) or "nothing")
    yield _line("at risk", plain(", ".join(rehearsal.at_risk), 400) or "nothing")
    fit = "" if rehearsal.twin_fit else "  the twin does not fit what is observed"
    error = "unknown" if rehearsal.twin_error is None else f"{rehearsal.twin_error:.0%}"
    yield _line("twin", f"error {error}, chance to heal by itself {rehearsal.self_heal:.0%}{fit}")
    if rehearsal.fidelity is not None:
        yield _line("", plain(rehearsal.fidelity.reason, 400))


def _trial(rehearsal: Rehearsal, trial: ModelTrial) -> Iterable[RenderableType]:
    """A plan about a model is rehearsed on recorded cases; nothing in the network changes by it."""
    table = _table("version", "", "wrong", "of cases")
    for version, role, errors in (
        (trial.serving, "serves", trial.serving_errors),
        (trial.candidate, "would serve", trial.candidate_errors),
    ):
        table.add_row(Text(plain(version)), Text(role), Text(str(errors)), Text(str(trial.cases)))
    yield table
    yield _line("verdict", "it errs less" if rehearsal.sound else "not shown to err less")
    yield _line("chance", f"{_share(trial.chance_better)} that it errs less")
    for reason in rehearsal.reasons:
        yield _line("", plain(reason, 400))


def _forecast(name: str, forecast: Forecast) -> list[Text]:
    impact = forecast.expected
    interval = f"{forecast.lost_low:.1f} – {forecast.lost_high:.1f} ({forecast.level:.0%})"
    counts = (len(impact.unavailable), len(impact.demands_hit), len(impact.customers_hit))
    return [
        Text(cell)
        for cell in (name, f"{impact.lost_mbps:.1f}", interval, f"{impact.max_utilisation:.0%}", *map(str, counts))
    ]


def _rules(view: CardView) -> Iterable[RenderableType]:
    yield _heading("Rules")
    if view.decision is None:
        yield _line("", "not judged yet")
        return
    judgement = view.decision.judgement
    yield _line("answer", f"{judgement.answer}  (policy {plain(judgement.policy_version, 20)})")
    for rule in judgement.rules:
        yield _line(rule.id, plain(rule.because, 400))
    for error in judgement.errors:
        yield _line("error", plain(error, 400))


def _approvals(view: CardView) -> Iterable[RenderableType]:
    yield _heading("Approvals")
    for approval in view.approvals:
        who = f"{plain(approval.person or approval.account)}, {approval.made_at:%H:%M:%S} UTC"
        yield _line(approval.choice, f"{who}: {quoted(approval.because, 200)}")
    needed = view.signatures_needed
    if needed is not None and view.proposal.state in _WAITING:
        yield _line(
            "", f"{len(view.signed)} of {needed} signatures, of different people (`--as NAME` signs as somebody else)"
        )
        yield _line(
            "", f"next to be asked: {plain(view.proposal.next_role)}; expires {view.proposal.expires_at:%H:%M:%S} UTC"
        )


def _execution(view: CardView) -> Iterable[RenderableType]:
    if view.execution is None:
        return
    yield _heading("Execution")
    yield _line("state", view.execution.state)
    for step in view.steps:
        note = f"  {plain(step.note, 200)}" if step.note else ""
        yield _line(f"{step.kind} {step.index + 1}", f"{step.state}  {_action(step.action)}  {step.id}{note}")
    outcome = view.execution.outcome
    if outcome is not None:
        yield _line("outcome", f"{outcome.resolution}: {plain(outcome.because, 400)}")
        for check in outcome.checks:
            yield _line("held" if check.passed else "failed", f"{plain(check.name)}: {plain(check.detail)}")
    if view.blast is not None:
        yield _line("forecast", view.blast.told)


def _commands(commands: Sequence[str]) -> Iterable[RenderableType]:
    yield _heading("Next")
    for command in commands:
        yield Text(f"  {command}", style="bold", no_wrap=True, overflow="ignore")


def _more(rows: Sequence[Any]) -> Iterable[RenderableType]:
    if len(rows) > _MOST_LINES:
        yield _line("", f"and {len(rows) - _MOST_LINES} more")


def _heading(text: str) -> Text:
    return Text(f"\n{text}", style="bold")


def _line(name: str, text: str) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(min_width=15, style="dim")
    grid.add_column(overflow="fold")
    grid.add_row(Text(name, no_wrap=True), Text(text))
    return grid


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column(Text(first), no_wrap=True)
    for name in others:
        table.add_column(Text(name), overflow="fold")
    return table
