"""How often is a grant voided for nothing, and how often is one kept that should have been voided?

Sound plans for drawn faults are granted on a believed network, then things happen to the true one: in and out of what
the plan is about. The truth decides: a grant *should* be void when the plan, rehearsed on the true network, has become
unsound, harms others, or is worth less than half of what was approved. What the house does is what it does before a
first step: it compares the facts that the rehearsal read, and rehearses again on what it believes.

Needless holds are counted on pairs of plans on the same network: a pair is held when the plans touch each other and
were found not to be safe together; it is needless when both together lose no more than the better of them alone.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.grants_case import Believed, Overlay, faults, happenings, masked, rehearsed, with_all
from benchmarks.grants_pairs import Pair, pairs
from benchmarks.report import Figures, result
from control_plane.rehearsing import since_then
from domain.errors import BadInput
from domain.network import Inventory
from domain.proposals import Plan
from domain.rehearsal import Rehearsal
from twin.departures import departures
from twin.evaluate import predict
from twin.generator import operator_network
from twin.snapshot import Snapshot

Progress = Callable[[str], None]

_ELEMENTS, _SEED = 200, 1
#: Networks, granted plans on each, and happenings after each grant.
_FULL, _QUICK = (10, 30, 5), (3, 16, 3)
#: Pairs of plans on each network.
_PAIRS_FULL, _PAIRS_QUICK = 16, 5
_HEALS = 0.06


@dataclass(frozen=True)
class Seen:
    """One grant, after things happened: what should be, and what each way of checking says."""

    fault: str
    happened: tuple[str, ...]
    should: bool
    by_facts: bool
    by_rehearsal: bool
    anything: bool

    @property
    def void(self) -> bool:
        return self.by_facts or self.by_rehearsal


def run(quick: bool, data: Path | None, progress: Progress) -> dict[str, Any]:
    """Grant, let things happen, and compare. Raises Unavailable when nothing could be measured."""
    del data  # nothing is kept
    started = perf_counter()
    networks, plans, times = _QUICK if quick else _FULL
    seen: list[Seen] = []
    met: list[Pair] = []
    for number in range(networks):
        seen += _on_network(_SEED + number, plans, times)
        inventory, rng = operator_network(_SEED + number, _ELEMENTS), np.random.default_rng(1000 + _SEED + number)
        met += pairs(inventory, _PAIRS_QUICK if quick else _PAIRS_FULL, rng)
        progress(f"network {number + 1} of {networks}: {len(seen)} grants checked, {_told(seen)}")
    figures = _figures(seen, lambda one: one.void) | {
        "n": len(seen),
        "should_void": sum(one.should for one in seen),
        "void_share": _share(seen, lambda one: one.void),
        "pairs": len(met),
        "unsafe_pairs": sum(pair.unsafe for pair in met),
        "held_pairs": sum(pair.held for pair in met),
        "needless_holds": sum(pair.held and not pair.unsafe for pair in met),
        "missed_collisions": sum(pair.unsafe and not pair.held for pair in met),
        "missed_by_happening": dict(_missed(seen)) or {"none": 0},
    }
    baselines = {
        "plan_digest_only": _figures(seen, lambda _: False),
        "whole_state_digest": _figures(seen, lambda one: one.anything),
        "facts_only": _figures(seen, lambda one: one.by_facts),
        "rehearsal_only": _figures(seen, lambda one: one.by_rehearsal),
    }
    conditions = {"seed": _SEED, "elements": _ELEMENTS, "n": len(seen), "networks": networks, "plans": plans}
    return result("grants", figures, baselines, conditions, started)


def _on_network(seed: int, plans: int, times: int) -> Iterator[Seen]:
    rng, inventory = np.random.default_rng(seed), operator_network(seed, _ELEMENTS)
    drawn, made = faults(inventory, rng), 0
    while made < plans:
        fault, configured, besides, tried = next(drawn)
        overlay = (*configured, *besides)
        for plan in tried:
            granted = _granted(inventory, plan, overlay, rng)
            if granted is None:
                continue
            made += 1
            for _ in range(times):
                found = _afterwards(inventory, fault, plan, overlay, granted, rng)
                if found is not None:
                    yield found
            break


def _granted(
    inventory: Inventory, plan: Plan, overlay: Overlay, rng: np.random.Generator
) -> tuple[Believed, Rehearsal, Rehearsal] | None:
    """Return what is believed, the rehearsal that is granted, and the same on the truth; None for no sound plan."""
    base, believed = Snapshot.of(inventory), Believed(inventory, rng)
    believed.hear(base.with_changes(overlay))
    try:
        here = rehearsed(plan, believed.twin.snapshot(), overlay, believed, believed.twin.fidelity())
        there = rehearsed(plan, base, overlay, believed, 0.0)
    except BadInput:
        return None
    here = here.but(seen_down=believed.twin.down())
    return (believed, here, there) if here.sound and there.sound else None


def _afterwards(
    inventory: Inventory,
    fault: str,
    plan: Plan,
    overlay: Overlay,
    granted: tuple[Believed, Rehearsal, Rehearsal],
    rng: np.random.Generator,
) -> Seen | None:
    """Let things happen, and compare what should become of the grant with what would."""
    _, here, there = granted
    near = _near(inventory, here)
    before = predict(Snapshot.of(inventory).with_changes(overlay))
    drawn = [happenings(inventory, near, rng) for _ in range(int(rng.integers(1, 4)))]
    drawn = [(kind, happened) for kind, happened in drawn if not masked(before, happened)]
    healed = rng.random() < _HEALS
    base = with_all(Snapshot.of(inventory), [happened for _, happened in drawn])
    after = Believed(inventory, rng)
    after.hear(Snapshot.of(inventory).with_changes(overlay))
    after.hear(base if healed else base.with_changes(overlay))
    try:
        truth = rehearsed(plan, base, () if healed else overlay, after, 0.0)
        now = since_then(after.twin.snapshot(), here, after.twin.down())
        again = rehearsed(plan, now, overlay, after, after.twin.fidelity())
    except BadInput:
        return None
    changed = [fact for fact in here.facts if not fact.holds(after.observed(fact.element, fact.attribute))]
    return Seen(
        fault=fault,
        happened=(*(kind for kind, _ in drawn), *(("heals",) if healed else ())),
        should=bool(departures(there, truth)),
        by_facts=bool(changed),
        by_rehearsal=bool(departures(here, again)),
        anything=bool(drawn) or healed,
    )


def _near(inventory: Inventory, rehearsal: Rehearsal) -> list[str]:
    """Return the links that the plan's facts speak of."""
    link_of = {point: link.id for link in inventory.links for point in (link.source, link.destination)}
    named = {fact.element for fact in rehearsal.facts}
    return sorted({link_of.get(name, name) for name in named})


def _figures(seen: list[Seen], void: Callable[[Seen], bool]) -> Figures:
    fine, broken = [one for one in seen if not one.should], [one for one in seen if one.should]
    return {"false_void": _share(fine, void), "missed_void": _share(broken, lambda one: not void(one))}


def _share(seen: list[Seen], what: Callable[[Seen], bool]) -> float | None:
    return round(sum(map(what, seen)) / len(seen), 4) if seen else None


def _missed(seen: list[Seen]) -> Counter[str]:
    return Counter(f"{one.fault}: {'+'.join(one.happened)}" for one in seen if one.should and not one.void)


def _told(seen: list[Seen]) -> str:
    table = _figures(seen, lambda one: one.void)
    return f"false void {table['false_void']}, missed void {table['missed_void']}"
