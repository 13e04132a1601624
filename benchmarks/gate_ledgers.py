"""The ledgers that the gate bench compares: ours, ours without a record, and one commit for each change."""

import threading
from typing import TypeVar

from adapters.store.ledger import SqlLedger
from adapters.store.shared import SharedTransaction
from control_plane.ports import Change, Written
from domain.clock import Clock

T = TypeVar("T")


class Unrecorded(SqlLedger):
    """The baseline `no_audit`: the same changes and messages in the same transactions, and nothing in the chain."""

    def do(self, change: Change[T]) -> T:
        return self._group.run(lambda shared: _unrecorded(shared, change))


class OneByOne(SqlLedger):
    """The baseline `one_by_one`: a change has a transaction and a commit of its own; the others wait."""

    def __init__(self, where: str, clock: Clock) -> None:
        super().__init__(where, clock)
        self._alone = threading.Lock()

    def do(self, change: Change[T]) -> T:
        with self._alone:
            return super().do(change)


def _unrecorded(shared: SharedTransaction, change: Change[T]) -> T:
    written = change(shared.tables().view())
    return shared.carry_out(lambda _: Written(written.result, (), written.messages))  # the messages go as ours do
