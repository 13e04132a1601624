"""What outcomes do to a standing: the four decisions of earned autonomy, as pure functions.

`counted` takes one more outcome in, `earned` says whether the next level has been earned, `lost` whether the present
one has been lost, `fallen` is the standing afterwards. `benchmarks.autonomy` simulates agents with these functions.
"""

from datetime import datetime
from functools import lru_cache

from domain.autonomy import TERMS, Ground, Level, Standing, Terms
from stats.anytime import Watch, upper_bound

#: The chance that an agent over its limit is ever promoted; after each demotion, half of what it was before.
ALPHA = 0.05
#: The suspicion (an e-value) at which a level falls: 95 % that more goes wrong than the level allows.
SUSPICION = 20.0

_bound = lru_cache(maxsize=100_000)(upper_bound)


def chance(standing: Standing) -> float:
    """Return the chance of error that the next promotion may have: a second chance is dearer than a first."""
    return float(ALPHA / 2**standing.demotions)


def terms_of(ground: Ground, level: Level | None = None) -> Terms | None:
    """Return the terms of a level (default: the one that can be earned here), or None where none can be."""
    return TERMS.get(ground.goal if level is None else level)


def counted(standing: Standing, *, failure: bool) -> Standing:
    """Return the standing with one more outcome: its counts, its bound, and the watch on its level's limit."""
    outcomes, failures = standing.outcomes + 1, standing.failures + failure
    terms = TERMS.get(standing.level)
    watch = Watch(standing.watched, standing.doubt) if standing.doubt else Watch()
    watch = watch.after(failure, terms.error_limit) if terms else Watch()
    return standing.but(
        outcomes=outcomes,
        failures=failures,
        bound=min(1.0, _bound(outcomes, failures, chance(standing))),
        watched=watch.seen,
        doubt=watch.sums if terms else (),
    )


def earned(standing: Standing, ground: Ground) -> bool:
    """Say whether the evidence is enough for the level that can be earned here, and it does not stand yet."""
    terms = terms_of(ground)
    return terms is not None and standing.level < ground.goal and standing.bound <= terms.error_limit


def lost(standing: Standing, *, failure: bool, alone: bool) -> str:
    """Return why the level is lost with the outcome that `standing` has just counted, or nothing.

    One failure while acting alone is enough. So is the suspicion, from plans that people signed or refused, that more
    goes wrong than the level allows.
    """
    if failure and alone:
        return "a plan that it carried out alone went wrong"
    if standing.level is Level.ADVISE or not standing.doubt:
        return ""
    suspicion = Watch(standing.watched, standing.doubt).e_value
    if suspicion < SUSPICION:
        return ""
    limit = TERMS[standing.level].error_limit
    return f"more than {limit:.0%} go wrong, with 95 % certainty (e-value {suspicion:.0f})"


def fallen(standing: Standing, because: str, at: datetime) -> Standing:
    """Return the standing after it was lost: people sign again, and the evidence begins anew."""
    return _anew(standing, Level.ADVISE, because, at).but(
        outcomes=0, failures=0, bound=1.0, demotions=standing.demotions + 1, declined_at=0
    )


def raised(standing: Standing, level: Level, because: str, proposal_id: str, at: datetime) -> Standing:
    """Return the standing with a level that was signed for; the evidence goes on, the watch begins."""
    return _anew(standing, level, because, at).but(proposal_id=proposal_id)


def lowered(standing: Standing, level: Level, because: str, at: datetime) -> Standing:
    """Return the standing with a level that people took back; what was earned stays on record."""
    return _anew(standing, level, because, at)


def _anew(standing: Standing, level: Level, because: str, at: datetime) -> Standing:
    return standing.but(level=level, since=at, because=because, proposal_id="", watched=0, doubt=())
