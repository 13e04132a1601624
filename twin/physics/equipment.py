"""Batteries, radio, bursts and elastic classes for a grown network: seeded, and drawn apart from what grew it.

What is declared here is optional everywhere, so a network without it stays the one that it was. Figures are those of
ordinary sites: lead batteries for 2 to 8 hours at a cell site and 8 to 24 elsewhere; three sectors of 20 MHz and
61 dBm EIRP (46 dBm and a 15 dBi antenna, 3GPP TR 36.942), with their users within a kilometre in front of them.
"""

import numpy as np

from domain.network import Inventory, Link, Node, NodeKind, Radio, UserGroup

_EIRP_DBM, _PRBS = 61.0, 100
_GROUPS, _SPREAD_DEG, _FURTHEST_KM = 3, 50.0, 1.0
_KM_PER_DEGREE = 111.2
_ELASTIC = ("broadband",)


def equip(inventory: Inventory, seed: int) -> Inventory:
    """Return the inventory with batteries, radio for cells that have a position, bursts, and elastic broadband."""
    rng = np.random.default_rng([seed, 5])
    gnbs = {node.id for node in inventory.nodes if node.kind is NodeKind.GNB}
    sites = {feed for entry in inventory.dependencies if entry.dependent in gnbs for feed in entry.on}
    return inventory.but(
        nodes=tuple(_equipped(rng, node, place, node.id in sites) for place, node in enumerate(inventory.nodes)),
        links=tuple(_bursty(rng, link) for link in inventory.links),
        elastic_classes=_ELASTIC,
    )


def _equipped(rng: np.random.Generator, node: Node, place: int, cell_site: bool) -> Node:
    if node.kind is NodeKind.POWER:
        low, high = (2.0, 8.0) if cell_site else (8.0, 24.0)
        return node.but(battery_hours=round(float(rng.uniform(low, high)), 1))
    if node.kind is NodeKind.CELL and node.latitude is not None and node.longitude is not None:
        return node.but(radio=_sector(rng, node.latitude, node.longitude, 120.0 * (place % 3)))
    return node


def _sector(rng: np.random.Generator, latitude: float, longitude: float, azimuth: float) -> Radio:
    groups = []
    for _ in range(_GROUPS):
        bearing = np.radians(azimuth + rng.uniform(-_SPREAD_DEG, _SPREAD_DEG))
        km = float(rng.uniform(0.1, _FURTHEST_KM))
        groups.append(
            UserGroup(
                latitude=round(latitude + km * float(np.cos(bearing)) / _KM_PER_DEGREE, 6),
                longitude=round(
                    longitude + km * float(np.sin(bearing)) / _KM_PER_DEGREE / float(np.cos(np.radians(latitude))), 6
                ),
                count=int(rng.integers(5, 60)),
                offered_mbps=round(float(rng.uniform(0.5, 4.0)), 2),
            )
        )
    return Radio(power_dbm=_EIRP_DBM, azimuth_deg=azimuth, prbs=_PRBS, users=tuple(groups))


def _bursty(rng: np.random.Generator, link: Link) -> Link:
    return link.but(burst=round(1.0 + float(rng.gamma(2.0, 1.5)), 2))
