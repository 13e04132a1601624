"""Of bad configurations, how many are stopped before they are pushed; and of good ones, how many are stopped, too?

Right configurations are generated for networks of topohub and for grown ones. *Bad* pushes are made by editing the
text as engineers err: each kind of mistake, and pairs of two kinds on top of each other (`caught_pairs`). *Good* ones
are everyday changes. Whether a metric overloads something is told by a computation of its own (networkx); mutators
and checks share no code. A push is caught when a finding blocks it (`caught_by_kind`); `seen_as_such` counts only
findings that name the mistake and not one of its consequences.

What no configuration shows is not among the mistakes: that the wrong customer was disconnected, or that a second exit
for a network was not meant.

Baselines: `none` pushes everything, `syntax_only` stops what cannot be parsed.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.config_errors_benign import BENIGN
from benchmarks.config_errors_faults import FAULTS, KINDS, MOST_ROUTERS, one_fault, two_faults
from benchmarks.config_errors_text import Edit, World
from benchmarks.report import Figures, result
from domain.configuration import ProtectedFlow, PushPolicy, PushReport, Transport
from domain.errors import BadInput, Unavailable
from twin.configuration import Document, check, generate, parse, write
from twin.generator import operator_network
from twin.reference import from_topohub

Progress = Callable[[str], None]
SYNTAX = "SYNTAX"
_SEED = 11
_TRIES = 60
#: Returns the ids of the findings that would stop a push.
Judge = Callable[[World, Edit], frozenset[str]]

#: What a finding that sees the mistake itself, and not only a consequence of it, may be called.
SEEN_AS: dict[str, str] = {
    "acl_flow": "FLOW-BLOCKED ACL-SHADOWED",
    "acl_open": "FLOW-OPEN",
    "acl_shadow": "ACL-SHADOWED FLOW-BLOCKED",
    "area": "IGP-AREA",
    "authentication": "IGP-AUTH",
    "blast": "BLAST-RADIUS",
    "cut_off": "STEP-BLACK-HOLE",
    "default_loop": "STEP-LOOP",
    "duplex": "DUPLEX-MISMATCH",
    "duplicate_address": "IP-DUPLICATE",
    "garbled": SYNTAX,
    "half_shut": "LINK-ONE-SIDED",
    "hijack": "PREFIX-CONFLICT",
    "igp_missing": "IGP-ONE-SIDED",
    "igp_exposed": "IGP-EXPOSED",
    "interface_name": "INTERFACE-UNKNOWN",
    "loopback_wrong": "SUBNET-OVERLAP STEP-BLACK-HOLE",
    "metric": "IGP-METRIC",
    "mtu": "MTU-MISMATCH",
    "n1_overload": "N1-HEADROOM",
    "next_hop": "ROUTE-UNRESOLVED",
    "protection_torn": "PROTECTION-BROKEN",
    "reference": "REFERENCE-UNKNOWN",
    "session_one_sided": "SESSION-ONE-SIDED",
    "session_terms": "SESSION-MISMATCH",
    "srlg": "SRLG-SHARED",
    "static_black_hole": "STEP-BLACK-HOLE",
    "static_loop": "STEP-LOOP",
    "vlan": "VLAN-MISMATCH",
    "wrong_order": "STEP-LOOP",
    "wrong_subnet": "SUBNET-MISMATCH SUBNET-OVERLAP",
}


@dataclass
class Tally:
    """Stopped pushes by kind, as [stopped, all]."""

    counts: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))

    def count(self, kind: str, *, stopped: bool) -> None:
        self.counts[kind][0] += stopped
        self.counts[kind][1] += 1

    @property
    def share(self) -> float:
        stopped, of = (sum(column) for column in zip(*self.counts.values(), strict=True))
        return round(float(stopped / of), 4)

    def by_kind(self) -> Figures:
        return {kind: round(stopped / of, 4) for kind, (stopped, of) in sorted(self.counts.items())}


def run(quick: bool, data: Path | None, progress: Progress) -> dict[str, Any]:  # noqa: ARG001  # nothing is stored
    """Make the pushes, judge them, and return the object of the bench.

    Raises:
        Unavailable: a kind of mistake could not be made on any network.
    """
    started = perf_counter()
    worlds = _worlds(quick)
    each, pairs = (2, 10) if quick else (20, 100)
    bad = [edit for kind in KINDS for edit in _many(kind, lambda w, r, k=kind: one_fault(k, w, r), worlds, each)]
    progress(f"{len(bad)} pushes with one mistake of {len(KINDS)} kinds")
    two = _pairs(worlds, pairs)
    good = [edit for kind in BENIGN for edit in _many(kind, BENIGN[kind], worlds, each)]
    progress(f"{len(two)} pushes with two mistakes, {len(good)} without any")
    judges: dict[str, Judge] = {"none": _nothing, "syntax_only": _syntax, "figures": _house}
    tables = {name: _figures(judge, bad, two, good) for name, judge in judges.items()}
    figures = tables.pop("figures")
    progress(f"caught {figures['caught']:.1%}, falsely blocked {figures['false_blocks']:.1%}")
    conditions = {
        "seed": _SEED,
        "n": figures["n"],
        "networks": [world.name for world in worlds],
        "benign_kinds": len(BENIGN),
        "max_routers": MOST_ROUTERS,
    }
    return result("config-errors", figures, tables, conditions, started)


def _worlds(quick: bool) -> list[World]:
    networks = [from_topohub("topozoo/Abilene"), operator_network(1, 120)]
    if not quick:
        networks += [from_topohub("gabriel/25/0"), from_topohub("topozoo/Geant2012"), operator_network(2, 200)]
    return [World(network.name, network, write(generate(network))) for network in networks]


Case = tuple[str, World, Edit]


def _many(kind: str, make: Callable[..., Edit | None], worlds: list[World], count: int) -> Iterator[Case]:
    """Yield so many pushes of one kind, on one network after the other; where it cannot be made, on the next one."""
    rng = np.random.default_rng([_SEED, *kind.encode()])
    made = 0
    for attempt in range(_TRIES * count):
        world = worlds[attempt % len(worlds)]
        edit = make(world, rng)
        if edit is not None:
            yield kind, world, edit
            made += 1
            if made == count:
                return
    raise Unavailable(f"`{kind}` could be made {made} times of {count}; choose other networks", code="nothing_measured")


def _pairs(worlds: list[World], count: int) -> list[Case]:
    rng = np.random.default_rng([_SEED, 2])
    names, found, seen = sorted(FAULTS), list[Case](), set[tuple[str, str]]()
    while len(found) < count:
        first, second = (names[place] for place in rng.permutation(len(names))[:2])
        if (first, second) in seen:
            continue
        world = worlds[len(found) % len(worlds)]
        edit = two_faults((first, second), world, rng)
        if edit is not None:
            seen.add((first, second))
            found.append(("pair", world, edit))
    return found


def _figures(judge: Judge, bad: list[Case], two: list[Case], good: list[Case]) -> Figures:
    single, pair, benign, seen = Tally(), Tally(), Tally(), Tally()
    for tally, cases in ((single, bad), (pair, two), (benign, good)):
        for kind, world, edit in cases:
            found = judge(world, edit)
            tally.count(kind, stopped=bool(found))
            if tally is single:
                seen.count(kind, stopped=not found.isdisjoint(SEEN_AS[kind].split()))
    return {
        "caught": Tally(single.counts | pair.counts).share,
        "false_blocks": benign.share,
        "kinds": len(single.counts),
        "n": len(bad) + len(two),
        "n_good": len(good),
        "caught_pairs": pair.share,
        "seen_as_such": seen.share,
        "caught_by_kind": single.by_kind(),
        "false_blocks_by_kind": benign.by_kind(),
    }


def _nothing(world: World, edit: Edit) -> frozenset[str]:  # noqa: ARG001  # it does not look
    return frozenset()


def _syntax(world: World, edit: Edit) -> frozenset[str]:  # noqa: ARG001  # a text is a text on any network
    try:
        parse(edit.after)
    except BadInput:
        return frozenset({SYNTAX})
    return frozenset()


def _house(world: World, edit: Edit) -> frozenset[str]:
    try:
        report = judged(world, edit)
    except BadInput:
        return frozenset({SYNTAX})
    return frozenset(finding.id.removeprefix("CFG-") for finding in report.findings if finding.blocks)


def judged(world: World, edit: Edit) -> PushReport:
    """Return what the house says of a push. Raises BadInput when it cannot be read."""
    return check(_in_force(edit.before), parse(edit.after), world.inventory, policy(world), edit.order)


@lru_cache(maxsize=8)
def _in_force(text: str) -> Document:
    """Read what is in force, once for all pushes on top of it."""
    return parse(text)


def policy(world: World) -> PushPolicy:
    """Return the policy of the bench: few routers at once, flows that must arrive, and some that must not."""
    draft = world.draft()
    first, *_, last = world.routers
    address = {name: str(draft.value(name, "lo0", "address")).split("/")[0] for name in (first, last)}
    hosts = [str(draft.value(name, "lan0", "address")).rsplit(".", 1)[0] + ".9" for name in (first, last)]
    logging = ProtectedFlow(
        name="logging", source=address[last], destination=address[first], transport=Transport.UDP, port=514
    )
    calls = ProtectedFlow(name="calls", source=hosts[0], destination=hosts[1], transport=Transport.UDP, port=5060)
    entering = [
        ProtectedFlow(
            name=f"customers of {name} to routers",
            source=str(draft.value(name, "lan0", "address")).rpartition(".")[0] + ".9",
            destination=address[first],
            transport=Transport.TCP,
            port=22,
            forbidden=True,
        )
        for name in world.routers
    ]
    return PushPolicy(max_routers=MOST_ROUTERS, flows=(logging, calls, *entering))
