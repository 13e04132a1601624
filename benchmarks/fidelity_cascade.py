"""Does the twin foresee how overload spreads, hop by hop, when all that it knows of the traffic is what counters count?

A link fails; those that are then asked for more than a level drop out, which moves their load on, and so on: once with
what really would flow, once with what the twin believes. The level is drawn, for each failure that makes the fullest
link fuller, between what that is before and after. Compared are the links that are down after one hop, two, three, and
at the end: `precision` is the share of those foreseen that come, `recall` the share of those that come that were
foreseen. A hop counts in the cases in which either story gets that far. `neighbours` says that what touches a link that
went down goes next, as one says who sees no loads.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.fidelity_truth import Floats, Truth, full_mesh
from benchmarks.report import Figures
from domain.changes import SetOperational
from domain.network import Inventory, Operational
from twin.physics.cascade import cascade
from twin.snapshot import Snapshot

#: Hops that are told one by one.
_HOPS = 3
#: A failure counts when it makes the fullest link so many times as full; the level lies in these parts of the rise.
_RISE, _LOW, _HIGH = 1.1, 0.2, 0.8

Rounds = Sequence[frozenset[int]]
Sums = tuple[int, int, int, int]


@dataclass
class Spread:
    """Sums over cases: per hop (the last is the end) links foreseen and come, foreseen, come; and cases."""

    sums: dict[int, Sums] = field(default_factory=lambda: defaultdict(lambda: (0, 0, 0, 0)))

    def add(self, foreseen: Rounds, came: Rounds) -> None:
        """Take in one case: the links that drop out, round by round."""
        for hop in range(1, min(_HOPS, max(len(foreseen), len(came))) + 1):
            self._count(hop, foreseen[:hop], came[:hop])
        self._count(_HOPS + 1, foreseen, came)

    def _count(self, hop: int, foreseen: Rounds, came: Rounds) -> None:
        said, real = frozenset[int]().union(*foreseen), frozenset[int]().union(*came)
        self.sums[hop] = _plus(self.sums[hop], (len(said & real), len(said), len(real), 1))

    def merge(self, other: "Spread") -> None:
        """Take in the sums of another."""
        for hop, more in other.sums.items():
            self.sums[hop] = _plus(self.sums[hop], more)

    def figures(self) -> Figures:
        """Return precision and recall by hop, and how many cases got there."""
        names = {hop: f"hop_{hop}" for hop in range(1, _HOPS + 1)} | {_HOPS + 1: "end"}
        return {
            names[hop]: {"precision": round(both / said, 4), "recall": round(both / real, 4), "n": cases}
            for hop, (both, said, real, cases) in sorted(self.sums.items())
            if said and real
        }


def _plus(one: Sums, other: Sums) -> Sums:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2], one[3] + other[3]


def levels(before: float, after: Mapping[int, float], rng: np.random.Generator) -> dict[int, float]:
    """Return failures after which overload spreads, each with the utilisation at which links drop out.

    `before` and `after` (by failed link) are the highest utilisations that really come.
    """
    rising = {link: peak for link, peak in after.items() if peak > _RISE * before}
    return {link: before + float(rng.uniform(_LOW, _HIGH)) * (peak - before) for link, peak in rising.items()}


def came(truth: Truth, failed: int, level: float) -> Rounds:
    """Return which links drop out in truth, round by round."""
    gone, rounds = [failed], []
    while over := _over(truth, gone, level):
        rounds.append(frozenset(over))
        gone += sorted(over)
    return rounds


def _over(truth: Truth, gone: Sequence[int], level: float) -> set[int]:
    return {int(arc) // 2 for arc in np.flatnonzero(truth.loads(*gone) > level * truth.capacity)}


def foreseen(believed: Snapshot, failed: str, level: float) -> Rounds:
    """Return which links the twin says will drop out, by their places in the inventory; a level is at least 1."""
    number = {link.id: at for at, link in enumerate(believed.inventory.links)}
    change = SetOperational(element=failed, state=Operational.DISABLED)
    rounds = cascade(believed, [change], trip_at=level).rounds
    return [frozenset(number[link] for link in each) for each in rounds]


def neighbours(truth: Truth, failed: int, hops: int) -> Rounds:
    """Return, for so many hops, the links that touch one that is down already."""
    ends = np.stack([truth.tail[::2], truth.head[::2]])
    gone, rounds = {failed}, []
    for _ in range(hops):
        reached = np.isin(ends, ends[:, sorted(gone)]).any(axis=0)
        rounds.append(frozenset(np.flatnonzero(reached).tolist()) - gone)
        gone |= rounds[-1]
    return rounds


def compared(
    truth: Truth,
    inventory: Inventory,
    matrices: Mapping[str, Floats],
    after: Mapping[int, float],
    rng: np.random.Generator,
) -> dict[str, Spread]:
    """Return, by way to know the matrix (shape (places, places)) and for `neighbours`, how well it foresees.

    `after` is the highest utilisation that really comes, by the place in the inventory of the link that fails.
    """
    drawn = levels(float((truth.loads() / truth.capacity).max()), after, rng)
    found = {way: Spread() for way in (*matrices, "neighbours")}
    if not drawn:
        return found
    scale = max(1.0, 1.05 / min(drawn.values()))  # what is scaled with the traffic is the level, which must be above 1
    stories = {link: came(truth, link, level) for link, level in drawn.items()}
    for way, matrix in matrices.items():
        believed = Snapshot.of(full_mesh(inventory, truth.places, scale * matrix))
        for link, level in drawn.items():
            found[way].add(foreseen(believed, inventory.links[link].id, scale * level), stories[link])
    for link, story in stories.items():
        found["neighbours"].add(neighbours(truth, link, len(story)), story)
    return found
