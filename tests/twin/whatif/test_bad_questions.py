"""Questions that cannot be answered are refused in clear words, and nothing is altered by them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from control_plane.whatif.sweeping import SweepKind, swept
from domain.changes import SetMetric, SetOperational
from domain.errors import BadInput, TooLarge
from domain.network import Operational
from tests.twin.small_networks import network, square
from twin.evaluate import evaluate
from twin.snapshot import Snapshot
from twin.whatif import sweep as sweep_module
from twin.whatif.base import Base, prepare
from twin.whatif.network import Network, checked, network_of
from twin.whatif.scenarios import LinkPairs, Scenario, failing, single_links
from twin.whatif.sweep import base_of, before_convergence, estimate_s, sweep, what_if

BROKEN = Operational.DISABLED


def _with(**arrays: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> Network:
    return replace(network_of(Snapshot.of(square())), **arrays)  # type: ignore[arg-type]  # numbers that are none


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({"capacity": np.zeros(8)}, "`l0` has capacity 0"),
        ({"capacity": np.full(8, -1.0)}, "`l0` has capacity -1"),
        ({"metric": np.full(8, np.nan)}, "`l0` has metric nan"),
        ({"metric": np.zeros(8)}, "`l0` has metric 0"),
        ({"mbps": np.full(1, np.inf)}, "demand 0 asks for inf"),
    ],
)
def test_a_number_that_is_none_is_refused(
    bad: dict[str, "np.ndarray[tuple[int], np.dtype[np.float64]]"], reason: str
) -> None:
    with pytest.raises(BadInput, match=reason):
        checked(_with(**bad))


@pytest.mark.parametrize(
    "ask",
    [
        lambda snapshot: failing(snapshot, network_of(snapshot), [SetOperational(element="l9", state=BROKEN)]),
        lambda snapshot: evaluate(snapshot, [SetMetric(link="l9", metric=3)]),
        lambda snapshot: evaluate(snapshot, [SetMetric(link="l0", metric=3), SetMetric(link="l0", metric=4)]),
        lambda snapshot: what_if(base_of(snapshot), Scenario("nothing", (99,))),
        lambda snapshot: before_convergence(base_of(snapshot), Scenario("nothing", (), (99,))),
        lambda snapshot: sweep(base_of(snapshot), [Scenario("good", (0,)), Scenario("bad", (-1,))]),
        lambda snapshot: swept(snapshot, SweepKind.PAIRS, 1e-9),
    ],
    ids=["failure of nothing", "change of nothing", "contradiction", "no link", "no node", "negative", "no time"],
)
def test_after_a_refusal_all_is_as_it_was(ask: Callable[[Snapshot], object]) -> None:
    snapshot = Snapshot.of(square())
    digest, load = snapshot.digest, base_of(snapshot).load.copy()

    with pytest.raises((BadInput, TooLarge), match=r"`l9`|two values|correct it|budget"):
        ask(snapshot)

    assert snapshot.digest == digest
    assert base_of(snapshot).load.tolist() == load.tolist()
    assert what_if(base_of(snapshot), Scenario("l0", (0,))).lost_mbps == 0


def test_a_demand_that_nothing_connects_is_lost_in_every_answer_alike() -> None:
    islands = network([("a", "b", 1, 10.0), ("c", "d", 1, 10.0)], [("a", "b", 1.0), ("a", "d", 5.0)])
    snapshot = Snapshot.of(islands)
    base = prepare(network_of(snapshot))

    assert base.lost_mbps == 5.0
    assert evaluate(snapshot).arc_load.sum() == base.load.sum() == 1.0
    assert [what_if(base, each).lost_mbps for each in single_links(base.network)] == [6.0, 5.0]


def test_a_sweep_beyond_its_budget_is_refused_before_its_scenarios_are_made() -> None:
    base = prepare(network_of(Snapshot.of(square())))

    class Pairs(LinkPairs):
        def __len__(self) -> int:
            return 50_000_000

        def __getitem__(self, at: int | slice) -> Any:
            return [Scenario("some", (0, 1))] if isinstance(at, slice) else Scenario("one", (0, 1))

        def __iter__(self) -> Iterator[Scenario]:
            raise AssertionError("all of them were made")

    with pytest.raises(TooLarge, match="50000000 scenarios would take about"):
        sweep(base, Pairs(base.network), budget_s=1.0)


def test_what_each_call_costs_once_is_not_counted_for_every_scenario(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0

    def slow(_base: Base, sample: Sequence[Scenario], **_: object) -> None:
        nonlocal now
        now += 0.005 + 0.0001 * len(sample)

    monkeypatch.setattr(sweep_module, "sweep", slow)
    monkeypatch.setattr(sweep_module, "perf_counter", lambda: now)

    needed = estimate_s(prepare(network_of(Snapshot.of(square()))), [Scenario("l0", (0,))] * 100_000)

    assert needed == pytest.approx(10.0, rel=0.05)
