"""The drift agent: watches whether the models that serve err more often than their cards allow.

It raises an alarm when they do and clears it when they do not, or do not serve any more; and it is the diagnostician
of what follows. It counts outcomes that were proven by repairs; it says with how many, and never decides by few.
"""

from collections.abc import Container, Sequence
from datetime import datetime

from agents.cards import DRIFT
from agents.ports import Tools
from domain.agents import AgentCard, Case
from domain.alarms import AlarmKey, AlarmReport, AlarmType, Severity
from domain.diagnosis import Cause, Diagnosis, FaultKind, Verdict
from domain.ids import new_id
from domain.models import ModelVersion
from lifecycle.drift import LEAST, Drift, Level, drift

#: How bad each level is, as an alarm; what is not named here is none.
SEVERITIES: dict[Level, Severity] = {Level.WATCHED: Severity.WARNING, Level.DRIFTED: Severity.MAJOR}


class DriftAgent:
    """A `Monitor` and a `Diagnostician`. The same record gives the same answer."""

    card: AgentCard = DRIFT

    def __init__(self, tools: Tools, run_length: float) -> None:
        """Accept one false alarm in `run_length` outcomes, on average."""
        self._tools, self._run_length = tools, run_length

    def reports(self, slot: str, at: datetime) -> Sequence[AlarmReport]:
        """Return an alarm, raised or cleared, for what serves, and a clear for what served before it."""
        serving, previous = self._tools.models.serving(slot), self._tools.models.previous(slot)
        said = [] if serving is None else [self._report(serving, at)]
        gone = [] if previous is None else [_cleared(previous, at, "it does not serve any more")]
        return [*said, *gone]

    def diagnose(self, case: Case) -> Diagnosis:
        """Say that what serves has drifted, or that it has not, or that it is too early to tell."""
        slot = next(iter(case.incident.elements))
        serving = self._tools.models.serving(slot)
        found = None if serving is None else self._drift(serving, {item.ref for item in case.evidence})
        cited = tuple(item.id for item in case.evidence if item.element == slot)
        said = _verdict(case, found)
        return Diagnosis(
            id=new_id("diag", case.made_at),
            incident_id=case.incident.id,
            revision=case.incident.revision,
            verdict=said,
            causes=(_cause(found, cited),) if found and said is Verdict.CAUSE else (),
            candidate_set=(slot,) if said is Verdict.CAUSE else (),
            not_checked=_not_checked(found),
            provisional=False,
            made_by=self.card.principal,
            made_at=case.made_at,
            oldest_evidence=min((item.event_time for item in case.evidence), default=None),
        )

    def _drift(self, version: ModelVersion, among: Container[str] | None = None) -> Drift:
        """Return what a version's outcomes say; of a case, only those that it holds evidence for count."""
        known = self._tools.models.outcomes(version.slot, version.id)
        counted = [outcome for outcome in known if among is None or outcome.id in among]
        return drift(version.card, counted, self._run_length)

    def _report(self, version: ModelVersion, at: datetime) -> AlarmReport:
        found = self._drift(version)
        severity = SEVERITIES.get(found.level)
        if severity is None:
            return _cleared(version, at, found.told())
        return _alarm(version, at, severity, found.told(), cleared=False)


def _alarm(version: ModelVersion, at: datetime, severity: Severity, text: str, *, cleared: bool) -> AlarmReport:
    return AlarmReport(
        key=AlarmKey(resource=version.slot, type=AlarmType.MODEL_DRIFT, qualifier=version.id),
        severity=severity,
        cleared=cleared,
        event_time=at,
        source=DRIFT.principal,
        text=text,
    )


def _cleared(version: ModelVersion, at: datetime, text: str) -> AlarmReport:
    return _alarm(version, at, Severity.WARNING, text, cleared=True)


def _verdict(case: Case, found: Drift | None) -> Verdict:
    """A finding that is not strong enough for a plan is watched on; one that was cleared is over."""
    if found is None:
        return Verdict.CANNOT_TELL
    if found.level is Level.DRIFTED:
        return Verdict.CAUSE
    standing = any(not alarm.cleared for alarm in case.alarms)
    return Verdict.CANNOT_TELL if standing or found.level is Level.TOO_FEW else Verdict.NO_FAULT


def _cause(found: Drift, cited: tuple[str, ...]) -> Cause:
    scores = {
        "e_value": found.e_value,
        "run_length": found.run_length,
        "limit": found.limit,
        "outcomes": float(found.outcomes),
        "errors": float(found.errors),
    }
    delays = {"found_after": found.found_after, "found_after_s": found.found_after_s}
    scores |= {name: float(value) for name, value in delays.items() if value is not None}
    return Cause(
        element=found.slot,
        fault=FaultKind.MODEL_DRIFT,
        confidence=round(found.confidence, 6),
        scores=scores,
        evidence_ids=cited,
    )


def _not_checked(found: Drift | None) -> tuple[str, ...]:
    if found is None:
        return ("the slot serves nothing, so there is nothing to judge",)
    blind = "how it does on incidents that no repair has proven a cause of"
    if found.level is Level.TOO_FEW:
        return (f"{found.outcomes} outcomes of `{found.version}` are known, and fewer than {LEAST} say nothing", blind)
    return (blind,) if found.level is Level.DRIFTED else (f"too early to tell: {found.told()}", blind)
