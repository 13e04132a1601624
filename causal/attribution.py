"""Attribution and counterfactuals by a structural causal model (`dowhy.gcm`) on the cut-down graph.

Three questions about the top causes, each answered from one fitted model: how much of a symptom's outlier score is
each element's own doing (Shapley values over noise terms, Budhathoki et al. 2022, "Causal structure-based root cause
analysis of outliers"); which symptoms would not be, had a cause been as usual (Pearl's abduction, action,
prediction); and does the method also blame a made-up cause (a placebo)?
DoWhy takes seconds and some 270 MB to import, so it is imported at the first use or by `warm_up()`.
"""

import hashlib
import random
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from causal.mechanisms import WorstCause
from domain.diagnosis import Counterfactual

Matrix = NDArray[np.float64]
#: A symptom is there when its trouble (scale of `causal.series`) is at least this.
PRESENT = 0.35
_FEWEST_ROWS, _MOST_ROWS = 8, 100
_SAMPLES, _PERMUTATIONS, _TARGETS = 200, 10, 2
#: DoWhy draws from numpy's and Python's global generators: one run at a time, and both are put back as they were.
_RANDOM = threading.Lock()
_LOADING, _LOADED = threading.Event(), threading.Event()


@dataclass(frozen=True)
class Attribution:
    """`shares`: cause → its mean share (0–1) of the symptoms below it; the rest is keyed by cause, too."""

    shares: Mapping[str, float] = field(default_factory=dict)
    counterfactuals: Mapping[str, Counterfactual] = field(default_factory=dict)
    refutations: Mapping[str, str] = field(default_factory=dict)
    not_checked: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Question:
    """A checked input: the graph, T × n baseline rows without gaps, and the one row to be explained."""

    graph: nx.DiGraph
    names: tuple[str, ...]
    baseline: Matrix
    now: Matrix

    @property
    def key(self) -> str:
        edges = sorted((u, v, d["strength"]) for u, v, d in self.graph.edges(data=True))
        text = repr((self.names, edges)).encode()
        return hashlib.blake2b(text + self.baseline.tobytes(), digest_size=16).hexdigest()

    @property
    def baseline_seed(self) -> int:
        """For what is kept and used for other rows, too."""
        return int.from_bytes(hashlib.blake2b(self.key.encode(), digest_size=4).digest())

    @property
    def seed(self) -> int:
        both = self.key.encode() + self.now.tobytes()
        return int.from_bytes(hashlib.blake2b(both, digest_size=4).digest())

    def value(self, element: str) -> float:
        return float(self.now[self.names.index(element)])


def warm_up() -> None:
    """Import DoWhy now, quietly and single-threaded, so that the first diagnosis does not wait for it."""
    _gcm()


def begin_warm_up() -> None:
    """Import DoWhy in the background, unless that was begun already."""
    with _RANDOM:
        if not _LOADING.is_set():
            _LOADING.set()
            threading.Thread(target=warm_up, name="dowhy-import", daemon=True).start()


