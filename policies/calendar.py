"""When nothing may change: which declared freeze, if any, covers a region at a moment."""

from collections.abc import Iterable
from datetime import datetime

from domain.planned_work import Freeze


def frozen(freezes: Iterable[Freeze], region: str, at: datetime) -> Freeze | None:
    """Return the freeze that covers `region` at `at` (the one that lasts longest), or None.

    A freeze without a region covers every region; both ends belong to it.
    """
    return max(
        (freeze for freeze in freezes if freeze.covers(region, at)),
        key=lambda freeze: (freeze.ends_at, freeze.id),
        default=None,
    )
