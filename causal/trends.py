"""Series of trouble for the elements that a diagnosis is about, read through the telemetry tool.

Only what attribution needs is read: the top causes, the symptoms, and what lies between them. A link is heard through
its two ends; an element that has fallen silent through the far ends of its own links, and that is said.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from agents.ports import Telemetry
from causal.series import joint_series, latest, surge_series, trouble_series
from causal.signatures import Scene
from causal.topology import DEMAND, LINK, TERMINATION_POINT
from domain.agents import Case
from domain.measurements import Metric
from domain.network import NodeKind

Matrix = NDArray[np.float64]
#: How far back the baseline reaches, and how long before the first alarm it ends (an onset is never exact).
_BACK, _MARGIN = timedelta(seconds=60), timedelta(seconds=3)
_MOST_SYMPTOMS, _MOST_ELEMENTS = 12, 40
_CLEAR = 0.3
_ROUTER = (Metric.OPER_UP, Metric.ADJACENCIES, Metric.PROCESS_UPTIME)
#: Which metrics of an element tell of its trouble.
_TELLING: Mapping[str, tuple[Metric, ...]] = {
    TERMINATION_POINT: (Metric.OPER_UP, Metric.ERROR_RATE),
    DEMAND: (Metric.LOSS, Metric.THROUGHPUT),
    NodeKind.GNB: (Metric.OPER_UP, Metric.PROCESS_UPTIME),
    NodeKind.CELL: (Metric.OPER_UP, Metric.THROUGHPUT),
    NodeKind.POWER: (Metric.OPER_UP, Metric.BATTERY),
}


@dataclass(frozen=True)
class Trends:
    """Element → trouble per slot (T values), split at the onset, with the newest known value of each.

    `inferred` holds the elements whose series comes from their neighbours; `symptoms` the worst first.
    """

    series: Mapping[str, Matrix] = field(default_factory=dict)
    onset: int = 0
    symptoms: tuple[str, ...] = ()
    inferred: tuple[str, ...] = ()

    @property
    def baseline(self) -> dict[str, Matrix]:
        """Return the slots before the onset."""
        return {element: values[: self.onset] for element, values in self.series.items()}

    @property
    def now(self) -> dict[str, float]:
        """Return the newest value of each element that has one since the onset."""
        newest = {element: latest(values, self.onset) for element, values in self.series.items()}
        return {element: value for element, value in newest.items() if np.isfinite(value)}


def trends(telemetry: Telemetry, case: Case, scene: Scene, causes: Sequence[str]) -> Trends:
    """Return the series around `causes`.

    Raises:
        NocturneError: the telemetry tool refuses or does not answer.
    """
    symptoms = worst_symptoms(scene, causes)
    elements = _around(scene, causes, symptoms)
    speakers = {element: _speakers(scene, element) for element in elements}
    pairs = _pairs(scene, {speaker for group in speakers.values() for speaker in group})
    first = min(scene.symptoms.onset.values(), default=case.incident.opened_at)
    since, until = first - _BACK, case.picture.at
    values = telemetry.series(pairs, since, until)
    onset = _slots_before(values.shape[0], since, first - _MARGIN, until)
    own = trouble_series(values, pairs, onset)
    surges = {
        element: surge_series(values[:, pairs.index((element, Metric.THROUGHPUT))], onset)
        for element in causes
        if (element, Metric.THROUGHPUT) in pairs and scene.topology.kind(element) == DEMAND
    }
    heard = {element: _heard(element, group, own) for element, group in speakers.items()} | surges
    known = {element: values for element, values in heard.items() if np.isfinite(values).any()}
    inferred = tuple(element for element in known if element not in own and scene.topology.kind(element) != LINK)
    return Trends(known, onset, symptoms, inferred)


def worst_symptoms(scene: Scene, causes: Sequence[str]) -> tuple[str, ...]:
    """Return the elements clearly in trouble besides the causes, the worst first."""
    clear = {e: level for e, level in scene.symptoms.trouble.items() if level >= _CLEAR and e not in causes}
    return tuple(sorted(clear, key=lambda element: (-clear[element], element))[:_MOST_SYMPTOMS])


def _around(scene: Scene, causes: Sequence[str], symptoms: Sequence[str]) -> tuple[str, ...]:
    paths = [scene.topology.paths_from(cause) for cause in causes]
    between = (element for found in paths for symptom in symptoms for element in found.get(symptom, ()))
    return tuple(dict.fromkeys([*causes, *symptoms, *between]))[:_MOST_ELEMENTS]


def _speakers(scene: Scene, element: str) -> tuple[str, ...]:
    """Return the elements whose readings tell of `element`: itself, or who sees it when it has no voice."""
    topology = scene.topology
    if topology.kind(element) == LINK:
        return topology.ends(element)
    if element not in scene.symptoms.silent:
        return (element,)
    if topology.kind(element) == TERMINATION_POINT:
        return topology.peer(element)
    far = tuple(end for point in topology.interfaces(element) for end in topology.peer(point))
    return far or tuple(e for e in topology.effects(element) if e not in scene.symptoms.silent)


def _pairs(scene: Scene, speakers: Iterable[str]) -> list[tuple[str, Metric]]:
    kinds = ((speaker, scene.topology.kind(speaker)) for speaker in sorted(speakers))
    return [
        (speaker, metric)
        for speaker, kind in kinds
        for metric in _TELLING.get(kind, _ROUTER if scene.topology.routes(speaker) else ())
    ]


def _heard(element: str, speakers: Sequence[str], own: Mapping[str, Matrix]) -> Matrix:
    series = [own[speaker] for speaker in speakers if speaker in own]
    if len(series) == 1 and speakers == (element,):
        return series[0]
    return joint_series(series) if series else np.empty(0)


def _slots_before(slots: int, since: datetime, onset: datetime, until: datetime) -> int:
    """Return how many of `slots` even slots between `since` and `until` lie before `onset`."""
    span = (until - since).total_seconds()
    share = (onset - since).total_seconds() / span if span > 0 else 0.0
    return max(0, min(slots, int(slots * share)))
