"""The steering bench has its figures, on the same matrices for every method; other data can be put in."""

import json
from pathlib import Path

import pytest

from benchmarks.steering import run
from benchmarks.steering_networks import matrices, settings
from domain.errors import BadInput
from tests.twin.small_networks import network, square
from twin.evaluate import evaluate
from twin.inventory import dump

KEYS = {"ratio_to_lp_mean", "ratio_to_lp_p95", "policies", "seconds"}


def written(folder: Path, body: object) -> Path:
    file = folder / "ours.json"
    file.write_text(json.dumps(body), encoding="utf-8")
    return file


def test_every_matrix_just_fills_the_fullest_link_and_is_the_same_for_the_same_seed() -> None:
    inventory = settings(None)[0].inventory

    first, again = ([*matrices(inventory, 3, 3)] for _ in range(2))

    assert [snapshot.digest for snapshot in first] == [snapshot.digest for snapshot in again]
    assert len({snapshot.digest for snapshot in first}) == 3
    assert [evaluate(snapshot).impact().max_utilisation for snapshot in first] == pytest.approx([1.0] * 3)


def test_the_networks_are_of_the_sizes_that_their_names_say() -> None:
    sizes = {setting.name: len(setting.inventory.demands) for setting in settings(None)}
    limits = {setting.name: setting.limit for setting in settings(None)}

    assert sizes.keys() >= {"abilene", "geant", "germany50"}
    assert min(sizes.values()) > 100
    assert (limits["abilene"], limits["germany50"]) == (10, 25)


def test_data_from_outside_takes_the_place_of_the_reference_networks(tmp_path: Path) -> None:
    edges = [("a", "b", 1, 100.0), ("b", "d", 1, 100.0), ("a", "c", 2, 100.0), ("c", "d", 2, 100.0)]
    inventory = network(edges, [("a", "d", 10.0 + number) for number in range(6)])

    made = run(True, written(tmp_path, dump(inventory)), lambda _: None)

    figures, ecmp = made["figures"]["ours"], made["baselines"]["ecmp"]["ours"]
    assert figures.keys() >= KEYS
    whole = made["baselines"]["whole"]["ours"]
    assert made["baselines"].keys() >= {"ecmp", "greedy", "whole"}
    assert ecmp["ratio_to_lp_mean"] == pytest.approx(2.0)
    assert 1.0 <= figures["ratio_to_lp_mean"] <= whole["ratio_to_lp_mean"] < 1.3
    assert figures["split_bound_mean"] <= figures["ratio_to_lp_mean"]
    assert figures["whole_bound_mean"] <= whole["ratio_to_lp_mean"]


@pytest.mark.parametrize("body", ["[", "no such file"], ids=["no JSON", "no file"])
def test_data_that_cannot_be_read_is_refused(tmp_path: Path, body: str) -> None:
    file = tmp_path / "bad.json"
    if body == "[":
        file.write_text(body, encoding="utf-8")

    with pytest.raises(BadInput, match="give the file of an inventory"):
        run(True, file, lambda _: None)


def test_data_without_traffic_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no demand above 0"):
        run(True, written(tmp_path, dump(square(mbps=0.0))), lambda _: None)


@pytest.mark.slow
def test_few_policies_come_nearer_to_the_optimum_than_greedy_and_far_nearer_than_ecmp() -> None:
    made = run(True, None, lambda _: None)

    for name in ("abilene", "geant", "germany50"):
        ecmp, greedy, whole = (made["baselines"][method][name] for method in ("ecmp", "greedy", "whole"))
        figures = made["figures"][name]
        assert figures.keys() == ecmp.keys() == greedy.keys() == whole.keys() >= KEYS
        assert figures["ratio_to_lp_mean"] <= whole["ratio_to_lp_mean"] + 0.02
        assert figures["ratio_to_lp_mean"] < ecmp["ratio_to_lp_mean"]
        assert figures["ratio_to_lp_mean"] <= greedy["ratio_to_lp_mean"] + 0.02  # both stop when they are near enough
        assert figures["policies_most"] <= (25 if name == "germany50" else 10)
