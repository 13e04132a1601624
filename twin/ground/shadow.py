"""What the learner would do, beside greed, on a state of the network. In shadow: it is shown, and nothing follows.

Even where its card says that it was promoted, nothing in the house steers by it; that would take a proposal.
"""

import numpy as np
from pydantic import Field

from domain.base import Word
from domain.changes import SetVia
from domain.errors import NocturneError
from twin.evaluate import evaluate
from twin.ground.episode import MOVES, Course
from twin.ground.kept import kept
from twin.ground.strategies import PLAYS, best_played, greedy, learner, one_of_best, played
from twin.snapshot import Snapshot

#: Link directions above which it is not asked: an answer would take seconds.
MOST_ARCS = 4_000
_SEED = 9


class ShadowPlan(Word):
    """Moves of whole demands, and how full the fullest link would be with them, as the twin predicts it."""

    moves: tuple[SetVia, ...]
    after: float


class InShadow(Word):
    """The learner beside greed, with as many moves and plays; both None where it cannot be asked (see `note`)."""

    version: str
    promoted: bool = Field(description="what the promotion rule in its card says; nothing steers by it either way")
    learner: ShadowPlan | None
    greedy: ShadowPlan | None
    note: str


def in_shadow(snapshot: Snapshot, limit: int) -> InShadow:
    """Return what the learner would do with at most `limit` moves, and no more than it was trained with.

    Pure: nothing is changed or proposed.
    """
    try:
        card, scorer = kept()
    except NocturneError as error:
        return InShadow(version="", promoted=False, learner=None, greedy=None, note=error.reason)
    promoted = bool(card.metrics["promoted"])
    low, high = card.metrics["gain_low"], card.metrics["gain_high"]
    word = "at or above greedy" if promoted else "not shown to be at or above greedy"
    note = f"in shadow: {word} on unseen networks (gain {low:+.2%} to {high:+.2%})"
    if len(snapshot.topology.tail) > MOST_ARCS:
        note = f"not asked: more than {MOST_ARCS} link directions"
        return InShadow(version=card.version, promoted=promoted, learner=None, greedy=None, note=note)
    course, limit = Course(snapshot), min(limit, MOVES)
    plans = {"learner": best_played(course, learner(scorer), limit).plan(), "greedy": _greed(course, limit)}
    shown = {name: ShadowPlan(moves=plan, after=_after(snapshot, plan)) for name, plan in plans.items()}
    return InShadow(version=card.version, promoted=promoted, note=note, **shown)


def _greed(course: Course, limit: int) -> tuple[SetVia, ...]:
    """Return the best of greedy search and of plays that leave a little of it to chance; seeded, so always the same."""
    rng = np.random.default_rng(_SEED)
    again = (played(course, one_of_best(rng), limit).plan() for _ in range(PLAYS - 1))
    return min((greedy(course, limit), *again), key=lambda plan: _after(course.snapshot, plan))


def _after(snapshot: Snapshot, plan: tuple[SetVia, ...]) -> float:
    return float(evaluate(snapshot, plan).arc_utilisation.max(initial=0.0))
