"""What is learnt, tuned and measured on shares no network and no hour; a scenario is the same each time."""

import re
from itertools import combinations

import numpy as np
import pytest

from domain.changes import ScaleDemand, SetOperational
from twin.evaluate import evaluate
from twin.ground.places import HOURS, NETWORKS, at_hour, network_of
from twin.ground.scenarios import Scenario, Trouble, any_of, drawn


def family(name: str) -> str:
    """Return a network's name without the year: its years resemble each other."""
    return name if name.startswith("operator/") else re.sub(r"\d+$", "", name)


@pytest.mark.parametrize(("one", "other"), list(combinations(NETWORKS, 2)))
def test_two_splits_share_no_family_of_networks_and_no_hour(one: str, other: str) -> None:
    networks = [{family(name) for name in NETWORKS[split]} for split in (one, other)]  # type: ignore[index]
    hours = [set(HOURS[split]) for split in (one, other)]  # type: ignore[index]

    assert networks[0].isdisjoint(networks[1])
    assert hours[0].isdisjoint(hours[1])


def test_every_split_has_networks_of_both_kinds_and_nothing_of_sndlib() -> None:
    for names in NETWORKS.values():
        assert {name.split("/")[0] for name in names} == {"topozoo", "operator"}


def test_every_hour_belongs_to_a_split() -> None:
    assert sorted(hour for hours in HOURS.values() for hour in hours) == list(range(24))


def test_the_fullest_hour_of_a_day_fills_the_fullest_link_to_four_fifths() -> None:
    worst = [evaluate(at_hour("topozoo/Sprint", hour)).arc_utilisation.max() for hour in range(24)]

    assert max(worst) == pytest.approx(0.8)
    assert min(worst) < 0.5


def test_half_of_the_networks_have_links_of_one_capacity() -> None:
    even = [len({link.capacity_mbps for link in network_of(name).links}) == 1 for name in NETWORKS["tune"]]

    assert 0 < sum(even) < len(even)


@pytest.mark.parametrize("trouble", list(Trouble))
def test_a_scenario_is_the_same_each_time_and_is_of_its_kind(trouble: Trouble) -> None:
    scenario = Scenario("topozoo/Sprint", 20, trouble, 4)

    first, again = drawn(scenario), drawn(scenario)

    assert (first.changes, first.closed) == (again.changes, again.closed)
    assert first.snapshot.digest == again.snapshot.digest
    kind = ScaleDemand if trouble is Trouble.SURGE else SetOperational
    assert first.changes
    assert all(isinstance(change, kind) for change in first.changes)
    assert (len(first.changes) > 1) == (trouble in {Trouble.SURGE, Trouble.SHARED_RISK})
    assert first.closed


def test_another_number_is_another_scenario() -> None:
    found = {drawn(Scenario("topozoo/Sprint", 20, Trouble.SURGE, number)).snapshot.digest for number in range(5)}

    assert len(found) == 5


def test_what_is_drawn_depends_on_the_seed_alone() -> None:
    first, again = ([any_of("unseen", rng) for _ in range(5)] for rng in (np.random.default_rng(3) for _ in range(2)))

    assert first == again
    assert {scenario.network for scenario in first} <= set(NETWORKS["unseen"])
