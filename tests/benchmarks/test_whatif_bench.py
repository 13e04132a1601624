"""The what-if bench has every figure that it promises, beside networkx and scipy, on networks of their size."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.whatif import Effort, measure, read_files, run
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


def test_a_network_from_files_is_measured_as_well(tmp_path: Path) -> None:
    (tmp_path / "topology.json").write_text(json.dumps({"nodes": ["a"], "links": []}), "utf-8")
    (tmp_path / "demands.json").write_text("[]", "utf-8")

    assert read_files(tmp_path / "topology.json", tmp_path / "demands.json").nodes == ("a",)
    with pytest.raises(BadInput, match=r"`nowhere\.json`"):
        read_files(tmp_path / "nowhere.json", tmp_path / "demands.json")


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
