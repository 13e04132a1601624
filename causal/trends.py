"""Which readings attribution needs, and what they amount to: series of trouble around the top causes.

`wanted` names the columns to be read (the caller has telemetry, this room has not) and `trends` puts them together.
A link is heard through its two ends; an element that fell silent is heard through the far ends of its own links, and
is listed as `inferred`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from causal.series import joint_series, latest, surge_series, trouble_series
from causal.signatures import Scene
from causal.topology import DEMAND, LINK, TERMINATION_POINT
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


@dataclass(frozen=True)
class Wanted:
    """The columns to read, from `since` to `until`, and who is heard through whom."""

    pairs: tuple[tuple[str, Metric], ...]
    speakers: Mapping[str, tuple[str, ...]]
    since: datetime
    onset: datetime
    until: datetime
    causes: tuple[str, ...]
    symptoms: tuple[str, ...]


def wanted(scene: Scene, causes: Sequence[str], opened_at: datetime, until: datetime) -> Wanted:
    """Return what to read to attribute the symptoms to `causes`.

    Args:
        scene: the graph and the symptoms.
        causes: the elements to answer for, likeliest first.
        opened_at: the onset where no alarm tells of one.
        until: the moment of the picture.
    """
    symptoms = worst_symptoms(scene, causes)
    speakers = {element: _speakers(scene, element) for element in _around(scene, causes, symptoms)}
    surging = any(scene.topology.kind(cause) == DEMAND for cause in causes)
    pairs = _pairs(scene, {speaker for group in speakers.values() for speaker in group}, surging=surging)
    onset = min(scene.symptoms.onset.values(), default=opened_at) - _MARGIN
    return Wanted(tuple(pairs), speakers, onset - _BACK, onset, until, tuple(causes), symptoms)


def trends(scene: Scene, wanted: Wanted, values: Matrix) -> Trends:
    """Return the series of trouble that the read `values` (T × pairs, NaN where nothing is known) amount to."""
    onset = _slots_before(values.shape[0], wanted)
    own = trouble_series(values, wanted.pairs, onset)
    surges = {
        element: surge_series(values[:, column], onset)
        for column, (element, metric) in enumerate(wanted.pairs)
        if metric is Metric.THROUGHPUT and element in wanted.causes and scene.topology.kind(element) == DEMAND
    }
    heard = {element: _heard(element, group, own) for element, group in wanted.speakers.items()} | surges
    known = {element: series for element, series in heard.items() if np.isfinite(series).any()}
    inferred = tuple(e for e in known if e not in own and scene.topology.kind(e) != LINK)
    return Trends(known, onset, wanted.symptoms, inferred)


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


def _pairs(scene: Scene, speakers: Iterable[str], *, surging: bool) -> list[tuple[str, Metric]]:
    return [(speaker, metric) for speaker in sorted(speakers) for metric in _telling(scene, speaker, surging=surging)]


def _telling(scene: Scene, element: str, *, surging: bool) -> tuple[Metric, ...]:
    kind = scene.topology.kind(element)
    if kind == TERMINATION_POINT and surging:
        # a full port is trouble only where a surge is suspected; else it is traffic that took another way
        return (*_TELLING[kind], Metric.UTILISATION)
    return _TELLING.get(kind, _ROUTER if scene.topology.routes(element) else ())


def _heard(element: str, speakers: Sequence[str], own: Mapping[str, Matrix]) -> Matrix:
    series = [own[speaker] for speaker in speakers if speaker in own]
    if len(series) == 1 and speakers == (element,):
        return series[0]
    return joint_series(series) if series else np.empty(0)


def _slots_before(slots: int, wanted: Wanted) -> int:
    """Return how many of `slots` even slots between `since` and `until` lie before the onset."""
    span = (wanted.until - wanted.since).total_seconds()
    share = (wanted.onset - wanted.since).total_seconds() / span if span > 0 else 0.0
    return max(0, min(slots, int(slots * share)))
