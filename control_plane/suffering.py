"""What suffers now, as telemetry tells it: cells that do not serve, demands that lose traffic, customers, Mbit/s.

A cell does not serve when it says so, or when next to nothing flows over it and that is unusual (a sleeping cell calls
itself up). A demand is hit when it loses more than readings of loss are believed to. What says nothing is not well:
it is named in `unseen`.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from control_plane.live import Live
from domain.measurements import Metric
from domain.network import Inventory, NodeKind
from domain.observations import Picture
from twin.blast.spread import CIRCUIT_LOSS, Suffering
from twin.evaluate import predict

#: A cell that carries less than this share of what is usual serves nobody.
_NEXT_TO_NOTHING = 0.05


class Sufferers(NamedTuple):
    """Who suffers, by id; `offered_mbps` is what the `circuits` send. `unseen` cells and demands say nothing."""

    cells: frozenset[str]
    circuits: frozenset[str]
    customers: frozenset[str]
    lost_mbps: float
    offered_mbps: float
    unseen: frozenset[str]
    seen: bool

    def counted(self) -> Suffering:
        """Return how many of each, and the traffic lost."""
        return Suffering(float(len(self.cells)), float(len(self.circuits)), float(len(self.customers)), self.lost_mbps)


def suffering_now(live: Live, onset: datetime) -> Sufferers:
    """Return who suffers now; what is usual is learnt from before `onset`."""
    rates = _rates(live)
    losses = {demand: live.observed(demand, Metric.LOSS) for demand in rates}
    hit = {demand: float(loss) for demand, loss in losses.items() if loss is not None and float(loss) > CIRCUIT_LOSS}
    cells = [node.id for node in live.inventory.nodes if node.kind is NodeKind.CELL]
    picture = live.picture(live.clock.now(), cells, onset=onset)
    down = _not_serving(live, cells, picture)
    mute = [cell for cell in cells if cell not in down and _mute(live, cell)]
    unseen = {*mute, *(demand for demand, loss in losses.items() if loss is None)}
    return Sufferers(
        cells=frozenset(down),
        circuits=frozenset(hit),
        customers=frozenset(_customers(live.inventory, {*hit, *down})),
        lost_mbps=sum(rates[demand] * loss for demand, loss in hit.items()),
        offered_mbps=sum(rates[demand] for demand in hit),
        unseen=frozenset(unseen),
        seen=len(unseen) < len(rates) + len(cells),
    )


def _rates(live: Live) -> dict[str, float]:
    """Return the Mbit/s that each demand is believed to send."""
    state = predict(live.snapshot())
    return dict(zip(state.topology.demands, state.demand_mbps.tolist(), strict=True))


def _not_serving(live: Live, cells: Iterable[str], picture: Picture) -> set[str]:
    said = {cell for cell in cells if live.observed(cell, Metric.OPER_UP) == "0"}
    return said | {
        anomaly.element
        for anomaly in picture.anomalies
        if anomaly.metric is Metric.THROUGHPUT and anomaly.value < _NEXT_TO_NOTHING * anomaly.usual
    }


def _mute(live: Live, cell: str) -> bool:
    return all(live.observed(cell, metric) is None for metric in (Metric.OPER_UP, Metric.THROUGHPUT))


def _customers(inventory: Inventory, hit: set[str]) -> set[str]:
    return {
        service.customer
        for service in (inventory.services if hit else ())
        if not (hit.isdisjoint(service.demands) and hit.isdisjoint(service.cells))
    }
