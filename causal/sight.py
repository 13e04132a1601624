"""What the learned ranker is shown of a case, pinned: another version can be asked the same question later."""

from collections.abc import Iterable

from causal.candidates import Candidate
from causal.symptoms import Symptoms
from domain.models import Sight

_DIGITS = 4


def sight(inventory_digest: str, symptoms: Symptoms, options: Iterable[Candidate]) -> Sight:
    """Return the sight of a case: symptoms by element, and the distinct elements of its candidates in their order.

    Args:
        inventory_digest: of the inventory whose element graph the case is seen on.
        symptoms: what is wrong, silent and healthy.
        options: the candidates that are to be ranked.
    """
    return Sight(
        inventory_digest=inventory_digest,
        trouble={element: round(level, _DIGITS) for element, level in symptoms.trouble.items()},
        silent=tuple(sorted(symptoms.silent)),
        healthy=tuple(sorted(symptoms.healthy)),
        candidates=tuple(dict.fromkeys(option.element for option in options)),
    )