class Attributor:
    """Answers attribution questions; keeps the last fitted models by a digest of graph and baseline."""

    def __init__(self, kept: int = 64) -> None:
        self._kept = kept
        self._models: OrderedDict[str, Any] = OrderedDict()
        self._lock = threading.Lock()

    def ready(self, *, wait: bool) -> bool:
        """Say whether an answer can be had now; with `wait`, DoWhy is imported for it."""
        return wait or _LOADED.is_set()

    def attribute(
        self,
        graph: nx.DiGraph,
        baseline: Mapping[str, Matrix],
        now: Mapping[str, float],
        causes: Sequence[str],
        *,
        wait: bool = True,
    ) -> Attribution:
        """Attribute the symptoms in `graph` to `causes`.

        Args:
            graph: acyclic, at most about eight elements; edges carry `strength` (see `causal.cut`).
            baseline: element → trouble per slot before the onset (scale of `causal.series`), NaN where unknown.
            now: element → its trouble to be explained.
            causes: the elements to answer for, likeliest first.
            wait: for DoWhy to be imported, where it is not yet; otherwise say that attribution follows.

        Never raises for what the data lack: that is said in `not_checked`.
        """
        if not self.ready(wait=wait):
            begin_warm_up()
            return Attribution(not_checked=("attribution is not in yet: it follows with the settled diagnosis",))
        problem, question = _checked(graph, baseline, now, causes)
        if question is None:
            return Attribution(not_checked=(f"attribution not possible: {problem}",))
        asked = [cause for cause in causes if cause in question.names]
        try:
            with _own_randomness():
                return self._answer(question, asked)
        except (ValueError, RuntimeError, ArithmeticError, np.linalg.LinAlgError) as error:
            return Attribution(not_checked=(f"attribution not possible: the causal model failed ({error})",))

    def _answer(self, question: _Question, causes: Sequence[str]) -> Attribution:
        model = self._fitted(question)
        counterfactuals = {cause: _counterfactual(model, question, cause) for cause in causes}
        blames = [
            _blame(self._with_placebo(question, causes[0], target), target) for target in _targets(question, causes)
        ]
        shares = {cause: _mean([blame[cause] for blame in blames if cause in blame]) for cause in causes}
        refutations = {causes[0]: _refutation(causes[0], shares[causes[0]], blames)} if blames else {}
        left = () if blames else ("attribution not possible: no symptom lies below the top cause in the causal model",)
        return Attribution(shares if blames else {}, counterfactuals, refutations, left)

    def _fitted(self, question: _Question) -> Any:
        with self._lock:
            model = self._models.get(question.key)
            if model is None:
                model = self._models[question.key] = _fit(question)
            self._models.move_to_end(question.key)
            while len(self._models) > self._kept:
                self._models.popitem(last=False)
            return model

    def _with_placebo(self, question: _Question, cause: str, target: str) -> tuple[Any, _Question]:
        """Return the model with a made-up parent of `target`: the cause's baseline, shuffled, and a value from it."""
        rng = np.random.default_rng(question.seed)
        shuffled = rng.permutation(question.baseline[:, question.names.index(cause)])
        graph = question.graph.copy()
        graph.add_edge(_PLACEBO, target, strength=1.0)
        baseline = np.column_stack([question.baseline, shuffled])
        now = np.append(question.now, shuffled[0])
        widened = _Question(graph, (*question.names, _PLACEBO), baseline, now)
        return self._fitted(widened), widened


class NoAttribution(Attributor):
    """Answers nothing and costs nothing: the baseline, and a way to run where there is no room for DoWhy."""

    def attribute(self, *_: object, **__: object) -> Attribution:
        return Attribution(not_checked=("attribution not possible: it is switched off",))


_PLACEBO = "(placebo)"


def _checked(
    graph: nx.DiGraph, baseline: Mapping[str, Matrix], now: Mapping[str, float], causes: Sequence[str]
) -> tuple[str, _Question | None]:
    names = tuple(graph.nodes)
    if not any(cause in graph for cause in causes):
        return f"`{causes[0]}` has no readings to put into a causal model" if causes else "no cause was named", None
    for name in names:
        if np.isfinite(baseline.get(name, np.empty(0))).sum() < _FEWEST_ROWS:
            return f"`{name}` has fewer than {_FEWEST_ROWS} readings from before the onset", None
        if not np.isfinite(now.get(name, np.nan)):
            return f"`{name}` has no reading from after the onset", None
    columns = [_filled(baseline[name][-_MOST_ROWS:]) for name in names]
    rows = min(len(column) for column in columns)
    matrix = np.column_stack([column[-rows:] for column in columns])
    return "", _Question(graph, names, matrix, np.array([now[name] for name in names], dtype=float))


def _filled(column: Matrix) -> Matrix:
    known = column[np.isfinite(column)]
    return np.where(np.isfinite(column), column, np.median(known) if known.size else 0.0)


def _fit(question: _Question) -> Any:
    gcm, pandas = _seeded(question.baseline_seed)
    # DoWhy walks through sets of nodes: numbers have the same order in them in every process, names have not
    graph = nx.relabel_nodes(question.graph, {name: number for number, name in enumerate(question.names)})
    model = gcm.InvertibleStructuralCausalModel(graph)
    for number in range(len(question.names)):
        causes = sorted(graph.predecessors(number))
        declared = [graph.edges[cause, number]["strength"] for cause in causes]
        own = gcm.AdditiveNoiseModel(WorstCause(declared)) if causes else gcm.EmpiricalDistribution()
        model.set_causal_mechanism(number, own)
    gcm.fit(model, pandas.DataFrame(question.baseline, columns=range(len(question.names))))
    return model


