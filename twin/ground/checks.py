"""What a plan did wrong, asked of the twin itself and not of the shield: two full evaluations, side by side."""

from collections.abc import Sequence

from domain.changes import SetVia
from twin.evaluate import NOTICEABLE, evaluate
from twin.snapshot import Snapshot


def violations(before: Snapshot, moves: Sequence[SetVia], closed: frozenset[str]) -> tuple[str, ...]:
    """Return, in words, each way in which the moves break what the shield promises; nothing when they keep it.

    Args:
        before: the state in which they would be made.
        moves: SR policies set or taken away, all at once.
        closed: nodes through which policy lets nobody be steered.

    Raises:
        BadInput: a move names what is not there, or two contradict each other.
    """
    was, then = evaluate(before), evaluate(before, moves)
    found = [
        f"`{move.demand}` is steered through `{move.via}`, which is closed" for move in moves if move.via in closed
    ]
    found += [
        f"`{move.demand}` is steered through `{move.via}`, which does not work"
        for move in moves
        if move.via and not then.available(move.via)
    ]
    if then.lost_mbps > was.lost_mbps + NOTICEABLE * max(1.0, was.lost_mbps):
        found.append(f"{then.lost_mbps - was.lost_mbps:.3f} Mbit/s more are lost")
    found += [f"`{demand}` breaks its delay bound" for demand in sorted({*then.late_demands} - {*was.late_demands})]
    return tuple(found)
