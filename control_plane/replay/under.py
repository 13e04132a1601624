"""What would today's book, or another model, have decided? The whole history is asked again; what differs is listed."""

from control_plane.replay.pins import inputs_of
from control_plane.replay.replaying import Casting, Replayer
from domain.base import Word
from domain.diagnosis import Diagnosis
from domain.errors import NocturneError
from domain.keeping import PinKind
from policies.engine import Book


class Changed(Word):
    """One past result that would be another: what it was, what it would be, and by which rules or causes."""

    id: str
    ref: str
    was: str
    would_be: str
    because: tuple[str, ...] = ()


class History(Word):
    """How much was asked again, what differs, and what could not be asked."""

    asked: int
    changed: tuple[Changed, ...]
    not_asked: tuple[str, ...] = ()


def under_policy(replayer: Replayer, book: Book) -> History:
    """Ask another book about every pinned decision, with the signatures that there were."""
    changed: list[Changed] = []
    failed: list[str] = []
    pins = replayer.pins(PinKind.DECISION)
    for pin in pins:
        try:
            was, now = replayer.judge_again(pin), replayer.judge_again(pin, book)
        except NocturneError as error:
            failed.append(f"{pin.id}: {error.reason}")
            continue
        if was.answer is not now.answer:
            because = tuple(f"{rule.id}: {rule.because}" for rule in now.rules)
            changed.append(Changed(id=pin.id, ref=pin.ref, was=was.answer, would_be=now.answer, because=because))
    return History(asked=len(pins) - len(failed), changed=tuple(changed), not_asked=tuple(failed))


def under_model(replayer: Replayer, casting: Casting) -> History:
    """Have a cast with another model look at every pinned case that the network's diagnosticians were handed."""
    changed: list[Changed] = []
    failed: list[str] = []
    pins = [pin for pin in replayer.pins(PinKind.DIAGNOSIS) if _heard_a_ranker(inputs_of(pin)["cells"])]
    for pin in pins:
        try:
            was, now = replayer.diagnose_again(pin), replayer.diagnose_again(pin, casting)
        except NocturneError as error:
            failed.append(f"{pin.id}: {error.reason}")
            continue
        if _named(was) != _named(now):
            because = tuple(f"{cause.element} {cause.confidence:.0%}" for cause in now.causes[:3])
            changed.append(Changed(id=pin.id, ref=pin.ref, was=_named(was), would_be=_named(now), because=because))
    return History(asked=len(pins) - len(failed), changed=tuple(changed), not_asked=tuple(failed))


def _heard_a_ranker(cells: list[list[object]]) -> bool:
    return any(cell[0] == "ranker.serving" and cell[1] is not None for cell in cells)


def _named(diagnosis: Diagnosis) -> str:
    top = diagnosis.top
    return f"{top.fault} of {top.element}" if top else str(diagnosis.verdict)
