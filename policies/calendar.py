"""When something may change: which declared freeze covers a region at a moment, and whether its windows are open."""

from collections.abc import Iterable
from datetime import datetime

from domain.planned_work import ChangeWindow, Freeze


def frozen(freezes: Iterable[Freeze], region: str, at: datetime) -> Freeze | None:
    """Return the freeze that covers `region` at `at` (the one that lasts longest), or None.

    A freeze without a region covers every region; both ends belong to it.
    """
    return max(
        (freeze for freeze in freezes if freeze.covers(region, at)),
        key=lambda freeze: (freeze.ends_at, freeze.id),
        default=None,
    )


def in_window(windows: Iterable[ChangeWindow], region: str, at: datetime) -> bool:
    """Say whether `region` takes changes at `at`: one of its windows is open, or it never declared any."""
    own = [window for window in windows if window.region == region and window.withdrawn_at is None]
    return not own or any(window.covers(at) for window in own)
