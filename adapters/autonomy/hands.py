"""The `Hands` port for levels of autonomy: they are rows of our own store, set by one conditional change.

The key of an action is the id of the move that it makes, so a second sending finds it there, and whether it was
refused can be read back.
"""

from collections.abc import Mapping

from control_plane.autonomy.levels import set_level
from control_plane.autonomy.standing import standing_of
from control_plane.ports import Ledger, Seen
from control_plane.tables import Tables
from domain.actions import Action, SetAutonomy
from domain.autonomy import parse_standing
from domain.clock import Clock
from domain.errors import BadInput, NotFound, Refused, Unavailable


class AutonomyHands:
    """Sets levels. Nothing else in the house raises one but for a signed waiver."""

    keyed = True

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger, self._clock = ledger, clock

    def takes(self, action: Action) -> bool:
        return isinstance(action, SetAutonomy)

    def state(self, element: str) -> Mapping[str, str]:
        """Return `{"level": …, "outcomes": …, "failures": …}` of a standing. Raises NotFound."""
        try:
            tenant, ground = parse_standing(element)
        except BadInput as error:
            raise NotFound(error.reason) from None
        held = self._ledger.read(lambda tables: standing_of(tables, tenant, ground, self._clock.now()))
        return {"level": str(int(held.level)), "outcomes": str(held.outcomes), "failures": str(held.failures)}

    def send(self, key: str, action: Action) -> None:
        """Set the level; it is done when this returns. A key that was sent before changes nothing.

        Raises:
            BadInput: the action sets no level.
            Refused: the level is another than was said, or the evidence is not enough now; nothing has changed.
            Unavailable: the store does not answer.
        """
        if not isinstance(action, SetAutonomy):
            raise BadInput(f"these hands set levels of autonomy, and `{action.kind}` is none; send it to the network")
        move = self._ledger.do(lambda tables: set_level(tables, key, action, self._clock.now()))
        if not move.moved:
            raise Refused(move.because)

    def look(self, key: str) -> Seen:
        def read(tables: Tables) -> Seen:
            move = tables.level_moves.get(key)
            if move is None:
                return Seen.ABSENT
            return Seen.DONE if move.moved else Seen.FAILED

        try:
            return self._ledger.read(read)
        except Unavailable:
            return Seen.CANNOT_TELL

    def cancel(self, key: str) -> None:
        """Do nothing: what is sent here is done when `send` returns, so nothing is ever pending."""
