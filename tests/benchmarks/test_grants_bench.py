"""The grants bench: what it counts as void for nothing and as missed, and that its worlds can tell the two apart."""

import numpy as np
import pytest

from benchmarks.grants import Seen, _figures, _on_network
from benchmarks.grants_case import Believed, faults, masked
from domain.changes import SetOperational
from domain.network import Operational
from twin.evaluate import predict
from twin.generator import operator_network
from twin.snapshot import Snapshot


def seen(*, should: bool, void: bool) -> Seen:
    return Seen("locked", ("noise",), should, by_facts=void, by_rehearsal=False, anything=True)


def test_shares_are_of_those_that_should_and_of_those_that_should_not() -> None:
    table = [seen(should=True, void=True), seen(should=True, void=False), *[seen(should=False, void=False)] * 3]

    figures = _figures([*table, seen(should=False, void=True)], lambda one: one.void)

    assert figures == {"false_void": 0.25, "missed_void": 0.5}


def test_an_empty_table_is_no_figure() -> None:
    assert _figures([], lambda one: one.void) == {"false_void": None, "missed_void": None}


def test_a_small_run_sees_grants_that_should_be_void_and_grants_that_should_not() -> None:
    found = list(_on_network(1, 6, 4))

    assert {one.should for one in found} == {True, False}
    assert sum(one.void != one.should for one in found) <= len(found) // 4


def test_what_is_believed_hears_of_failures_only_by_readings() -> None:
    inventory, rng = operator_network(1, 60), np.random.default_rng(1)
    truth, believed = Snapshot.of(inventory), Believed(inventory, rng)
    link = inventory.links[0]
    believed.hear(truth)
    before = believed.twin.down()

    believed.hear(truth.with_changes((SetOperational(element=link.id, state=Operational.DISABLED),)))

    assert before == ()
    assert {link.source, link.destination} <= set(believed.twin.down())
    assert believed.twin.snapshot().value(link.id, "operational") == "enabled"


@pytest.mark.parametrize("kind", range(3))
def test_each_kind_of_fault_comes_with_plans(kind: int) -> None:
    inventory = operator_network(1, 60)
    _, configured, besides, plans = next(faults(inventory, np.random.default_rng(1), (kind,)))

    assert configured or besides
    assert plans


def test_what_breaks_what_is_broken_cannot_be_seen_by_anybody() -> None:
    inventory = operator_network(1, 60)
    broken = (SetOperational(element=inventory.links[0].id, state=Operational.DISABLED),)
    before = predict(Snapshot.of(inventory).with_changes(broken))

    assert masked(before, broken)
    assert not masked(before, (SetOperational(element=inventory.links[1].id, state=Operational.DISABLED),))
