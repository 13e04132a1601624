"""The ticketing agent: what a trouble ticket says about an incident.

The description is ours: cause, elements, counts, what was not checked. One alarm's text may be quoted in it.
"""

from agents.cards import TICKETING, accept
from agents.ports import Tools
from agents.wording import count, label, labels, percent, said
from domain.actions import OpenTicket
from domain.agents import AgentCard, Case
from domain.diagnosis import Diagnosis, Verdict
from domain.proposals import Draft, Plan

_MOST_CHARACTERS = 4096


class Ticketing:
    """Plans one ticket per incident. It needs no tool: everything stands in the case."""

    card: AgentCard = TICKETING

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def plan(self, case: Case) -> Draft:
        """Return a plan that opens the incident's ticket; the same case gives the same ticket.

        Raises:
            Refused: the case did not come through the control plane.
        """
        accept(self.card, case)
        incident, diagnosis = case.incident, case.diagnosis
        top = diagnosis.top if diagnosis else None
        ticket = OpenTicket(target=incident.id, severity=incident.severity, description=_description(case))
        return Draft(
            plan=Plan(steps=(ticket,)),
            title=f"Open a ticket for incident {label(incident.id)}",
            why="people outside this room follow the incident through its ticket",
            evidence_ids=top.evidence_ids if top else tuple(item.id for item in case.evidence[:8]),
            confidence=top.confidence if top else 0.0,
            cause_element=top.element if top else "",
        )


def _description(case: Case) -> str:
    parts = (_what(case), *_cause(case.diagnosis), *_excerpt(case))
    return "\n".join(parts)[:_MOST_CHARACTERS]


def _what(case: Case) -> str:
    incident = case.incident
    return (
        f"Incident {label(incident.id)}, {incident.severity}, since {incident.opened_at:%Y-%m-%d %H:%M:%S} UTC: "
        f"{count(len(incident.alarm_ids), 'alarm')}, {incident.open_alarms} of them open, "
        f"on {count(len(incident.elements), 'element')} ({labels(incident.elements)})."
    )


def _cause(diagnosis: Diagnosis | None) -> tuple[str, ...]:
    if diagnosis is None:
        return ("It is not diagnosed yet.",)
    lines = [_verdict(diagnosis)]
    others = [f"{said(cause)} ({percent(cause.confidence)})" for cause in diagnosis.causes[1:4]]
    if diagnosis.top and others:
        lines.append(f"Less likely: {'; '.join(others)}.")
    if diagnosis.not_checked:
        lines.append(f"Not checked: {count(len(diagnosis.not_checked), 'thing')}, listed in {label(diagnosis.id)}.")
    return tuple(lines)


def _verdict(diagnosis: Diagnosis) -> str:
    top = diagnosis.top
    if top is not None:
        sure = f"{percent(top.confidence)} sure, diagnosis {label(diagnosis.id)}"
        return f"Likeliest cause: {said(top)} ({sure}); it explains {count(len(top.paths), 'symptom')}."
    if diagnosis.verdict is Verdict.NO_FAULT:
        return f"No fault was found (diagnosis {label(diagnosis.id)})."
    return f"The cause cannot be told from what is known (diagnosis {label(diagnosis.id)})."


def _excerpt(case: Case) -> tuple[str, ...]:
    """Name the worst alarm that says something. What it says stays with the alarm: no stranger's words in a plan."""
    speaking = [alarm for alarm in case.alarms if alarm.text.strip()]
    if not speaking:
        return ()
    worst = min(speaking, key=lambda alarm: (alarm.highest_severity.rank, alarm.event_time, alarm.id))
    return (f"The worst alarm that says something is {label(worst.id)}.",)
