"""Looks after the book while the house runs: another one in force is loaded, a changed folder is read.

A folder that changed is only offered: nobody changes the rules by writing a file. A bad one is refused and recorded.
"""

from pathlib import Path

from control_plane.policy import activation
from control_plane.road import Road
from domain.errors import BadInput
from policies.engine import Book

_EVERY_S = 1.0
#: Names, times and sizes of a folder's files: when these are another, the folder is read again.
Seen = tuple[tuple[str, int, int], ...]


class PolicyWatch:
    """Called often, looks seldom, by a clock that no jump of the time of day moves."""

    def __init__(self, road: Road) -> None:
        self._road = road
        self._folder = Path(road.settings.policies) if road.settings.policies else None
        self._seen = _look(self._folder)
        self._next = road.clock.monotonic()

    def look(self) -> None:
        """Load the book in force if it is another, and offer the folder's if its files changed."""
        now = self._road.clock.monotonic()
        if now < self._next:
            return
        self._next = now + _EVERY_S
        try:
            activation.refresh(self._road)
        except BadInput as error:
            activation.refuse(self._road, error.reason, self._road.worker)
        seen = _look(self._folder)
        if self._folder is not None and seen != self._seen:
            self._seen = seen
            offer(self._road, self._folder)


def offer(road: Road, folder: Path) -> None:
    """Load the book of a folder and store it with its notice; a bad one is recorded, and the old one stays."""
    try:
        book = Book.load(folder)
    except BadInput as error:
        activation.refuse(road, error.reason.replace(str(folder), folder.name), road.worker)
        return
    if book.version != road.book.version:
        activation.load(road, book, road.worker)


def _look(folder: Path | None) -> Seen:
    if folder is None:
        return ()
    try:
        stats = [(path.name, path.stat()) for path in folder.glob("*.cedar")]
    except OSError:
        return ()
    return tuple(sorted((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats))
