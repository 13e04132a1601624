"""Carries out an action's edits: a dry run everywhere first, then router by router; all of them, or none.

When a router refuses, or falls silent in the middle, whatever was changed is put back and the configurations are
compared with those that were saved. Only if they are the same did nothing happen; else nobody can tell.
"""

from collections.abc import Callable, Mapping, Sequence

from adapters.network.routers.orders import Edit
from adapters.network.routers.vty import Vty
from domain.errors import NocturneError, Refused, Unavailable


class Halfway(Unavailable):
    """Something may have been changed, and it could not be put back."""


def check(edits: Sequence[Edit], vtys: Mapping[str, Vty]) -> None:
    """Have every router's lines parsed without effect. Raises Refused with the words, or Unavailable."""
    for edit in edits:
        if edit.lines:
            vtys[edit.access.name].check(edit.lines)


def carry_out(edits: Sequence[Edit], vtys: Mapping[str, Vty], took: Callable[[], bool]) -> bool:
    """Apply all edits and read back whether they took effect; if they did not, they are put back.

    Returns:
        Whether the effect shows on the devices.

    Raises:
        Refused: a router said no, or fell silent; everything is as it was before.
        Halfway: nobody can tell what is configured now.
    """
    touched: list[Edit] = []
    try:
        for edit in edits:
            touched.append(edit)
            if edit.lines:
                vtys[edit.access.name].configure(edit.lines)
        if took():
            return True
    except NocturneError as trouble:
        _put_back(touched, vtys, trouble)
        raise Refused(f"{trouble.reason}; everything is as it was before") from trouble
    _put_back(touched, vtys, Unavailable("the change does not show on the router"))
    return False


def _put_back(touched: Sequence[Edit], vtys: Mapping[str, Vty], trouble: NocturneError) -> None:
    """Undo, last edit first, and see that the saved configuration runs again. Raises Halfway."""
    for edit in reversed(touched):
        try:
            for line in _one_by_one(edit):
                vtys[edit.access.name].configure(line)
        except Refused:
            pass  # there was nothing to take back; the comparison below tells
        except Unavailable as silence:
            raise Halfway(f"{trouble.reason}; and putting it back failed: {silence.reason}") from trouble
    for edit in touched:
        try:
            same = vtys[edit.access.name].running() == edit.saved
        except Unavailable as silence:
            raise Halfway(f"{trouble.reason}; nobody can tell what runs now: {silence.reason}") from trouble
        if not same:
            raise Halfway(f"{trouble.reason}; {edit.access.name} does not run what it ran before, look at it")


def _one_by_one(edit: Edit) -> list[tuple[str, ...]]:
    """Return the lines that put an edit back so that one that is not needed does not keep others from being sent."""
    if edit.back and edit.back[0].startswith("interface "):
        return [edit.back]
    return [(line,) for line in edit.back]
