"""Any network from outside: two files (see `twin.whatif.reading`), for benches that measure on networks."""

from pathlib import Path

import numpy as np

from domain.errors import BadInput
from domain.network import Demand, Inventory, Link, Node, NodeKind, TerminationPoint
from twin.evaluate import evaluate
from twin.integrity import check
from twin.snapshot import Snapshot
from twin.whatif.network import Network
from twin.whatif.reading import read_network

_LARGEST_METRIC = 65_535
_LARGEST_FILE = 256 << 20
#: A fullest link that is so many times too full, or too empty, is an error of units.
_ODD = 1e9


def given_network(topology: Path | None, demands: Path | None) -> Network | None:
    """Read a network from two files, or return None where none is named.

    Raises:
        BadInput: one of the two only; they cannot be read, or are not what they should be.
    """
    if topology is None and demands is None:
        return None
    if topology is None or demands is None:
        raise BadInput("a network is a topology and its demands; give both `--topology FILE` and `--demands FILE`")
    return read_files(topology, demands)


def read_files(topology: Path, demands: Path) -> Network:
    """Read a network from two files. Raises BadInput: they cannot be read, or are not what they should be."""
    return read_network(_text(topology), _text(demands))


def given_inventory(topology: Path | None, demands: Path | None) -> Inventory | None:
    """Return an inventory of routers with this network; links have no length (their delay is 0 ms).

    Raises:
        BadInput: see `given_network`; or no demand flows, or the inventory of it would be refused.
    """
    network = given_network(topology, demands)
    if network is None:
        return None
    if not (network.mbps > 0).any():
        raise BadInput("the demands file has no demand above 0 Mbit/s; add some")
    for name, metric in zip(network.links, network.metric[::2].tolist(), strict=True):
        if metric > _LARGEST_METRIC:
            raise BadInput(f"link `{name}` has metric {metric}, and the most here is {_LARGEST_METRIC}; lower it")
    nodes, links = network.nodes, network.links
    ends = list(zip(network.tail[::2].tolist(), network.head[::2].tolist(), strict=True))
    groups: dict[int, list[str]] = {}
    for group, members in network.groups.items():
        for link in members:
            groups.setdefault(link, []).append(group)
    inventory = Inventory(
        name="given",
        nodes=tuple(Node(id=name, kind=NodeKind.ROUTER, name=name) for name in nodes),
        termination_points=tuple(
            TerminationPoint(id=f"{name}:{side}", node=nodes[end], name=f"{name}:{side}")
            for name, pair in zip(links, ends, strict=True)
            for side, end in zip("ab", pair, strict=True)
        ),
        links=tuple(
            Link(
                id=name,
                source=f"{name}:a",
                destination=f"{name}:b",
                capacity_mbps=float(network.capacity[2 * place]),
                delay_ms=0.0,
                metric=int(network.metric[2 * place]),
                srlgs=tuple(groups.get(place, ())),
            )
            for place, name in enumerate(links)
        ),
        demands=tuple(
            Demand(
                id=f"demand:{number}",
                source=nodes[network.source[number]],
                destination=nodes[network.destination[number]],
                mbps=float(network.mbps[number]),
                via=None if network.via[number] < 0 else nodes[network.via[number]],
            )
            for number in range(len(network.mbps))
            if network.source[number] != network.destination[number]
        ),
    )
    check(inventory)
    _check_carries(inventory)
    return inventory


def _check_carries(inventory: Inventory) -> None:
    """Raise BadInput when nothing would flow, or when loads and capacities are in different units."""
    state = evaluate(Snapshot.of(inventory))
    with np.errstate(over="ignore"):
        fullest = float(state.arc_utilisation.max(initial=0.0))
    if fullest == 0.0:
        raise BadInput("no demand above 0 Mbit/s has a way; add links between the ends of some")
    if not 1.0 / _ODD < fullest < _ODD:
        raise BadInput(f"the fullest link would carry {fullest:.3g} times its capacity; give both in Mbit/s")


def _text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            body = opened.read(_LARGEST_FILE + 1)  # a device says that it is empty, and never ends
        if len(body) > _LARGEST_FILE:
            raise BadInput(f"`{file}` is larger than {_LARGEST_FILE >> 20} MiB; give a smaller network")
        return body.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"`{file}` cannot be read ({error}); name a text file in JSON") from None
