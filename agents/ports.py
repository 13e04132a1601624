"""What agents may read. Every port here is read-only; a test refuses one with a method that writes.

The control plane hands each agent a `Tools` that refuses, and records, whatever the agent's card does not list.
The names of the tools are the names of the attributes of `Tools`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from domain.autonomy import Claim
from domain.diagnosis import Diagnosis, FaultKind
from domain.evidence import Evidence
from domain.execution import Execution
from domain.measurements import Metric
from domain.models import ModelOutcome, ModelTrial, ModelVersion, Sight
from domain.observations import Picture
from domain.orders import ServiceOrder
from domain.proposals import Proposal
from domain.records import Record
from twin.snapshot import Snapshot


class Telemetry(Protocol):
    """Readings, as they were known."""

    def picture(self, at: datetime, elements: Sequence[str] | None = None) -> Picture:
        """Return what is anomalous, healthy and silent at `at`, for all elements or for some."""

    def series(self, pairs: Sequence[tuple[str, Metric]], since: datetime, until: datetime) -> NDArray[np.float64]:
        """Return one column per (element, metric) and one row per sampling slot; NaN where nothing is known."""


class TwinView(Protocol):
    """The twin as it stands."""

    def snapshot(self) -> Snapshot:
        """Return the newest immutable snapshot."""


class Past(Protocol):
    """What was recorded before."""

    def self_heal(self, fault: FaultKind) -> float:
        """Return the estimated chance (0–1) that such a fault heals by itself within the verification time."""


class Ranking(Protocol):
    """What a trained version says of the candidates of a case."""

    @property
    def version(self) -> str: ...

    @property
    def scores(self) -> Mapping[str, float]:
        """Element → logit; higher is likelier."""


class Ranker(Protocol):
    """The learned ranker of candidate causes: the version that its slot serves."""

    def opine(self, sight: Sight) -> Ranking | None:
        """Return what it says of a pinned case, or None when the slot serves nothing.

        Raises:
            Refused: the version is not what was registered.
            Unavailable: it cannot be read.
        """


class Facts(Protocol):
    """The record, for explaining. Every method answers with what was stored, or nothing."""

    def find(self, ref: str) -> str | None:
        """Return the full id that a (possibly shortened) id, element or `latest` speaks of, or None."""

    def diagnosis(self, incident_id: str) -> Diagnosis | None: ...

    def evidence(self, incident_id: str) -> Sequence[Evidence]: ...

    def proposals(self, incident_id: str) -> Sequence[Proposal]: ...

    def execution(self, proposal_id: str) -> Execution | None: ...

    def records(self, ref: str) -> Sequence[Record]:
        """Return the audit records that mention `ref`, oldest first."""


class Models(Protocol):
    """The registry of models and how their opinions turned out."""

    def serving(self, slot: str) -> ModelVersion | None:
        """Return what the slot serves, or None."""

    def candidate(self, slot: str) -> ModelVersion | None:
        """Return the candidate that waits and has never served, or None."""

    def previous(self, slot: str) -> ModelVersion | None:
        """Return what served before the present version, or None."""

    def outcomes(self, slot: str, version: str) -> Sequence[ModelOutcome]:
        """Return how a version did since it was last put to serve, in the order in which it became known."""

    def trainings(self, slot: str, since: datetime | None = None) -> int:
        """Return how many trainings were asked for, ever or since a moment, whatever came of them."""


class Trials(Protocol):
    """Two versions asked the same recorded cases."""

    def trial(self, slot: str, serving: str, candidate: str) -> ModelTrial:
        """Return how two versions do on the slot's newest recorded cases.

        Raises:
            NotFound, Refused, Unavailable: a version cannot be asked; the reason says why.
        """


class Autonomy(Protocol):
    """The ledger of credit: what agents have earned."""

    def earnings(self, standing: str) -> Claim:
        """Return the evidence on a ground as it stands. Raises BadInput when the id is no standing's."""


class Orders(Protocol):
    """What customers ordered."""

    def order(self, incident_id: str) -> ServiceOrder | None:
        """Return the order that an incident is about, or None."""

    def limits(self) -> tuple[float, float]:
        """Return the highest utilisation of a link: in the normal state, and after one link failure."""


class Tools(Protocol):
    """What an agent is given. Reaching for a tool that its card does not list raises `ToolRefused`."""

    @property
    def telemetry(self) -> Telemetry: ...

    @property
    def twin(self) -> TwinView: ...

    @property
    def past(self) -> Past: ...

    @property
    def ranker(self) -> Ranker: ...

    @property
    def models(self) -> Models: ...

    @property
    def trials(self) -> Trials: ...

    @property
    def autonomy(self) -> Autonomy: ...

    @property
    def orders(self) -> Orders: ...

    @property
    def facts(self) -> Facts: ...
