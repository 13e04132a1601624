"""What the loads will be at each horizon, which links will be too full, and by when something has to be done."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from domain.capacity import Abstention, Congestion, Terms
from domain.errors import BadInput
from stats.forecasting import LEAST_WEEKS, Forecast, TooLittleKnown, forecast, trusted
from twin.planning.history import LoadHistory
from twin.planning.implied import arcs_of, with_implied_links
from twin.snapshot import Snapshot
from twin.topology import Floats


@dataclass(frozen=True, eq=False)
class Outlook:
    """Forecasts by horizon (weeks) of links and of demands; elements about which nothing can be said are left out.

    Attributes:
        links: links and termination points with a history that can be trusted, aligned with `capacity`.
        capacity: Mbit/s.
        of_links: horizon → forecast, rows as in `links`; empty without links.
        demands: demands with a history that can be trusted.
        of_demands: horizon → forecast, rows as in `demands`; empty without demands.
        history: what it was worked out from.
        abstained: what is left out, and why.
        horizons: weeks, ascending: those that the history is long and full enough for.
        implied: how many links have no history of their own, but that of the demands that cross them.
    """

    links: tuple[str, ...]
    capacity: Floats
    of_links: Mapping[int, Forecast]
    demands: tuple[str, ...]
    of_demands: Mapping[int, Forecast]
    history: LoadHistory
    abstained: tuple[Abstention, ...]
    horizons: tuple[int, ...]
    implied: int

    def fullest_slot(self, horizon: int, element: str | None = None) -> int:
        """Return the slot of the week that will be the fullest of an element, or of all links (else demands)."""
        for names, of in ((self.links, self.of_links), (self.demands, self.of_demands)):
            if element in names:
                return int(np.nanargmax(of[horizon].median[names.index(element)]))
        return int(np.nansum((self.of_links or self.of_demands)[horizon].median, axis=0).argmax())


def look_ahead(snapshot: Snapshot, history: LoadHistory, terms: Terms) -> Outlook:
    """Forecast every element of a history.

    Raises:
        BadInput: an element is no link, termination point or demand of the network, or the history is too short for
            the nearest horizon.
    """
    fitting = tuple(horizon for horizon in terms.horizons_weeks if history.weeks >= LEAST_WEEKS + horizon)
    if not fitting:
        nearest = terms.horizons_weeks[0]
        raise BadInput(
            f"a history of {history.weeks} weeks is too short to look {nearest} weeks ahead; "
            f"send {LEAST_WEEKS + nearest} weeks, or ask for a nearer horizon"
        )
    _check_names(snapshot, history)
    measured = len(history.elements)
    history = with_implied_links(snapshot, history)
    reasons = dict(zip(history.elements, trusted(history.mbps), strict=True))
    known = [name for name in history.elements if not reasons[name]]
    demands = tuple(name for name in known if name in snapshot.topology.demand_at)
    links = tuple(name for name in known if name not in snapshot.topology.demand_at)
    capacity = np.array([capacity_of(snapshot, name) for name in links], np.float64)
    of_links = _forecasts(history, links, fitting, terms, terms.threshold * capacity)
    of_demands = _forecasts(history, demands, fitting, terms, None)
    horizons = tuple(
        week for week in fitting if (week in of_links or not links) and (week in of_demands or not demands)
    )
    if not horizons:
        raise BadInput(
            "too little was measured to tell how good earlier forecasts were; send a history with fewer gaps"
        )
    return Outlook(
        links=links,
        capacity=capacity,
        of_links={week: made for week, made in of_links.items() if week in horizons},
        demands=demands,
        of_demands={week: made for week, made in of_demands.items() if week in horizons},
        history=history,
        abstained=tuple(Abstention(element=name, reason=why) for name, why in sorted(reasons.items()) if why),
        horizons=horizons,
        implied=len(history.elements) - measured,
    )


def _check_names(snapshot: Snapshot, history: LoadHistory) -> None:
    for name in history.elements:
        if name not in snapshot.topology.demand_at:
            capacity_of(snapshot, name)


def capacity_of(snapshot: Snapshot, element: str) -> float:
    """Return the present capacity of a link, or of the link that ends at a termination point, in Mbit/s."""
    arcs = arcs_of(snapshot.topology, element)
    if not arcs:
        raise BadInput(f"`{element[:96]}` is no link, linked termination point or demand of this network; correct it")
    return float(snapshot.value(snapshot.topology.links[arcs[0] // 2], "capacity") or 0.0)


def congestion(outlook: Outlook, terms: Terms) -> tuple[Congestion, ...]:
    """Return how full each link will be at each horizon, the likeliest to be too full first."""
    found = []
    for horizon, made in outlook.of_links.items():
        chances = made.chance_beyond(terms.threshold * outlook.capacity)
        relief = made.peak_not_exceeded(1.0 - terms.tolerated) / terms.threshold
        for row, name in enumerate(outlook.links):
            found.append(
                Congestion(
                    element=name,
                    horizon_weeks=horizon,
                    week_ends=outlook.history.ends + timedelta(weeks=horizon),
                    capacity_mbps=float(outlook.capacity[row]),
                    peak_mbps=float(made.peak[row]),
                    low_mbps=float(made.peak_low[row]),
                    high_mbps=float(made.peak_high[row]),
                    level=terms.level,
                    probability=float(chances[row]),
                    relief_mbps=float(relief[row]),
                    calibrated=made.calibrated,
                )
            )
    return tuple(sorted(found, key=lambda one: (-one.probability, one.horizon_weeks, one.element)))


def first_time(ends: datetime, weeks: Sequence[int], values: Sequence[float], limit: float) -> datetime | None:
    """Return when a quantity first goes beyond a limit, between horizons by a straight line; None where it never does.

    Args:
        ends: the end of the history.
        weeks: horizons, ascending.
        values: at those.
        limit: what is not to be exceeded. What exceeds it at the first horizon does so by then, no earlier.
    """
    before: tuple[int, float] | None = None
    for week, value in zip(weeks, values, strict=True):
        if value > limit:
            part = 0.0 if before is None else (limit - before[1]) / (value - before[1])
            begins = week if before is None else before[0]
            return ends + timedelta(weeks=begins + part * (week - begins))
        before = (week, value)
    return None


def _forecasts(
    history: LoadHistory, names: tuple[str, ...], horizons: tuple[int, ...], terms: Terms, limit: Floats | None
) -> dict[int, Forecast]:
    """Return forecasts by horizon, without those for which no earlier forecast can be checked."""
    found: dict[int, Forecast] = {}
    loads = history.of(names)
    for horizon in horizons if names else ():
        with suppress(TooLittleKnown):
            found[horizon] = forecast(loads, horizon, limit, terms.level)
    return found
