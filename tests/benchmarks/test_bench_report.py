"""The object of a bench: an empty table is a failure, and figures are sums that anybody can redo."""

import json
from time import perf_counter

import pytest

from benchmarks.report import fsync_ms, leaves, quantile, resident_mb, result
from benchmarks.road import figures_of
from benchmarks.road_case import NO_INCIDENT, NO_PLAN, Case
from domain.errors import Unavailable

TABLE = {"200": {"p50_s": 0.2}, "rss_mb": 300.0}


def case(latency_s=None, **fields):
    return Case(arm="attribution", fault="link_down", element="link:a", latency_s=latency_s, **fields)


def test_the_object_has_the_keys_that_everybody_reads():
    made = result("road", TABLE, {"slow": TABLE}, {"seed": 1, "n": 3}, perf_counter())
    assert set(made) == {"bench", "figures", "baselines", "conditions", "seconds"}
    assert {"cores", "python", "seed", "n"} <= set(made["conditions"])
    assert json.loads(json.dumps(made, allow_nan=False)) == made


@pytest.mark.parametrize(
    "empty", [{}, {"200": {}}, {"200": {"p50_s": None}}, {"rss_mb": float("nan")}], ids=["all", "part", "none", "nan"]
)
def test_an_empty_table_is_a_failure(empty):
    for figures, baselines in ((empty, {"slow": TABLE}), (TABLE, {"slow": empty})):
        with pytest.raises(Unavailable) as failure:
            result("road", figures, baselines, {}, perf_counter())
        assert failure.value.body()["code"] == "nothing_measured"


def test_figures_without_a_baseline_are_a_failure():
    with pytest.raises(Unavailable, match="baselines"):
        result("road", TABLE, {}, {}, perf_counter())


def test_a_bench_without_cases_has_no_figures():
    with pytest.raises(Unavailable, match="p50_s"):
        result("road", {"200": figures_of([])}, {"slow": TABLE}, {}, perf_counter())


def test_leaves_tell_where_each_figure_stands():
    assert list(leaves(TABLE)) == [("200.p50_s", 0.2), ("rss_mb", 300.0)]


def test_quantiles_are_values_that_were_measured():
    values = [float(n) for n in range(1, 101)]
    assert [quantile(values, share) for share in (0.5, 0.99, 1.0)] == [50.0, 99.0, 100.0]
    assert quantile([3.0, 1.0, 2.0], 0.99) == 3.0
    assert quantile([], 0.5) is None


def test_a_fault_without_a_proposal_counts_and_has_its_reason():
    cases = [
        case(0.4, rank=1, attributed=True),
        case(why=NO_INCIDENT),
        case(why=NO_PLAN, rank=2, attributed=False),
        case(why="cannot_tell"),
    ]
    figures = figures_of(cases)
    assert figures["n"] == 4
    assert (figures["no_incident"], figures["no_plan"], figures["no_verdict"], figures["unsettled"]) == (1, 1, 1, 0)
    assert figures["no_proposal"] == 3
    assert (figures["top1"], figures["top3"], figures["attributed"]) == (0.25, 0.5, 0.5)
    assert (figures["p50_s"], figures["p99_s"], figures["within_1s"]) == (0.4, 0.4, 0.25)


def test_memory_and_disk_are_really_asked(tmp_path):
    assert resident_mb() > 5
    assert fsync_ms(tmp_path, times=3) > 0
    with pytest.raises(Unavailable, match="Linux"):
        resident_mb("no-such-process")
