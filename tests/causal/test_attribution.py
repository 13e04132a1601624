from collections.abc import Mapping

import networkx as nx
import numpy as np
import pytest
from numpy.typing import NDArray

from causal.attribution import Attributor, warm_up
from causal.cut import cut
from causal.mechanisms import WorstCause
from causal.series import joint_series, latest, surge_series, trouble_series
from causal.topology import Topology
from domain.measurements import Metric
from tests.causal.small_network import graph

KNOWN = {"r1", "r1.l12", "l12", "r2.l12", "long", "r2", "short"}


def calm(names: Mapping[str, object] | set[str], rows: int = 60) -> dict[str, NDArray[np.float64]]:
    rng = np.random.default_rng(7)
    return {name: rng.normal(0, 0.08, rows) for name in sorted(names)}


@pytest.fixture(scope="module", autouse=True)
def dowhy_is_loaded() -> None:
    warm_up()


@pytest.fixture
def chain() -> nx.DiGraph:
    return cut(Topology(graph()), ["r1.l12", "r2"], ["long", "r2.l12", "r1"], KNOWN)


NOW = {"r1.l12": 1.0, "l12": 1.0, "r2.l12": 1.0, "long": 1.0, "r1": 0.9, "r2": 0.05}


def test_the_cut_is_acyclic_small_and_runs_away_from_the_first_cause(chain: nx.DiGraph) -> None:
    assert nx.is_directed_acyclic_graph(chain)
    assert len(chain) <= 8
    assert {"r1.l12", "r2.l12", "long"} <= nx.descendants(chain, "r1.l12") | {"r1.l12"}
    assert not nx.has_path(chain, "l12", "r1.l12")


def test_the_cut_bridges_elements_without_telemetry() -> None:
    small = cut(Topology(graph()), ["r1.l12"], ["long"], KNOWN - {"l12"})

    assert list(small.edges) == [("r1.l12", "long")]


def test_the_culprit_gets_the_blame_and_the_bystander_none(chain: nx.DiGraph) -> None:
    found = Attributor().attribute(chain, calm(set(chain)), NOW, ["r1.l12", "r2"])

    assert found.shares["r1.l12"] > 0.8
    assert found.shares["r2"] < 0.1


def test_had_the_culprit_been_as_usual_the_symptoms_would_not_be(chain: nx.DiGraph) -> None:
    found = Attributor().attribute(chain, calm(set(chain)), NOW, ["r1.l12", "r2"])

    assert "long" in found.counterfactuals["r1.l12"].symptoms_gone
    assert found.counterfactuals["r1.l12"].explained_share > 0.9
    assert found.counterfactuals["r2"].symptoms_gone == ()


def test_a_placebo_draws_little_and_that_is_said(chain: nx.DiGraph) -> None:
    found = Attributor().attribute(chain, calm(set(chain)), NOW, ["r1.l12"])

    assert "made-up cause" in found.refutations["r1.l12"]
    assert found.refutations["r1.l12"].endswith("not refuted")


def test_an_attribution_that_rests_on_nothing_is_refuted(chain: nx.DiGraph) -> None:
    innocent = NOW | {"r1.l12": 0.0, "l12": 0.0, "r2.l12": 0.0, "r1": 0.0}

    found = Attributor().attribute(chain, calm(set(chain)), innocent, ["r1.l12"])

    assert found.shares["r1.l12"] < 0.2
    assert "long" in found.counterfactuals["r1.l12"].symptoms_left
    assert found.refutations["r1.l12"].endswith("refuted: do not rest on this attribution")


def test_the_same_question_has_the_same_answer_and_leaves_the_generators_alone(chain: nx.DiGraph) -> None:
    np.random.seed(3)  # noqa: NPY002  the global state is what must not change
    expected = np.random.default_rng(0), np.random.get_state()[1].tolist()  # noqa: NPY002  as above

    first = Attributor().attribute(chain, calm(set(chain)), NOW, ["r1.l12", "r2"])
    second = Attributor().attribute(chain, calm(set(chain)), NOW, ["r1.l12", "r2"])

    assert first == second
    assert np.random.get_state()[1].tolist() == expected[1]  # noqa: NPY002  as above