def _row(question: _Question) -> Any:
    _, pandas = _gcm()
    return pandas.DataFrame(question.now[None, :], columns=range(len(question.names)))


def _counterfactual(model: Any, question: _Question, cause: str) -> Counterfactual:
    gcm, _ = _seeded(question.seed)
    place = question.names.index(cause)
    usual = float(np.median(question.baseline[:, place]))
    row = _row(question)
    numbered = gcm.counterfactual_samples(model, {place: lambda _: usual}, observed_data=row).iloc[0]
    imagined = {name: float(numbered[number]) for number, name in enumerate(question.names)}
    there = {name: question.value(name) for name in question.names if name != cause}
    there = {name: value for name, value in there.items() if value >= PRESENT}
    gone = tuple(sorted(name for name in there if imagined[name] < PRESENT))
    left = tuple(sorted(there.keys() - set(gone)))
    lifted = sum(max(0.0, value - max(0.0, imagined[name])) for name, value in there.items())
    share = min(1.0, lifted / sum(there.values())) if there else 0.0
    return Counterfactual(
        statement=_told(cause, gone, left), explained_share=round(share, 4), symptoms_gone=gone, symptoms_left=left
    )


def _told(cause: str, gone: Sequence[str], left: Sequence[str]) -> str:
    total = len(gone) + len(left)
    if not total:
        return f"the causal model holds no symptom besides `{cause}` itself"
    missing = f"; {', '.join(f'`{name}`' for name in left)} would still be" if left else ""
    return f"had `{cause}` been as usual, {len(gone)} of {total} symptoms in the causal model would not be{missing}"


def _targets(question: _Question, causes: Sequence[str]) -> list[str]:
    """Return the symptoms furthest below the top cause, the worst first."""
    below = nx.single_source_shortest_path_length(question.graph, causes[0])
    present = [name for name in below if name not in causes and question.value(name) >= PRESENT]
    return sorted(present, key=lambda name: (-below[name], -question.value(name), name))[:_TARGETS]


def _blame(asked: tuple[Any, _Question], target: str) -> dict[str, float]:
    """Return element → share (0–1) of the target's outlier score; elements that cannot touch it are absent."""
    model, question = asked
    gcm, _ = _seeded(question.seed)
    method = gcm.shapley.ShapleyApproximationMethods.PERMUTATION
    found = gcm.attribute_anomalies(
        model,
        question.names.index(target),
        _row(question),
        num_distribution_samples=_SAMPLES,
        shapley_config=gcm.shapley.ShapleyConfig(method, num_permutations=_PERMUTATIONS, n_jobs=1),
    )
    positive = {question.names[number]: max(0.0, float(values[0])) for number, values in found.items()}
    total = sum(positive.values())
    return {name: value / total for name, value in positive.items()} if total > 0 else {}


def _refutation(cause: str, share: float, blames: Sequence[Mapping[str, float]]) -> str:
    placebo = _mean([blame.get(_PLACEBO, 0.0) for blame in blames])
    even = _mean([1 / len(blame) for blame in blames if blame])  # what an element draws that is like all others
    stands = share > max(2.0 * placebo, even)
    end = "not refuted" if stands else "refuted: do not rest on this attribution"
    blame = f"draws {placebo:.0%} of the blame against {share:.0%}"
    return f"a made-up cause with the shuffled baseline of `{cause}` {blame}: {end}"


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 4) if values else 0.0


def _seeded(seed: int) -> tuple[Any, Any]:
    """Return DoWhy and pandas, with what DoWhy draws from started anew.

    Done before each draw: else what is drawn would depend on whether a model was fitted before, or still at hand.
    """
    gcm, pandas = _gcm()
    gcm.util.general.set_random_seed(seed)
    return gcm, pandas


@contextmanager
def _own_randomness() -> Iterator[None]:
    with _RANDOM:
        ours, theirs = random.getstate(), np.random.get_state()  # noqa: NPY002  the state that DoWhy draws from
        try:
            yield
        finally:
            random.setstate(ours)
            np.random.set_state(theirs)  # noqa: NPY002  put back what DoWhy drew from


def _gcm() -> tuple[Any, Any]:
    import pandas as pd
    from dowhy import gcm

    if gcm.config.show_progress_bars or gcm.config.default_n_jobs != 1:
        gcm.config.disable_progress_bars()
        gcm.config.set_default_n_jobs(1)
    _LOADED.set()
    return gcm, pd
