"""The hidden parameters: drawn from the seed, and nothing that the front would tell."""

from dataclasses import fields

import numpy as np

from adapters.network.emulated.habits import Habits
from adapters.network.emulated.physics import Topology
from twin.generator import operator_network

INVENTORY = operator_network(2, 60)


def drawn(seed: int) -> Habits:
    return Habits.drawn(INVENTORY, Topology.of(INVENTORY), seed)


def flat(value: object) -> str:
    return np.array2string(value, threshold=10**9) if isinstance(value, np.ndarray) else repr(value)


def same(one: Habits, other: Habits) -> list[str]:
    """The names of the habits in which both agree."""
    return [f.name for f in fields(Habits) if flat(getattr(one, f.name)) == flat(getattr(other, f.name))]


def test_the_same_seed_gives_the_same_habits():
    assert same(drawn(5), drawn(5)) == [field.name for field in fields(Habits)]


def test_another_seed_gives_other_habits():
    alike = same(drawn(5), drawn(6))

    assert "demand_factor" not in alike
    assert "hash_weight" not in alike
    assert "list_weight" not in alike
    assert "speakers" not in alike


def test_true_demands_differ_from_the_believed_ones():
    factor = drawn(5).demand_factor

    assert factor.min() < 0.97
    assert factor.max() > 1.03
