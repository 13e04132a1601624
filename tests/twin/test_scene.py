"""The twin's state for outside viewers."""

import re

import pytest

from domain.changes import ScaleDemand, SetOperational
from domain.network import Operational
from tests.stage import ring
from twin.evaluate import evaluate
from twin.scene import scene, usd
from twin.snapshot import Snapshot


def test_a_scene_shows_what_works_and_how_full_it_is() -> None:
    down = SetOperational(element="link:a-b", state=Operational.DISABLED)
    found = scene(evaluate(Snapshot.of(ring()), [down, ScaleDemand(demand="demand:a-b", factor=2.5)]))

    links = {link["id"]: link for link in found["links"]}
    assert [link["works"] for link in links.values()] == [id != "link:a-b" for id in links]
    assert links["link:b-c"] | {"source": "", "destination": ""} == {
        "id": "link:b-c",
        "source": "",
        "destination": "",
        "works": True,
        "capacity_mbps": 100.0,
        "utilisation": 0.5,  # 20 Mbit/s times 2.5, the long way round
        "loss": 0.0,
    }
    assert {node["id"] for node in found["nodes"]} == {node.id for node in ring().nodes}


def test_nodes_without_a_position_stand_apart() -> None:
    places = [node["place"] for node in scene(evaluate(Snapshot.of(ring())))["nodes"]]
    assert len(set(places)) == len(places)


def test_what_is_not_to_be_shown_is_not_there_nor_a_link_to_it() -> None:
    found = scene(evaluate(Snapshot.of(ring())), lambda element: element != "node:a")
    assert "node:a" not in {node["id"] for node in found["nodes"]}
    assert {link["id"] for link in found["links"]} == {"link:b-c", "link:c-d"}


def test_a_usd_scene_has_a_prim_with_its_own_name_and_id_for_every_element() -> None:
    data = scene(evaluate(Snapshot.of(ring())))
    text = usd(data)

    assert text.startswith("#usda 1.0\n")
    assert text.count("{") == text.count("}")
    assert text.count("(") == text.count(")")
    prims = re.findall(r'def (?:Sphere|BasisCurves) "([A-Za-z_][A-Za-z0-9_]*)"', text)
    assert len(set(prims)) == len(prims) == len(data["nodes"]) + len(data["links"])
    for element in (*data["nodes"], *data["links"]):
        assert f'custom string nocturne:id = "{element["id"]}"' in text


@pytest.mark.parametrize("name", ['a"b', "a\nb", "a\\b", "ünï"])
def test_a_name_cannot_leave_its_quotes(name: str) -> None:
    line = usd({"name": name, "nodes": [], "links": []}).splitlines()[8]
    assert re.fullmatch(r'    custom string nocturne:name = "(?:[^"\\]|\\.)*"', line)