def test_a_plain_linear_fit_would_blame_the_symptom_itself() -> None:
    """Why the declared dependency is the prior: the baseline of a healthy network holds no fault to learn from."""
    rng = np.random.default_rng(1)
    causes, effect = rng.normal(0, 0.08, (60, 1)), rng.normal(0, 0.08, (60, 1))
    plain = np.linalg.lstsq(causes, effect, rcond=None)[0]
    ours = WorstCause([1.0])

    ours.fit(causes, effect)

    assert abs(float(plain[0, 0])) < 0.4
    assert ours.predict(np.array([[1.0]]))[0, 0] > 0.9


def test_the_baseline_can_correct_a_declared_slope() -> None:
    causes = np.random.default_rng(1).normal(0, 3.0, (80, 1))
    model = WorstCause([1.0])

    model.fit(causes, 0.2 * causes)

    assert model.predict(np.array([[1.0]]))[0, 0] == pytest.approx(0.2, abs=0.1)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda baseline, _: baseline.update({"long": np.full(60, np.nan)}), "fewer than 8 readings"),
        (lambda baseline, _: baseline.update({"long": np.zeros(1)}), "fewer than 8 readings"),
        (lambda _, now: now.pop("long"), "no reading from after the onset"),
    ],
)
def test_what_the_data_lack_is_said_and_not_guessed(chain: nx.DiGraph, spoil, said: str) -> None:
    baseline, now = calm(set(chain)), dict(NOW)
    spoil(baseline, now)

    found = Attributor().attribute(chain, baseline, now, ["r1.l12"])

    assert found.not_checked[0].startswith("attribution not possible")
    assert said in found.not_checked[0]


def test_constant_series_and_gaps_do_not_break_it(chain: nx.DiGraph) -> None:
    baseline = {name: np.zeros(60) for name in chain}
    baseline["long"][::3] = np.nan

    found = Attributor().attribute(chain, baseline, NOW, ["r1.l12"])

    assert found.shares["r1.l12"] > 0.8


def test_an_element_that_no_cause_reaches_is_not_in_the_model() -> None:
    small = cut(Topology(graph()), ["l23"], ["r1"], KNOWN | {"l23"})

    found = Attributor().attribute(small, calm(set(small)), {"l23": 1.0}, ["l23"])

    assert set(small) == {"l23"}
    assert "no symptom lies below" in found.not_checked[0]


def test_a_cause_without_telemetry_cannot_be_attributed() -> None:
    found = Attributor().attribute(nx.DiGraph(), {}, {}, ["r9"])

    assert found.not_checked == ("attribution not possible: `r9` has no readings to put into a causal model",)


def test_fits_are_kept_by_what_went_into_them(chain: nx.DiGraph) -> None:
    attributor = Attributor(kept=2)
    for offset in range(4):
        baseline = {name: values + offset * 1e-3 for name, values in calm(set(chain)).items()}
        attributor.attribute(chain, baseline, NOW, ["r1.l12"])

    assert len(attributor._models) == 2


def test_trouble_is_signed_by_what_is_bad_for_the_metric() -> None:
    values = np.column_stack([np.r_[np.ones(20), 0.0], np.r_[np.zeros(20), 0.5], np.r_[np.full(20, 9.0), 20.0]])
    pairs = [("up", Metric.OPER_UP), ("lossy", Metric.LOSS), ("rich", Metric.THROUGHPUT)]

    series = trouble_series(values, pairs, 20)

    assert series["up"][-1] == series["lossy"][-1] == 1.0
    assert series["rich"][-1] < 0
    assert surge_series(values[:, 2], 20)[-1] == 1.0


def test_missing_readings_stay_missing() -> None:
    values = np.array([[1.0, np.nan]] * 10 + [[np.nan, np.nan]] * 6)

    series = trouble_series(values, [("a", Metric.OPER_UP), ("b", Metric.OPER_UP)], 10)

    assert np.isnan(series["b"]).all()
    assert np.isnan(latest(series["a"], 10))
    assert joint_series([series["a"], series["b"]])[0] == 0.0


def test_an_answer_does_not_depend_on_what_was_asked_before(chain: nx.DiGraph) -> None:
    alone = Attributor().attribute(chain, calm(set(chain)), NOW, ["r1.l12", "r2"])
    busy = Attributor()
    busy.attribute(chain, calm(set(chain)), NOW | {"r1": 0.9}, ["r1"])

    assert busy.attribute(chain, calm(set(chain)), NOW, ["r1.l12", "r2"]) == alone
