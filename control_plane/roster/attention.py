"""How attentive people can still be: what they look at, how long, how often they agree, and how much they miss.

The miss rate is what cards that were wrong on purpose show (`seeding`): those that were approved, of those answered.
Whoever surely misses more than the declared limit needs a second signature beside their own, until they catch more.
"""

from collections.abc import Iterable, Sequence
from statistics import median

from control_plane.roster.seeding import CAUGHT, MISSED
from control_plane.tables import Tables
from domain.base import Word
from domain.gate import Choice
from domain.roster import SeededCard, Viewing
from stats.proportions import at_least
from stats.shares import clopper_pearson

#: So many last answers say how attentive somebody is now.
_LAST = 40
_SURELY = 0.9
_MOST = 2000


class Rate(Word):
    """A share of a count, with the exact interval at 95 %."""

    count: int
    n: int
    rate: float | None
    low: float
    high: float


class PersonAttention(Word):
    """One person's attention. `seconds` is the median from opening a card to deciding, where they opened it."""

    person: str
    decided: int
    seconds: float | None
    unopened: Rate
    with_evidence: Rate
    agreement: Rate
    missed: Rate
    extra_signatures: int


class ShiftAttention(Word):
    """How much was missed in one shift."""

    shift: str
    missed: Rate


def rate(count: int, n: int) -> Rate:
    """Return a share as a word."""
    low, high = clopper_pearson(count, n)
    return Rate(count=count, n=n, rate=count / n if n else None, low=low, high=high)


def answered(tables: Tables, tenant: str, person: str = "") -> list[SeededCard]:
    """Return the seeded cards that were decided on, the oldest answer first."""
    cards = tables.seeded_cards.find(tenant=tenant, newest=True, limit=_MOST)
    fitting = [card for card in cards if card.choice in CAUGHT | MISSED and person in {"", card.person}]
    return sorted(fitting, key=lambda card: (card.answered_at or card.made_at, card.id))


def misses(cards: Iterable[SeededCard]) -> tuple[int, int]:
    """Return how many of the cards were missed, and how many there are."""
    found = list(cards)
    return sum(card.choice in MISSED for card in found), len(found)


def extra_signatures(tables: Tables, tenant: str, people: Iterable[str], limit: float) -> int:
    """Return how many signatures are needed beyond the ordinary ones, because somebody who signed misses too much.

    Args:
        tables: the shelves.
        tenant: whose people these are.
        people: who has signed.
        limit: the share that may be missed; above it for sure (at 90 %), one more is asked.
    """
    signers = set(people)
    if not signers or not tables.seeded_cards.count(tenant=tenant):
        return 0
    return int(any(at_least(*misses(answered(tables, tenant, person)[-_LAST:]), _SURELY) > limit for person in signers))


def by_person(tables: Tables, tenant: str, limit: float) -> list[PersonAttention]:
    """Return everybody's attention, by name."""
    viewings = tables.viewings.find(tenant=tenant, newest=True, limit=_MOST)
    cards = answered(tables, tenant)
    people = sorted({viewing.person for viewing in viewings} | {card.person for card in cards})
    return [
        _person(
            tables,
            tenant,
            person,
            [v for v in viewings if v.person == person],
            [c for c in cards if c.person == person],
            limit,
        )
        for person in people
    ]


def by_shift(tables: Tables, tenant: str) -> list[ShiftAttention]:
    """Return the miss rate of every shift in which cards were answered, in order of the shifts' ids."""
    cards = answered(tables, tenant)
    shifts = sorted({card.shift for card in cards})
    return [ShiftAttention(shift=s, missed=rate(*misses(c for c in cards if c.shift == s))) for s in shifts]


def _person(
    tables: Tables, tenant: str, person: str, viewings: Sequence[Viewing], cards: Sequence[SeededCard], limit: float
) -> PersonAttention:
    done = [viewing for viewing in viewings if viewing.decided_at is not None]
    looked = [viewing for viewing in done if viewing.opened_at != viewing.decided_at]
    final = [v for v in done if v.choice in {Choice.APPROVE, Choice.REJECT, Choice.CHANGE}]
    return PersonAttention(
        person=person,
        decided=len(done),
        seconds=median(viewing.seconds for viewing in looked) if looked else None,
        unopened=rate(len(done) - len(looked), len(done)),
        with_evidence=rate(sum(bool(viewing.evidence_opened) for viewing in done), len(done)),
        agreement=rate(sum(viewing.choice == Choice.APPROVE for viewing in final), len(final)),
        missed=rate(*misses(cards)),
        extra_signatures=extra_signatures(tables, tenant, {person}, limit),
    )
