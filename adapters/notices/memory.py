"""A messenger that keeps what it was given: for tests, and for a demo's screen."""

from domain.errors import Unavailable
from domain.roster import Notice


class MemoryMessenger:
    """The `Messenger` port in memory; carried twice, a notice is kept once. `down` lets it fail, as a channel can."""

    def __init__(self) -> None:
        self.sent: dict[str, Notice] = {}
        self.down = False

    def send(self, notice: Notice) -> None:
        if self.down:
            raise Unavailable("the channel does not answer; the notice is kept and sent again")
        self.sent.setdefault(notice.id, notice)
