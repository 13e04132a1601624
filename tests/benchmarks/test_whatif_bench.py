"""The what-if bench has every figure that it promises, beside networkx and scipy, on networks of their size."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.whatif import Effort, measure, run
from benchmarks.whatif_networks import HUB1000, germany50, hub
from benchmarks.whatif_paths import by_networkx, by_scipy
from domain.errors import BadInput
from twin.whatif.naive import recompute

KEYS = {"scenarios_per_s", "max_rel_error", "single_ms", "rss_mb"}


def test_the_networks_are_as_large_as_their_names_say() -> None:
    small, large = germany50(1), hub(HUB1000, 1)

    assert (len(small.nodes), len(small.links), len(small.mbps)) == (50, 88, 662)
    assert (len(large.nodes), len(large.mbps)) == (1000, 6400)
    assert (small.source != small.destination).all()
    assert len(set(zip(small.source.tolist(), small.destination.tolist(), strict=True))) == 662


def test_both_others_route_as_the_house_does() -> None:
    network = germany50(1)
    for failed in ([], [3], [3, 40, 41]):
        load = recompute(network.without(failed))[0]
        assert by_networkx(network, failed) == pytest.approx(load, rel=1e-9, abs=1e-6)
        assert by_scipy(network, failed) == pytest.approx(load, rel=1e-9, abs=1e-6)


def test_an_error_of_ours_would_show() -> None:
    network = germany50(1)
    wrong = replace(network, metric=np.where(np.arange(len(network.metric)) < 2, 1, network.metric).astype(np.int32))

    figures, others = measure(network, Effort(20, 2, 2, 50), lambda _: None)

    assert np.abs(recompute(network)[0] - recompute(wrong)[0]).max() > 1
    assert figures["max_rel_error"] < 1e-9
    assert set(figures) >= KEYS
    assert all(set(table) >= KEYS for table in others.values())
    assert figures["scenarios_per_s"] > others["scipy"]["scenarios_per_s"]


def test_a_network_in_which_nothing_can_be_measured_is_refused_before_the_others_are(tmp_path: Path) -> None:
    (tmp_path / "topology.json").write_text(json.dumps({"nodes": ["a"], "links": []}), "utf-8")
    (tmp_path / "demands.json").write_text("[]", "utf-8")

    with pytest.raises(BadInput, match="without a link or without a demand"):
        run(True, tmp_path, lambda _: None)


def test_large_sweeps_are_measured_where_they_are_asked_for() -> None:
    told: list[str] = []

    few, _ = measure(germany50(1), Effort(20, 2, 1, 2), told.append)
    figures, _ = measure(germany50(1), Effort(20, 2, 1, 2, 10, 40), told.append)

    assert few["fast_reroute_per_s"] > 0
    assert figures["bypasses_per_s"] > 0
    assert figures["fast_reroute_mb"] > 0
    assert (figures["n2_scenarios"], figures["million_answered"]) == (88 * 87 // 2, 40)
    assert figures["million_s"] >= figures["n2_s"] > 0
    assert "n2_s" not in few
    assert any("3828 pairs" in line for line in told)


@pytest.mark.slow
def test_the_quick_form_has_all_figures() -> None:
    made = run(True, None, lambda _: None)

    assert set(made["figures"]) == {"germany50", "hub1000", "hub10000"}
    assert set(made["baselines"]) == {"networkx", "scipy"}
    for table in (made["figures"], *made["baselines"].values()):
        assert all(set(each) >= KEYS for each in table.values())
    for each in made["figures"].values():
        assert each["max_rel_error"] < 1e-9
        assert each["rss_mb"] > 0  # of the whole process, which here has run other tests before
