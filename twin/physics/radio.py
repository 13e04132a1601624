"""Radio: what users of each cell get, when cells that are busier also disturb their neighbours more.

A user's SINR counts a neighbour's power in proportion to that neighbour's load, and a cell's load follows from the
SINR of its users, so loads are the fixed point of f(load) (Siomina & Yuan 2012, "Analysis of cell load coupling for
LTE network planning and optimization"). f grows with the loads and is bounded, so stepping up from empty cells ends at
the least fixed point. Models of 3GPP TR 36.942: macro path loss 128.1 + 37.6 log10(R/km) dB, sector pattern
−min(12(θ/65°)², 20) dB, truncated Shannon min(0.6 log2(1 + SINR), 4.4) bit/s/Hz, nothing below −10 dB. Cells with
256-QAM go up to 7.4 bit/s/Hz (TS 36.213, table 7.2.3-2, ends at 7.4063).

All cells share one carrier. Nothing is predicted for what declares no radio.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from domain.network import Inventory, Node, Radio

Floats: TypeAlias = NDArray[np.float64]
Places: TypeAlias = NDArray[np.int64]

PRB_HZ = 180e3
#: Thermal noise in one resource block with a receiver of noise figure 9 dB, mW.
NOISE_MW = float(10 ** ((-174 + 10 * np.log10(PRB_HZ) + 9) / 10))
#: Nothing arrives below −10 dB.
LEAST_SINR = 0.1
_SHANNON_SHARE = 0.6
#: Most bit/s/Hz by highest modulation.
MOST_EFFICIENCY = {64: 4.4, 256: 7.4}
_LEAST_KM, _EARTH_KM = 0.035, 6371.0
_BEAM_DEG, _BACK_DB = 65.0, 20.0
#: Received power this far below noise disturbs nobody (−20 dB).
_FAINT = 0.01
_STEADY, _MOST_STEPS = 1e-9, 10_000
_CHUNK = 1024


@dataclass(frozen=True, eq=False)
class RadioPlan:
    """Cells with radio (sorted by id) and their user groups, compiled.

    Attributes:
        cells: ids.
        prbs: per cell.
        most: per cell, the bit/s/Hz that its highest modulation carries.
        home: per user group, the place of the cell that declares it.
        offered: per user group, Mbit/s.
        count: per user group, users.
        received: sparse (user groups, cells), mW per resource block.
    """

    cells: tuple[str, ...]
    prbs: Floats
    most: Floats
    home: Places
    offered: Floats
    count: Places
    received: Any


@dataclass(frozen=True, eq=False)
class RadioState:
    """What the cells do in one state.

    Attributes:
        cells: ids.
        load: per cell, the share of its resource blocks that its users need; above 1 they do not all get what they ask.
        server: per user group, the place of the cell that serves it, or -1.
        sinr: per user group, ratio; 0 where nobody serves it.
        delivered: per user group, Mbit/s.
        offered: per user group, Mbit/s.
    """

    cells: tuple[str, ...]
    load: Floats
    server: Places
    sinr: Floats
    delivered: Floats
    offered: Floats

    @property
    def lost_mbps(self) -> float:
        """Mbit/s that users ask for and do not get."""
        return float(self.offered.sum() - self.delivered.sum())

    @property
    def overloaded(self) -> tuple[str, ...]:
        """Cells, sorted, whose users need more resource blocks than there are."""
        return tuple(cell for cell, load in zip(self.cells, self.load, strict=True) if load > 1 + _STEADY)

    def load_of(self, cell: str) -> float:
        """Return the load of a cell by its id. Raises KeyError for one without radio."""
        return float(dict(zip(self.cells, self.load, strict=True))[cell])


def efficiency(sinr: Floats, most: Floats | float = MOST_EFFICIENCY[64]) -> Floats:
    """Return bit/s/Hz by truncated Shannon, at most `most`.

    Below −10 dB it is as at −10 dB: what does not work still takes its blocks.
    """
    shannon = _SHANNON_SHARE * np.log2(1 + np.maximum(sinr, LEAST_SINR))
    return np.asarray(np.minimum(shannon, most))


def compile_radio(inventory: Inventory) -> RadioPlan | None:
    """Return the declared radio of an inventory, or None where no cell declares any."""
    found = [(node, node.radio) for node in sorted(inventory.nodes, key=_id) if node.radio is not None]
    if not found:
        return None
    users = [(place, group) for place, (_, radio) in enumerate(found) for group in radio.users]
    where = np.array([[group.latitude, group.longitude] for _, group in users], np.float64).reshape(-1, 2)
    rows = [_received(where[at : at + _CHUNK], found) for at in range(0, len(where), _CHUNK)]
    return RadioPlan(
        cells=tuple(node.id for node, _ in found),
        prbs=np.array([radio.prbs for _, radio in found], np.float64),
        most=np.array([MOST_EFFICIENCY[radio.qam] for _, radio in found], np.float64),
        home=np.array([place for place, _ in users], np.int64),
        offered=np.array([group.offered_mbps for _, group in users], np.float64),
        count=np.array([group.count for _, group in users], np.int64),
        received=vstack(rows, format="csr") if rows else csr_array((0, len(found))),
    )


def _id(node: Node) -> str:
    return node.id


def _received(where: Floats, cells: Sequence[tuple[Node, Radio]]) -> Any:
    """Return mW per resource block at places (n, 2) in degrees, sparse (n, cells); what is too faint is left out."""
    at = np.array([[node.latitude, node.longitude] for node, _ in cells], np.float64)
    per_block = np.array([radio.power_dbm - 10 * np.log10(radio.prbs) for _, radio in cells])
    azimuth = np.array([np.nan if radio.azimuth_deg is None else radio.azimuth_deg for _, radio in cells])
    north, east = _offsets_km(where, at)
    distance = np.maximum(_LEAST_KM, np.hypot(north, east))
    turn = (np.degrees(np.arctan2(east, north)) - azimuth + 180) % 360 - 180
    pattern = np.where(np.isnan(turn), 0.0, -np.minimum(12 * (turn / _BEAM_DEG) ** 2, _BACK_DB))
    power = 10 ** ((per_block + pattern - 128.1 - 37.6 * np.log10(distance)) / 10)
    return csr_array(np.where(power >= _FAINT * NOISE_MW, power, 0.0))


def _offsets_km(where: Floats, origin: Floats) -> tuple[Floats, Floats]:
    """Return how far north and east places (n, 2) lie of origins (m, 2), each (n, m); flat, right over tens of km."""
    north = np.radians(where[:, None, 0] - origin[None, :, 0])
    turn = (where[:, None, 1] - origin[None, :, 1] + 180) % 360 - 180
    east = np.radians(turn) * np.cos(np.radians(origin[None, :, 0]))
    return _EARTH_KM * north, _EARTH_KM * east


def radio_state(plan: RadioPlan, working: NDArray[np.bool_], scale: float = 1.0) -> RadioState:
    """Return the fixed point of loads and interference when only some cells work.

    Users stay with the cell that declares them while it works; else the strongest cell that works takes them.

    Args:
        plan: compiled radio.
        working: per cell of the plan.
        scale: factor on all that users ask for.
    """
    server = attach(plan, working)
    users = np.flatnonzero(server >= 0)
    received = plan.received[users]
    cells, offered = server[users], scale * plan.offered
    signal = np.asarray(received[np.arange(len(users)), cells]).ravel() if len(users) else np.zeros(0)
    blocks = plan.prbs[cells] * PRB_HZ / 1e6  # MHz of the serving cell
    load = np.zeros(len(plan.cells))
    for _ in range(_MOST_STEPS):
        seen = _sinr(received, signal, cells, np.minimum(load, 1.0))
        need = np.zeros(len(plan.cells))
        np.add.at(need, cells, offered[users] / (blocks * efficiency(seen, plan.most[cells])))
        steady = np.abs(need - load).max(initial=0.0) <= _STEADY * max(1.0, need.max(initial=0.0))
        load = need
        if steady:
            break
    sinr, delivered = np.zeros(len(server)), np.zeros(len(server))
    sinr[users] = _sinr(received, signal, cells, np.minimum(load, 1.0))
    kept = np.minimum(1.0, 1.0 / np.maximum(load[cells], 1e-300)) * (sinr[users] >= LEAST_SINR)
    delivered[users] = offered[users] * kept
    return RadioState(plan.cells, load, server, sinr, delivered, offered)


def attach(plan: RadioPlan, working: NDArray[np.bool_]) -> Places:
    """Return the serving cell of each user group, or -1 where no working cell is heard."""
    server: Places = np.where(working[plan.home], plan.home, -1)
    lost = np.flatnonzero(server < 0)
    if len(lost) and working.any():
        heard = plan.received[lost].multiply(working.astype(np.float64)[None, :]).toarray()
        best = heard.argmax(axis=1)
        server[lost] = np.where(heard[np.arange(len(lost)), best] > 0, best, -1)
    return server


def _sinr(received: Any, signal: Floats, cells: Places, busy: Floats) -> Floats:
    disturbance = np.maximum(0.0, received @ busy - signal * busy[cells])
    return np.asarray(signal / (disturbance + NOISE_MW))
