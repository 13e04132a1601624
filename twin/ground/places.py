"""Where is learnt, tuned and measured: networks and hours of the day, in three splits that share nothing.

Years of one network stand in one split only. Nothing of the split `unseen` is looked at while a recipe is chosen.
Networks are topohub's Topology Zoo (never SNDlib) and generated operator networks, dressed as the house dresses them;
every second one has links of one capacity, which nobody planned for any traffic.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from domain.network import Inventory
from twin.evaluate import evaluate
from twin.generator import operator_network
from twin.reference import from_topohub
from twin.snapshot import Snapshot
from twin.topology import Floats

Split = Literal["learn", "tune", "unseen"]

_ZOO: Mapping[Split, str] = {
    "learn": "Aconet Ans Arnes Belnet2005 BtEurope Canerie Chinanet EliBackbone Goodnet HurricaneElectric Iij "
    "Internetmci Marnet Noel Quest Renater2008 Sprint Palmetto",
    "tune": "Bics BtNorthAmerica Highwinds Oxford Rediris Xeex",
    "unseen": "Abilene AttMpls BeyondTheNetwork BsonetEurope Cernet Geant2012 HiberniaUs HostwayInternational Ibm "
    "Integra Internode Janetbackbone Navigata SwitchL3 Uunet Xspedius",
}
_OPERATOR: Mapping[Split, tuple[int, ...]] = {
    "learn": (101, 102, 103, 104, 105, 106),
    "tune": (201, 202),
    "unseen": (301, 302, 303, 304),
}
_OPERATOR_ELEMENTS = 200
#: Names of the networks of each split.
NETWORKS: Mapping[Split, tuple[str, ...]] = {
    split: (*(f"topozoo/{name}" for name in _ZOO[split].split()), *(f"operator/{seed}" for seed in _OPERATOR[split]))
    for split in _ZOO
}
#: Hours of the day of each split.
HOURS: Mapping[Split, tuple[int, ...]] = {
    "learn": tuple(range(0, 24, 3)),
    "tune": tuple(range(1, 24, 3)),
    "unseen": tuple(range(2, 24, 3)),
}
#: Standard deviation of the logarithm: of what grows at a place, and of a pair in one hour.
_PLACE_SIGMA, _PAIR_SIGMA = 0.5, 0.5
#: How full the fullest link is in the fullest hour of the day while everything works.
_FULLEST = 0.8
_EVEN_MBPS = 10_000.0
#: A place's traffic over the day swings by this share around its mean; homes peak in the evening, offices before.
_SWING, _PEAK_HOUR, _PEAK_SIGMA = 0.4, 18.0, 3.0


@dataclass(frozen=True)
class Day:
    """A network, and the Mbit/s that each of its demands offers in each hour (24, demands)."""

    inventory: Inventory
    mbps: Floats


def network_of(name: str) -> Inventory:
    """Build a network by its name in `NETWORKS`. Raises BadInput when there is none of this name."""
    kind, _, rest = name.partition("/")
    raw = operator_network(int(rest), _OPERATOR_ELEMENTS) if kind == "operator" else from_topohub(name)
    if zlib.crc32(name.encode()) % 2:
        return raw
    return raw.but(links=tuple(link.but(capacity_mbps=_EVEN_MBPS) for link in raw.links))


@lru_cache(maxsize=64)
def day_of(name: str) -> Day:
    """Draw a network's day; the same name gives the same day. Raises BadInput."""
    inventory = network_of(name)
    rng = np.random.default_rng([zlib.crc32(name.encode()), 24])
    places = sorted({end for demand in inventory.demands for end in (demand.source, demand.destination)})
    at = {place: number for number, place in enumerate(places)}
    source = np.array([at[demand.source] for demand in inventory.demands])
    target = np.array([at[demand.destination] for demand in inventory.demands])
    growth = rng.lognormal(0.0, _PLACE_SIGMA, len(places))
    peak = rng.normal(_PEAK_HOUR, _PEAK_SIGMA, len(places))
    of_day = 1.0 + _SWING * np.cos(2 * np.pi * (np.arange(24)[:, None] - peak) / 24.0)
    size = growth * of_day
    pair = rng.lognormal(0.0, _PAIR_SIGMA, (24, len(source)))
    mbps = np.array([demand.mbps for demand in inventory.demands]) * size[:, source] * size[:, target] * pair
    fullest = max(_worst(inventory, volumes) for volumes in mbps)
    return Day(inventory, mbps * (_FULLEST / fullest))


@lru_cache(maxsize=256)
def at_hour(name: str, hour: int) -> Snapshot:
    """Return a network as it stands in an hour of its day, with everything at work. Raises BadInput."""
    day = day_of(name)
    return Snapshot.of(_with(day.inventory, day.mbps[hour]))


def _with(inventory: Inventory, volumes: Floats) -> Inventory:
    demands = zip(inventory.demands, volumes.tolist(), strict=True)
    return inventory.but(demands=tuple(demand.but(mbps=mbps) for demand, mbps in demands))


def _worst(inventory: Inventory, volumes: Floats) -> float:
    return float(evaluate(Snapshot.of(_with(inventory, volumes))).arc_utilisation.max(initial=0.0))
