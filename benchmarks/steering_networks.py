"""Networks and hot traffic matrices for the steering bench.

A *planned* network is a reference network as the house dresses it: capacities that fit its own demands. Its hot
matrices are those demands after places have grown or shrunk and pairs have had a good or a bad day (lognormal, as the
volumes of real matrices are), scaled so that ECMP just fills the fullest link. An *even* network has links of one
capacity, which nobody planned for any matrix: how far steering goes where the fault lies in the planning.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from domain.errors import BadInput
from domain.network import Inventory
from twin.evaluate import evaluate
from twin.inventory import parse
from twin.reference import from_topohub
from twin.snapshot import Snapshot

#: Networks of the topohub package; `germany50` is the German research network, of that size.
REFERENCES = {"abilene": "topozoo/Abilene", "geant": "topozoo/Geant2001", "germany50": "topozoo/Dfn"}
#: Standard deviation of the logarithm: of what grows at a place, and of a pair's day.
PLACE_SIGMA, PAIR_SIGMA = 0.5, 0.5
_EVEN_MBPS = 10_000.0


@dataclass(frozen=True)
class Setting:
    """A network of the bench, and how many policies in how many seconds are allowed in it."""

    name: str
    inventory: Inventory
    limit: int
    budget_s: float


def settings(data: Path | None, given: Inventory | None = None) -> list[Setting]:
    """Return the networks: 11, 27 and 51 routers, planned and even; or the inventory that is given, or in a file.

    Raises:
        BadInput: the file is no inventory with demands.
    """
    if given is not None:
        return [_setting(given.name, given)]
    if data is not None:
        return [_setting(data.stem, _read(data))]
    planned = {name: from_topohub(ref) for name, ref in REFERENCES.items()}
    even = {f"{name}_even": _even(inventory) for name, inventory in planned.items()}
    return [_setting(name, inventory) for name, inventory in (planned | even).items()]


def matrices(inventory: Inventory, seed: int, count: int) -> Iterator[Snapshot]:
    """Yield the network under one hot matrix after the other; the same seed gives the same."""
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        places = sorted({end for demand in inventory.demands for end in (demand.source, demand.destination)})
        growth = dict(zip(places, rng.lognormal(0.0, PLACE_SIGMA, len(places)).tolist(), strict=True))
        day = rng.lognormal(0.0, PAIR_SIGMA, len(inventory.demands)).tolist()
        volumes = [
            demand.mbps * growth[demand.source] * growth[demand.destination] * factor
            for demand, factor in zip(inventory.demands, day, strict=True)
        ]
        yield Snapshot.of(_filled(inventory, volumes))


def _filled(inventory: Inventory, volumes: list[float]) -> Inventory:
    """Return the inventory with these demands, scaled so that the fullest link is just full under ECMP."""
    raw = inventory.but(demands=tuple(d.but(mbps=v) for d, v in zip(inventory.demands, volumes, strict=True)))
    worst = evaluate(Snapshot.of(raw)).impact().max_utilisation
    return raw.but(demands=tuple(demand.but(mbps=demand.mbps / worst) for demand in raw.demands))


def _even(inventory: Inventory) -> Inventory:
    return inventory.but(links=tuple(link.but(capacity_mbps=_EVEN_MBPS) for link in inventory.links))


def _setting(name: str, inventory: Inventory) -> Setting:
    small = len(Snapshot.of(inventory).topology.routers) < 40
    return Setting(name, inventory, 10 if small else 25, 0.8 if small else 4.0)


def _read(data: Path) -> Inventory:
    try:
        inventory = parse(json.loads(data.read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise BadInput(f"`{data}` cannot be read as JSON; give the file of an inventory") from error
    if not any(demand.mbps > 0 for demand in inventory.demands):
        raise BadInput(f"`{data}` has no demand above 0 Mbit/s; add some")
    return inventory
