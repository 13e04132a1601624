"""Networks small enough to work out on paper."""

from collections.abc import Sequence

from domain.network import (
    Customer,
    Demand,
    Dependency,
    DependencyKind,
    Inventory,
    Link,
    Node,
    NodeKind,
    Service,
    Slice,
    TerminationPoint,
)

Edge = tuple[str, str, int, float]  # node, node, metric, capacity in Mbit/s


def network(
    edges: Sequence[Edge],
    demands: Sequence[tuple[str, str, float]] = (),
    *,
    kinds: dict[str, NodeKind] | None = None,
    dependencies: Sequence[Dependency] = (),
    services: Sequence[Service] = (),
) -> Inventory:
    """Nodes are those of `edges` and `kinds` (router by default); link `l0` joins `l0.a` and `l0.b`; demands `d0` …"""
    kinds = kinds or {}
    names = dict.fromkeys([*kinds, *(name for edge in edges for name in edge[:2])])
    return Inventory(
        name="small",
        nodes=tuple(Node(id=name, kind=kinds.get(name, NodeKind.ROUTER), name=name) for name in names),
        termination_points=tuple(
            TerminationPoint(id=f"l{number}.{side}", node=node, name=side)
            for number, edge in enumerate(edges)
            for side, node in zip("ab", edge[:2], strict=True)
        ),
        links=tuple(
            Link(
                id=f"l{number}",
                source=f"l{number}.a",
                destination=f"l{number}.b",
                metric=metric,
                capacity_mbps=capacity,
                delay_ms=1.0,
                srlgs=(f"span-{min(a, b)}",),
            )
            for number, (a, b, metric, capacity) in enumerate(edges)
        ),
        dependencies=tuple(dependencies),
        demands=tuple(
            Demand(id=f"d{number}", source=a, destination=b, mbps=mbps) for number, (a, b, mbps) in enumerate(demands)
        ),
        slices=(Slice(id="gold", name="Gold", max_loss=0.0),),
        customers=(Customer(id="acme", name="Acme Ports"),),
        services=tuple(services),
    )


def square(mbps: float = 80.0, capacity: float = 100.0) -> Inventory:
    """Two equal ways from `a` to `d`: over `b` (links l0, l1) and over `c` (l2, l3); one demand, one service."""
    edges = [("a", "b", 1, capacity), ("b", "d", 1, capacity), ("a", "c", 1, capacity), ("c", "d", 1, capacity)]
    service = Service(id="s0", name="Line", customer="acme", slice_id="gold", demands=("d0",))
    return network(edges, [("a", "d", mbps)], services=[service])


def cell_site() -> Inventory:
    """Core `core` – gateway `gw` (l0); `gnb` needs the gateway and `power`, `cell` lies in the gNB."""
    kinds = {
        "core": NodeKind.CORE,
        "gw": NodeKind.GATEWAY,
        "gnb": NodeKind.GNB,
        "cell": NodeKind.CELL,
        "power": NodeKind.POWER,
    }
    dependencies = [
        Dependency(dependent="gnb", on=("gw",), kind=DependencyKind.SERVED_BY, needs=1),
        Dependency(dependent="gnb", on=("power",), kind=DependencyKind.POWERED_BY, needs=1),
        Dependency(dependent="cell", on=("gnb",), kind=DependencyKind.CONTAINED_IN, needs=1),
    ]
    service = Service(id="s0", name="Coverage", customer="acme", cells=("cell",))
    return network(
        [("core", "gw", 10, 100.0)], [("core", "gw", 50.0)], kinds=kinds, dependencies=dependencies, services=[service]
    )
