"""A what-if tells a caller of one region nothing about another, not even whether something is there."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from domain.clock import ManualClock
from domain.identity import Role, Scope
from tests.attacks.ring_house import RingHouse, ring_house


@pytest.fixture
def ring(clock: ManualClock, tmp_path: Path) -> Iterator[RingHouse]:
    ring = ring_house(clock, tmp_path)
    everything = ring.house.road.live.regions_of("node:a")
    assert everything  # what is foreign lies somewhere
    ring.tokens["southerner"] = ring.house.issuer.issue(
        "southerner", frozenset({Role.VIEWER}), scope=Scope(regions=frozenset({"south"}))
    )[1]
    yield ring
    ring.house.close()


def failing(name: str) -> dict[str, Any]:
    return {"fail": [name]}


def weighing(name: str) -> dict[str, Any]:
    return {"changes": [{"kind": "set_metric", "link": name, "metric": 5}]}


@pytest.mark.parametrize("ask", [failing, weighing])
def test_a_foreign_element_reads_like_one_that_is_not_there(
    ring: RingHouse, ask: Callable[[str], dict[str, Any]]
) -> None:
    def answer(name: str) -> tuple[int, str]:
        said = ring.post("southerner", "/twin/whatif", ask(name))
        return said.status_code, said.text.replace(name, "NAME")

    assert answer("link:a-b") == answer("link:nowhere")
    assert answer("link:a-b")[0] == 400


def test_the_scene_and_the_view_of_another_region_are_empty(ring: RingHouse) -> None:
    assert ring.get("southerner", "/twin/scene").json()["nodes"] == []
    view = ring.get("southerner", "/twin").json()
    assert (view["nodes"], view["links"], view["busiest"], view["impact"]) == (0, 0, [], None)


@pytest.mark.parametrize("path", ["/twin/steering", "/twin/sweep"])
def test_who_sees_a_region_only_is_not_told_about_the_whole(ring: RingHouse, path: str) -> None:
    assert ring.get("southerner", path).status_code == 403
