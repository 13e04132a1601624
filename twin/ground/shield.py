"""What no learner may do: the moves that the shield takes away before anybody chooses.

Where policy lets nobody through (`closed`), where traffic would be lost that is not lost now, and where a slice's
delay bound would be broken. The shield works on arrays and errs on the safe side: a rise of delay on any link counts
against the demand with the least room, wherever that demand goes. `checks.py` counts violations by another way.
"""

import numpy as np

from twin.evaluate import NOTICEABLE, Prediction
from twin.physics.delay import queueing_ms, transmission_ms
from twin.steering.scene import Scene
from twin.steering.ways import Places
from twin.topology import Flags, Floats

_ROUNDING = 1e-9


def shielded(
    scene: Scene, state: Prediction, closed: Flags, which: Places, options: Places, onto: Floats, loads: Floats
) -> Flags:
    """Say which of n moves the shield lets through.

    Args:
        scene: the problem.
        state: in which a move would be made.
        closed: (w + 1,) options that policy forbids.
        which: (n,) demands of the scene.
        options: (n,) what each would get.
        onto: (n, arcs) Mbit/s that the demand itself would put on each arc.
        loads: (n, arcs) Mbit/s after the move.
    """
    more = loads > state.arc_load + _ROUNDING * state.capacity
    lossy = (loads > state.capacity) | (state.spoiled > 0)
    keeps = ~(more & lossy).any(axis=1)
    return ~closed[options] & scene.allowed[which, options] & keeps & _timely(scene, state, which, options, onto, loads)


def closed_options(scene: Scene, closed: frozenset[str]) -> Flags:
    """Return (w + 1,) which options lead through a node on the list; the direct way never does."""
    return np.array([scene.via(option) in closed for option in range(scene.direct + 1)], np.bool_)


def _timely(scene: Scene, state: Prediction, which: Places, options: Places, onto: Floats, loads: Floats) -> Flags:
    topology, capacity = state.topology, state.capacity
    waits = queueing_ms(loads / capacity, capacity, topology.burst)
    now = queueing_ms(state.arc_utilisation, capacity, topology.burst)
    rise = np.maximum(0.0, waits - now)[:, scene.arcs].sum(axis=1)
    bound, delay = topology.max_delay_ms, state.worst_delay_ms
    room = (bound - delay)[np.isfinite(delay) & (delay <= bound + NOTICEABLE)].min(initial=np.inf)
    second = scene.out[which, options]
    way = scene.ways.delay_ms[scene.into[which, options]] + np.where(second < 0, 0.0, scene.ways.delay_ms[second])
    links = {link.id: link.delay_ms for link in topology.inventory.links}
    declared = np.repeat(np.array([links[name] for name in topology.links], np.float64), 2)
    longer = np.maximum(0.0, topology.propagation_ms - declared)  # the ways are as long as declared
    own = way + ((waits + transmission_ms(capacity) + longer) * (onto > 0)).sum(axis=1)
    demand = scene.demands[which]
    late: Flags = (rise > room) | (own > np.maximum(bound[demand], delay[demand]) + _ROUNDING)
    return ~late
