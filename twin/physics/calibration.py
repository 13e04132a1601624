"""The burst parameter of each link from its measured delays, so that the next delay is predicted and not guessed."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from domain.errors import BadInput
from domain.network import Inventory
from twin.physics.delay import fit_burst, transmission_ms
from twin.topology import Topology


class Measured(NamedTuple):
    """Mean delay of a link, in ms one way, while it carried this share of its capacity."""

    utilisation: float
    delay_ms: float


def calibrated(inventory: Inventory, measured: Mapping[str, Sequence[Measured]]) -> Inventory:
    """Return the inventory with the burst parameter of each measured link fitted to its delays.

    What is above propagation and transmission was waiting. A measurement that leaves no wait, or was made on an idle
    or overloaded link, says nothing about bursts and is left out; a link with no other keeps its parameter.

    Raises:
        BadInput: a link is unknown, or a measurement is no number.
    """
    topology = Topology.of(inventory)
    bursts = {}
    for link, points in sorted(measured.items()):
        if link not in topology.link_at:
            raise BadInput(f"`{link}` is no link of this network; correct the name")
        load, delay = np.array(points, np.float64).reshape(-1, 2).T
        if not (np.isfinite(load).all() and np.isfinite(delay).all()):
            raise BadInput(f"a measured delay of `{link}` is no number; leave it out")
        arc = 2 * topology.link_at[link]
        packet = float(transmission_ms(topology.capacity[arc : arc + 1])[0])
        wait = (delay - topology.propagation_ms[arc] - packet) / packet
        telling = (load > 0) & (load < 1) & (wait > 0)
        if telling.any():
            bursts[link] = fit_burst(load[telling], wait[telling])
    links = tuple(link.but(burst=bursts[link.id]) if link.id in bursts else link for link in inventory.links)
    return inventory.but(links=links)
