"""The road bench as a whole, in its small version: real plants, real houses."""

import pytest

from benchmarks.road import run

NEEDED = {"p50_s", "p99_s", "top1", "top3", "n", "no_proposal", "attribution_p50_s"}


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    told = []
    return run(True, tmp_path_factory.mktemp("bench"), told.append), told


@pytest.mark.slow
def test_the_road_bench_has_the_keys_of_its_specification(measured):
    made, _ = measured
    for table in (made["figures"], *made["baselines"].values()):
        assert {"200", "1000", "rss_mb"} <= set(table)
        assert all(set(table[size]) >= NEEDED for size in ("200", "1000"))
    assert set(made["baselines"]) == {"no_attribution"}


@pytest.mark.slow
def test_the_baseline_of_the_road_bench_has_the_same_keys_and_the_same_faults(measured):
    figures, baseline = measured[0]["figures"], measured[0]["baselines"]["no_attribution"]
    assert set(figures) == set(baseline)
    for size in ("200", "1000"):
        assert set(figures[size]) == set(baseline[size])
        assert figures[size]["n"] == baseline[size]["n"] == measured[0]["conditions"]["n"][size] > 0


@pytest.mark.slow
def test_only_the_baseline_goes_without_attribution(measured):
    figures, baseline = measured[0]["figures"], measured[0]["baselines"]["no_attribution"]
    assert max(figures[size]["attributed"] for size in ("200", "1000")) > 0
    assert [baseline[size]["attributed"] for size in ("200", "1000")] == [0.0, 0.0]
    assert figures["rss_mb"] > figures["rss_before_first_diagnosis_mb"] > 50


@pytest.mark.slow
def test_every_case_of_the_road_bench_is_told_while_it_runs(measured):
    made, told = measured
    assert len(told) == 2 * sum(made["conditions"]["n"].values())
