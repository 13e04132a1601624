"""What was heard, in the words of the feed: rows of readings, alarms raised and cleared, notices of changed state."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from adapters.network.routers.conditions import SEVERITY, VENDOR, Condition
from adapters.network.routers.discovery import Topology
from adapters.network.routers.observation import Observation
from adapters.network.routers.probes import Measured
from adapters.network.routers.rates import Rate
from domain.measurements import Metric

PM, ALARMS, PROBES = "routers:pm", "routers:alarms", "routers:probes"
Row = list[Any]


def iso(at: float) -> str:
    """Return seconds since 1970 as ISO 8601 in UTC, always equally long, so that such texts sort as the times do."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def readings(source: str, at: float, rows: Sequence[Row]) -> dict[str, Any]:
    """Return one item of readings."""
    return {"type": "readings", "source": source, "time": iso(at), "rows": list(rows)}


def alarm(condition: Condition, id: str, at: float, *, cleared: bool) -> dict[str, Any]:
    """Return an alarm raised, or its clear."""
    return {
        "type": "alarm",
        "vendor": VENDOR,
        "resource": condition.resource,
        "name": condition.name,
        "qualifier": "",
        "severity": SEVERITY[condition.name],
        "cleared": cleared,
        "time": iso(at),
        "id": id,
        "text": f"{condition.name} {condition.resource}",
        "source": ALARMS,
    }


def notice(element: str, attribute: str, value: str, at: float) -> dict[str, Any]:
    """Return the notice that a configured value is another one now."""
    where = {"element": element, "attribute": attribute, "value": value}
    return {"type": "state", **where, "time": iso(at), "source": PM}


def rows_of(seen: Iterable[Observation], rates: Mapping[str, Rate], topology: Topology) -> list[Row]:
    """Return the rows of interfaces and nodes. What was not heard has no row: unknown is not zero."""
    return [row for observation in seen for row in _rows(observation, rates, topology)]


def _rows(seen: Observation, rates: Mapping[str, Rate], topology: Topology) -> Iterator[Row]:
    if seen.interfaces is None:
        return
    yield [seen.access.node, Metric.OPER_UP, 1]
    if seen.adjacencies is not None:
        yield [seen.access.node, Metric.ADJACENCIES, sum(seen.adjacencies.values())]
    if seen.started is not None:
        yield [seen.access.node, Metric.PROCESS_UPTIME, round(max(0.0, seen.at - seen.started), 2)]
    for name, interface in seen.interfaces.items():
        point = topology.at.get((seen.access.name, name))
        if point is None:
            continue
        yield [point, Metric.OPER_UP, int(interface.oper_up)]
        rate = rates.get(point)
        if rate is not None and rate.utilisation is not None:
            yield [point, Metric.UTILISATION, round(rate.utilisation, 6)]
        if rate is not None and interface.oper_up:
            yield [point, Metric.ERROR_RATE, round(rate.error_rate, 6)]
        if seen.counters is not None and name in seen.counters:
            yield [point, Metric.OCTETS, seen.counters[name].octets_sent]


def probe_rows(measured: Mapping[str, Measured | None]) -> list[Row]:
    """Return the rows of demands: loss, and delay if any answer came."""
    rows: list[Row] = []
    for demand, found in measured.items():
        if found is None:
            continue
        rows.append([demand, Metric.LOSS, found.loss])
        if found.delay_ms is not None:
            rows.append([demand, Metric.DELAY, found.delay_ms])
    return rows


def configured(seen: Iterable[Observation], topology: Topology) -> dict[tuple[str, str], str]:
    """Return what the devices show of configured state: (element, attribute) to value; what is not sure is absent."""
    by_router = {observation.access.name: observation for observation in seen}
    shown: dict[tuple[str, str], str] = {}
    for (router, name), point in topology.at.items():
        interface = (_part(by_router, router, "interfaces") or {}).get(name)
        if interface is not None:
            shown[point, "administrative"] = "unlocked" if interface.admin_up else "locked"
    for link, ends in topology.links.items():
        costs = {_cost(by_router, topology, end) for end in ends}
        if len(costs) == 1 and None not in costs:
            shown[link, "metric"] = str(costs.pop())
    for demand in topology.inventory.demands:
        via = _via(by_router, topology, demand.source, demand.destination)
        if via is not None:
            shown[demand.id, "via"] = via
    return shown


def _part(by_router: Mapping[str, Observation], router: str, part: str) -> Any:
    return getattr(by_router.get(router), part, None)


def _cost(by_router: Mapping[str, Observation], topology: Topology, point: str) -> int | None:
    end = topology.ends[point]
    hello = (_part(by_router, end.access.name, "hellos") or {}).get(end.interface.name)
    return hello.cost if hello else None


def _via(by_router: Mapping[str, Observation], topology: Topology, source: str, destination: str) -> str | None:
    """Return the waypoint that a demand is steered to, empty for none, None when it is no waypoint or not sure."""
    routes = _part(by_router, source.removeprefix("node:"), "steering")
    address = topology.addresses.get(destination)
    if routes is None or address is None:
        return None
    hops = next((hops for network, hops in routes.items() if network.network_address == address), ())
    nodes = {topology.node_of.get(hop) if hop else None for hop in hops}
    return (nodes.pop() if len(nodes) == 1 else None) if nodes else ""
