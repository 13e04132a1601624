"""Which way the traffic goes: shortest paths with ECMP for all demands of one state, as rows per destination.

`Routing` is the result for one state. A later state is routed `from` an earlier one: rows that no changed arc
touches are taken over, and the answer is the same to the last bit (see `twin.kernel`).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from twin import kernel
from twin.topology import Flags, Floats, Ints, Topology


@dataclass(frozen=True, eq=False)
class Ask:
    """What is to be routed: arcs with their metrics, and demands with their waypoints (-1: none).

    `share` is the part of each demand that goes through its waypoint, 1 without one; the rest goes the direct way.
    """

    usable: Flags
    metric: Ints
    mbps: Floats
    via: Ints
    share: Floats

    @property
    def split(self) -> Ints:
        """The places of the demands that go two ways."""
        return np.flatnonzero(self.share < 1.0).astype(np.int32)


class Legs(NamedTuple):
    """Where the demands go, leg by leg: from, to, whose it is, and which share of that demand takes it.

    First the way to the waypoint, or to the destination, of each demand; then the second legs of those with a waypoint;
    then the direct ways of those of which a policy takes only a share.
    """

    begins: Ints
    ends: Ints
    demand: Ints
    share: Floats


def legs_of(topology: Topology, ask: Ask, places: Ints | None = None) -> Legs:
    """Return the legs of all demands, or of those at `places`; `demand` counts within these."""
    source, destination, via, share = topology.source, topology.destination, ask.via, ask.share
    if places is not None:
        source, destination, via, share = source[places], destination[places], via[places], share[places]
    bent, split = np.flatnonzero(via >= 0), np.flatnonzero(share < 1.0)
    begins = np.concatenate([source, via[bent], source[split]])
    ends = np.concatenate([np.where(via >= 0, via, destination), destination[bent], destination[split]])
    demand = np.concatenate([np.arange(len(via)), bent, split])
    parts = np.concatenate([share, share[bent], 1.0 - share[split]])
    return Legs(begins.astype(np.int32), ends.astype(np.int32), demand.astype(np.int32), parts)


@dataclass(frozen=True, eq=False)
class Routing:
    """One row per destination; `row_at[router]` is its row or -1. Shapes: see `twin.kernel.route`."""

    ask: Ask
    goals: Ints
    row_at: Ints
    distance: Ints
    order: Ints
    settled: Ints
    carries: Flags
    load: Floats

    @cached_property
    def arc_load(self) -> Floats:
        """Mbit/s per arc, summed in the order of the destinations."""
        total: Floats = self.load.sum(axis=0)
        return total


def route(topology: Topology, ask: Ask, base: Routing | None = None) -> Routing:
    """Route all demands; `base` is a routing of the same topology that was computed without a base itself."""
    legs = legs_of(topology, ask)
    begins, ends, mbps = legs.begins, legs.ends, ask.mbps[legs.demand] * legs.share
    goals = np.unique(ends)
    routers, arcs, rows = len(topology.routers), len(topology.tail), len(goals)
    row_at = np.full(routers, -1, np.int32)
    row_at[goals] = np.arange(rows, dtype=np.int32)
    enters, sources = np.zeros((rows, routers)), np.zeros((rows, routers), np.bool_)
    np.add.at(enters, (row_at[ends], begins), mbps)
    sources[row_at[ends], begins] = True
    settled = np.zeros(rows, np.int32)
    routing = Routing(
        ask=ask,
        goals=goals,
        row_at=row_at,
        distance=np.empty((rows, routers), np.int32),
        order=np.empty((rows, routers), np.int32),
        settled=settled,
        carries=np.zeros((rows, routers), np.bool_),
        load=np.zeros((rows, arcs)),
    )
    old = routing if base is None else base
    kept = np.full(rows, -1, np.int32) if base is None else _kept(topology, routing, base)
    kernel.route(
        topology.in_rows,
        topology.in_arcs,
        topology.out_rows,
        topology.out_arcs,
        topology.tail,
        topology.head,
        ask.metric,
        ask.usable,
        goals,
        enters,
        sources,
        kept,
        old.distance,
        old.order,
        old.settled,
        old.carries,
        old.load,
        routing.distance,
        routing.order,
        settled,
        routing.carries,
        routing.load,
    )
    return routing


def _kept(topology: Topology, new: Routing, base: Routing) -> Ints:
    """Return, per new row, the row of `base` that is still right, or -1."""
    ask, was = new.ask, base.ask
    altered = np.flatnonzero((ask.usable != was.usable) | (ask.metric != was.metric)).astype(np.int32)
    hit = np.zeros(len(base.goals), np.bool_)
    if len(altered):
        kernel.touched(
            altered,
            topology.tail,
            topology.head,
            was.metric,
            was.usable,
            ask.metric,
            ask.usable,
            base.distance,
            base.carries,
            hit,
        )
    moved = np.flatnonzero((ask.mbps != was.mbps) | (ask.via != was.via) | (ask.share != was.share))
    for ends in (topology.destination[moved], ask.via[moved], was.via[moved]):
        rows = base.row_at[ends[ends >= 0]]
        hit[rows[rows >= 0]] = True
    kept = base.row_at[new.goals]
    kept[(kept >= 0) & hit[kept]] = -1
    return kept.astype(np.int32)


def delivery(topology: Topology, routing: Routing, passed: Floats) -> Floats:
    """Return the share of each demand that arrives when each arc lets the share `passed` through (0 if cut off)."""
    shares = routing.carries.astype(np.float64)
    lossy = passed < 1.0
    rows = np.flatnonzero((routing.load[:, lossy] > 0).any(axis=1)).astype(np.int32) if lossy.any() else None
    if rows is not None and len(rows):
        kernel.deliver(
            topology.out_rows,
            topology.out_arcs,
            topology.head,
            routing.ask.metric,
            routing.ask.usable,
            passed,
            rows,
            routing.distance,
            routing.order,
            routing.settled,
            routing.carries,
            shares,
        )
    ask, split = routing.ask, routing.ask.split
    bent = ask.via >= 0
    first = np.where(bent, ask.via, topology.destination)
    arrived: Floats = shares[routing.row_at[first], topology.source]
    arrived[bent] *= shares[routing.row_at[topology.destination[bent]], ask.via[bent]]
    direct = shares[routing.row_at[topology.destination[split]], topology.source[split]]
    arrived[split] = ask.share[split] * arrived[split] + (1.0 - ask.share[split]) * direct
    return arrived
