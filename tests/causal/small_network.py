"""A network small enough to reason about by hand: a power feed, three routers in a line, and a cell site behind.

power-a feeds r1 only; r1 — l12 — r2 — l23 — r3; gnb hangs on r3 and power-c, with two cells; `long` flows r1 → r3,
`short` flows r2 → r3.
"""

from datetime import UTC, datetime, timedelta

import networkx as nx

from causal.signatures import Scene
from causal.symptoms import symptoms
from causal.topology import Topology
from domain.alarms import Alarm, AlarmKey, AlarmType, Severity
from domain.measurements import METRICS, Metric
from domain.observations import Anomaly, Picture

NOW = datetime(2026, 3, 1, 12, 0, 10, tzinfo=UTC)
ONSET = NOW - timedelta(seconds=5)
NODES = {"power-a": "power", "power-c": "power", "r1": "core", "r2": "aggregation", "r3": "gateway", "gnb": "gnb"}
NODES |= {"cell-1": "cell", "cell-2": "cell"}
LINKS = {"l12": ("r1", "r2"), "l23": ("r2", "r3")}
DEMANDS = {"long": ("l12", "l23"), "short": ("l23",)}


def graph() -> nx.DiGraph:
    g = nx.DiGraph()
    g.add_nodes_from((node, {"kind": kind}) for node, kind in NODES.items())
    for below, above in [("r1", "power-a"), ("gnb", "power-c"), ("r3", "power-c"), ("gnb", "r3")]:
        g.add_edge(above, below, kind="powered_by")
    for cell in ("cell-1", "cell-2"):
        g.add_edge("gnb", cell, kind="contained_in")
    for link, owners in LINKS.items():
        g.add_node(link, kind="link")
        for owner in owners:
            end = f"{owner}.{link}"
            g.add_node(end, kind="termination_point")
            g.add_edge(owner, end, kind="contains")
            g.add_edge(end, link, kind="terminates")
            g.add_edge(link, end, kind="signals")
            g.add_edge(link, owner, kind="adjacency")
    for demand, links in DEMANDS.items():
        g.add_node(demand, kind="demand")
        for link in links:
            g.add_edge(link, demand, kind="routes", redundant=False)
            g.add_edge(demand, link, kind="loads")
    return g


CONSEQUENCES = {
    "l12": frozenset({"l12", "r1.l12", "r2.l12", "long"}),
    "l23": frozenset({"l23", "r2.l23", "r3.l23", "long", "short", "r3", "gnb", "cell-1", "cell-2"}),
    "r1": frozenset({"r1", "r1.l12", "r2.l12", "l12", "long"}),
    "r2": frozenset({"r2", "r1.l12", "r2.l12", "r2.l23", "r3.l23", "l12", "l23", "long", "short"}),
    "r3": frozenset({"r3", "r2.l23", "r3.l23", "l23", "long", "short", "gnb", "cell-1", "cell-2"}),
    "power-a": frozenset({"power-a", "r1", "r1.l12", "r2.l12", "l12", "long"}),
    "power-c": frozenset({"power-c", "r3", "r2.l23", "r3.l23", "l23", "long", "short", "gnb", "cell-1", "cell-2"}),
    "gnb": frozenset({"gnb", "cell-1", "cell-2"}),
}
CONSEQUENCES |= {f"{owner}.{link}": CONSEQUENCES[link] for link, owners in LINKS.items() for owner in owners}
REPORTING = frozenset({*NODES, *DEMANDS, *(f"{owner}.{link}" for link, owners in LINKS.items() for owner in owners)})


def anomaly(element: str, metric: Metric, value: float, usual: float, score: float = 50.0) -> Anomaly:
    signed = score if METRICS[metric].bad * (value - usual) > 0 else -score
    return Anomaly(element=element, metric=metric, score=signed, value=value, usual=usual, event_time=NOW, source="pm")


def down(element: str) -> Anomaly:
    return anomaly(element, Metric.OPER_UP, 0.0, 1.0)


def alarm(element: str, kind: AlarmType, *, seconds: float = 0.0, cleared: bool = False) -> Alarm:
    at = ONSET + timedelta(seconds=seconds)
    return Alarm(
        id=f"alarm_{element}_{kind}",
        key=AlarmKey(resource=element, type=kind),
        severity=Severity.MAJOR,
        highest_severity=Severity.MAJOR,
        cleared=cleared,
        event_time=at,
        last_event_time=at,
        known_time=at,
        source="alarms",
    )


def picture(*anomalies: Anomaly, silent: tuple[str, ...] = (), fresh_share: float = 1.0, **more: object) -> Picture:
    troubled = {one.element for one in anomalies}
    return Picture(
        at=NOW,
        anomalies=anomalies,
        healthy=REPORTING - troubled - set(silent),
        silent=frozenset(silent),
        fresh_share=fresh_share,
        **more,
    )


def scene(
    *anomalies: Anomaly, alarms: tuple[Alarm, ...] = (), silent: tuple[str, ...] = (), locked: tuple[str, ...] = ()
) -> Scene:
    seen = symptoms(picture(*anomalies, silent=silent), alarms)
    return Scene(Topology(graph()), seen, frozenset(locked))
