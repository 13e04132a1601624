"""A network from two files: what becomes of it, and what is refused in which words."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks import fidelity, given, steering, whatif
from benchmarks.given import given_inventory, given_network
from domain.errors import BadInput, TooLarge
from twin.evaluate import evaluate
from twin.snapshot import Snapshot
from twin.whatif.base import prepare

TOPOLOGY: dict[str, Any] = {
    "nodes": ["a", "b", "c", "d"],
    "links": [
        {"name": "ab", "from": "a", "to": "b", "capacity_mbps": 100},
        {"name": "bd", "from": "b", "to": "d", "capacity_mbps": 100},
        {"name": "ac", "from": "a", "to": "c", "capacity_mbps": 100, "metric": 2, "srlgs": ["duct"]},
        {"name": "cd", "from": "c", "to": "d", "capacity_mbps": 100, "metric": 2, "srlgs": ["duct"]},
    ],
}
DEMANDS: list[dict[str, Any]] = [
    {"from": "a", "to": "d", "mbps": 30.0},
    {"from": "a", "to": "d", "mbps": 40.0, "via": "c", "share": 0.5},
    {"from": "d", "to": "b", "mbps": 5.0},
]


def _files(folder: Path, topology: Any, demands: Any) -> tuple[Path, Path]:
    files = folder / "topology.json", folder / "demands.json"
    for file, body in zip(files, (topology, demands), strict=True):
        file.write_text(body if isinstance(body, str) else json.dumps(body), "utf-8")
    return files


def test_the_inventory_carries_what_the_network_carries(tmp_path: Path) -> None:
    files = _files(tmp_path, TOPOLOGY, DEMANDS)
    network, inventory = given_network(*files), given_inventory(*files)

    assert network is not None
    assert inventory is not None
    assert {link.id: link.srlgs for link in inventory.links}["cd"] == ("duct",)
    base, after = prepare(network), evaluate(Snapshot.of(inventory))
    ours = {network.links[arc // 2]: base.load[arc] + base.load[arc + 1] for arc in range(0, len(base.load), 2)}
    theirs = {
        after.topology.links[arc // 2]: after.arc_load[arc] + after.arc_load[arc + 1]
        for arc in range(0, len(after.arc_load), 2)
    }
    assert theirs == pytest.approx(ours)
    assert ours == {"ab": 50.0, "bd": 55.0, "ac": 20.0, "cd": 20.0}


def test_no_files_are_no_network() -> None:
    assert given_network(None, None) is None
    assert given_inventory(None, None) is None


@pytest.mark.parametrize("run", [whatif.run, steering.run, fidelity.run], ids=["whatif", "steering", "fidelity"])
@pytest.mark.parametrize(
    ("topology", "demands", "reason"),
    [
        ("", "[]", "the topology file is no JSON"),
        (TOPOLOGY, "[", "the demands file is no JSON"),
        (TOPOLOGY | {"links": [TOPOLOGY["links"][0] | {"capacity_mbps": -1}]}, DEMANDS[:0], "`ab` has capacity -1"),
        (TOPOLOGY, [DEMANDS[0] | {"to": "z"}], "names `z`, which is no node"),
        (TOPOLOGY, [DEMANDS[0] | {"mbps": 0}], "demand above 0 Mbit/s"),
    ],
)
def test_bad_files_are_refused_before_anything_is_measured(
    tmp_path: Path, run: Callable[..., Any], topology: Any, demands: Any, reason: str
) -> None:
    files = _files(tmp_path, topology, demands)
    with pytest.raises(BadInput, match=reason):
        run(True, None, lambda _: None, *files)


@pytest.mark.parametrize("run", [steering.run, fidelity.run], ids=["steering", "fidelity"])
@pytest.mark.parametrize(
    ("demand", "reason"),
    [
        ({"from": "a", "to": "alone", "mbps": 5}, "no demand above 0 Mbit/s has a way"),
        ({"from": "a", "to": "b", "mbps": 1e300}, "1e\\+298 times its capacity; give both in Mbit/s"),
    ],
)
def test_what_would_not_flow_is_refused(tmp_path: Path, run: Callable[..., Any], demand: Any, reason: str) -> None:
    topology = TOPOLOGY | {"nodes": [*TOPOLOGY["nodes"], "alone"]}
    with pytest.raises(BadInput, match=reason):
        run(True, None, lambda _: None, *_files(tmp_path, topology, [demand]))


def test_a_network_whose_every_failure_leaves_nothing_cannot_be_foreseen(tmp_path: Path) -> None:
    lone = {"nodes": ["a", "b"], "links": TOPOLOGY["links"][:1]}
    with pytest.raises(BadInput, match="no failure of this network leaves any traffic"):
        fidelity.run(True, None, lambda _: None, *_files(tmp_path, lone, [{"from": "a", "to": "b", "mbps": 5.0}]))


@pytest.mark.parametrize("run", [whatif.run, steering.run, fidelity.run], ids=["whatif", "steering", "fidelity"])
def test_a_file_that_is_missing_is_named(tmp_path: Path, run: Callable[..., Any]) -> None:
    topology, demands = _files(tmp_path, TOPOLOGY, DEMANDS)

    with pytest.raises(BadInput, match=r"nowhere\.json` cannot be read"):
        run(True, None, lambda _: None, topology, tmp_path / "nowhere.json")
    with pytest.raises(BadInput, match="both `--topology FILE` and `--demands FILE`"):
        run(True, None, lambda _: None, None, demands)


def test_a_file_that_never_ends_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(given, "_LARGEST_FILE", 1 << 20)
    with pytest.raises(BadInput, match="`/dev/zero` is larger than 1 MiB"):
        given_network(Path("/dev/zero"), Path("/dev/zero"))


def test_what_an_inventory_cannot_say_is_refused(tmp_path: Path) -> None:
    steep = TOPOLOGY | {"links": [TOPOLOGY["links"][0] | {"metric": 70_000}]}
    with pytest.raises(BadInput, match="`ab` has metric 70000"):
        given_inventory(*_files(tmp_path, steep, [{"from": "a", "to": "b", "mbps": 1.0}]))


def test_a_network_without_an_optimum_to_stand_beside_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steering, "_WHILE_S", 0.0)
    nodes = [f"n{at}" for at in range(60)]
    links = [
        {"name": f"l{at}-{far}", "from": nodes[at], "to": nodes[(at + far) % 60], "capacity_mbps": 10}
        for at in range(60)
        for far in (1, 7)
    ]
    demands = [{"from": one, "to": other, "mbps": 1} for one in nodes for other in nodes if one < other]
    with pytest.raises(TooLarge, match="join demands, or give a smaller network"):
        steering.run(True, None, lambda _: None, *_files(tmp_path, {"nodes": nodes, "links": links}, demands))


def test_steering_is_measured_on_the_given_network_alone(tmp_path: Path) -> None:
    made = steering.run(True, None, lambda _: None, *_files(tmp_path, TOPOLOGY, DEMANDS))

    assert set(made["figures"]) == {"given"}
    assert made["conditions"]["networks"] == "given"
    assert made["figures"]["given"]["ratio_to_lp_mean"] <= made["baselines"]["ecmp"]["given"]["ratio_to_lp_mean"]
