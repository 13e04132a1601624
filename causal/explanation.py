"""How a ranking becomes an explanation: paths hop by hop, evidence ids with the most telling first, what is unknown."""

from collections import defaultdict

from causal.attribution import Attribution
from causal.fusion import Fused, Ranked
from causal.scoring import Table
from causal.signatures import Scene
from causal.symptoms import Symptoms
from domain.agents import Case
from domain.alarms import Alarm
from domain.diagnosis import CausalPath, Cause, FaultKind
from domain.evidence import Evidence, EvidenceKind
from domain.faults import hypothesis
from domain.measurements import Metric
from domain.observations import Anomaly, Picture

_CLEAR = 0.3
_MOST_PATHS = 40
_MOST_NAMED = 8
#: A surge is never believed to be smaller or larger than this.
_LEAST_SURGE, _MOST_SURGE = 1.1, 20.0


class Cited:
    """The facts of a case that it holds evidence for, and the evidence by element.

    A case without any evidence is taken whole (as tests and tools hand it over): then nothing can be cited.
    """

    def __init__(self, case: Case) -> None:
        self._by_element: dict[str, list[Evidence]] = defaultdict(list)
        for evidence in case.evidence:
            self._by_element[evidence.element].append(evidence)
        self._refs = {evidence.ref for evidence in case.evidence if evidence.ref}
        self._all = not case.evidence
        self.alarms: tuple[Alarm, ...] = tuple(alarm for alarm in case.alarms if self._told(alarm))
        anomalies = tuple(anomaly for anomaly in case.picture.anomalies if self._measured(anomaly))
        self.picture: Picture = case.picture.model_copy(update={"anomalies": anomalies})

    def ids(self, *elements: str) -> tuple[str, ...]:
        """Return the ids of all evidence on these elements, in their order, the weightiest first on each."""
        found = (
            sorted(self._by_element.get(e, ()), key=lambda evidence: (-evidence.weight, evidence.id)) for e in elements
        )
        return tuple(dict.fromkeys(evidence.id for group in found for evidence in group))

    def _told(self, alarm: Alarm) -> bool:
        if self._all or alarm.id in self._refs:
            return True
        own = self._by_element.get(alarm.resource, ())
        return any(e.kind is EvidenceKind.ALARM and not e.ref for e in own)

    def _measured(self, anomaly: Anomaly) -> bool:
        own = (e for e in self._by_element.get(anomaly.element, ()) if e.kind is EvidenceKind.MEASUREMENT)
        return self._all or any(evidence.metric in {"", str(anomaly.metric)} for evidence in own)


def caused(
    scene: Scene, table: Table, fused: Fused, attribution: Attribution, cited: Cited, most: int
) -> tuple[Cause, ...]:
    """Return the `most` likeliest causes, explained."""
    return tuple(_cause(scene, table, fused, attribution, cited, ranked) for ranked in fused.ranked[:most])


def _cause(scene: Scene, table: Table, fused: Fused, attribution: Attribution, cited: Cited, ranked: Ranked) -> Cause:
    element = ranked.element
    paths = _paths(scene, element, cited)
    scores = table.row(ranked.row)
    if element in attribution.shares:
        scores["attribution"] = attribution.shares[element]
    return Cause(
        element=element,
        fault=ranked.fault,
        confidence=ranked.confidence,
        scores=scores,
        hypothesis=hypothesis(ranked.fault, element, _size(scene, element, ranked.fault)),
        paths=paths,
        evidence_ids=_evidence(scene, table, fused, ranked, cited),
        counterfactual=attribution.counterfactuals.get(element),
        refutation=attribution.refutations.get(element, ""),
    )


def _paths(scene: Scene, cause: str, cited: Cited) -> tuple[CausalPath, ...]:
    """Return the shortest path of declared hops to each symptom that the cause can reach."""
    reached = scene.topology.paths_from(cause)
    trouble = scene.symptoms.trouble
    found = [e for e, level in trouble.items() if level >= _CLEAR and e in reached and e != cause]
    worst = sorted(found, key=lambda element: (-trouble[element], element))[:_MOST_PATHS]
    return tuple(CausalPath(symptom=e, elements=reached[e], evidence_ids=cited.ids(*reached[e])) for e in worst)


def _evidence(scene: Scene, table: Table, fused: Fused, ranked: Ranked, cited: Cited) -> tuple[str, ...]:
    """Return the ids that speak for this cause rather than its rivals, the most telling first."""
    weights = table.weight(ranked.row, fused.probabilities)
    beside = {ranked.element, *scene.topology.ends(ranked.element)}
    telling = [e for e, weight in weights.items() if weight > 0.0 or e in beside]
    silent = [e for e in telling if e in scene.symptoms.silent or e in scene.symptoms.trouble]
    first = sorted(beside - set(silent))
    order = sorted({*silent, *first}, key=lambda e: (e not in beside, -weights.get(e, 0.0), e))
    return cited.ids(*order)


def _size(scene: Scene, element: str, fault: FaultKind) -> float | None:
    """Return the size of the fault where the readings tell it: share of traffic lost, or factor of a demand."""
    readings = scene.symptoms.readings
    if fault is FaultKind.LINK_DEGRADED:
        rates = [readings.get(end, {}).get(Metric.ERROR_RATE) for end in scene.topology.ends(element)]
        largest = max((rate.value for rate in rates if rate), default=0.0)
        return min(1.0, largest) if largest > 0 else None
    if fault is FaultKind.CONGESTION:
        flow = readings.get(element, {}).get(Metric.THROUGHPUT)
        if flow and flow.usual > 0 and flow.value > flow.usual:
            return min(_MOST_SURGE, max(_LEAST_SURGE, flow.value / flow.usual))
    return None


def not_checked(case: Case, scene: Scene, fused: Fused) -> tuple[str, ...]:
    """Return, in sentences, what this diagnosis could not look at."""
    seen = scene.symptoms
    top = [ranked.element for ranked in fused.ranked[:3]]
    near = {near for e in top for near in (e, *scene.topology.causes(e), *scene.topology.effects(e))}
    unknown = sorted(e for e in top if _mute(e, scene) and e not in seen.trouble)
    lines = [
        _named("silent although it reports as a rule", sorted(seen.silent & near) or sorted(seen.silent)),
        _named("no telemetry of its own", unknown),
        _named("alarms on elements that the inventory does not hold", _strangers(case, scene)),
        *(f"source `{source}` was silent" for source in case.picture.silent_sources),
    ]
    if seen.fresh_share < 0.995:
        lines.append(f"{1.0 - seen.fresh_share:.0%} of the telemetry was not fresh")
    return tuple(line for line in lines if line)


def _mute(element: str, scene: Scene) -> bool:
    seen: Symptoms = scene.symptoms
    speaking = seen.healthy | seen.silent | seen.readings.keys()
    voices = scene.topology.ends(element) or (element,)
    return not any(voice in speaking for voice in voices)


def _strangers(case: Case, scene: Scene) -> list[str]:
    return sorted({alarm.resource for alarm in case.alarms if alarm.resource not in scene.topology})


def _named(what: str, elements: list[str]) -> str:
    if not elements:
        return ""
    named = ", ".join(f"`{element}`" for element in elements[:_MOST_NAMED])
    more = f" and {len(elements) - _MOST_NAMED} more" if len(elements) > _MOST_NAMED else ""
    return f"{what}: {named}{more}"
