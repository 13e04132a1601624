"""The ring of `tests/stage.py` with people on call, and a way to let the outbox be worked off by hand."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from adapters.identity.local import LocalIssuer
from adapters.memory import MemoryLedger
from control_plane import flow
from control_plane.desks import Desks
from control_plane.errands import ERRANDS
from control_plane.roster.shifts import Line
from domain.clock import ManualClock
from domain.identity import Principal, Role
from domain.roster import Notice, NoticeKind, Shift
from tests.stage import Stage, make_stage


class Room:
    """The stage, its desks, its people, and the outbox."""

    def __init__(self, clock: ManualClock, **named: object) -> None:
        self.clock = clock
        self.stage: Stage = make_stage(clock, **({"ledger": MemoryLedger(clock)} | named))
        self.desks = Desks(self.stage.road)
        self.issuer = LocalIssuer(self.stage.ledger, clock)
        self.manager = self.person("manager", Role.CHANGE_MANAGER)
        self.owner = self.person("owner", Role.TENANT_OWNER)
        self.admin = self.person("admin", Role.ADMIN)

    def person(self, name: str, *roles: Role) -> Principal:
        return self.issuer.issue(name, roles, person=name)[0]

    def on_call(self, role: Role, account: str, start: float, end: float, **more: object) -> Shift:
        """Put an account on call from `start` to `end`, in hours from now."""
        now = self.clock.now()
        line = Line(
            role=role,
            account=account,
            starts_at=now + timedelta(hours=start),
            ends_at=now + timedelta(hours=end),
            **more,
        )
        return self.desks.roster.declare(self.owner, [line])[0]

    def work_off(self) -> None:
        """Do everything in the outbox that is due."""
        for _ in range(200):
            messages = self.stage.ledger.due(self.clock.now())
            if not messages:
                return
            for message in messages:
                if message.topic in ERRANDS:
                    ERRANDS[message.topic](self.stage.road, message.ref)
                elif message.topic == "wake":
                    flow.walk(self.stage.road, self.stage.graph, message.ref)
            self.stage.ledger.done(messages)
        pytest.fail("the outbox is never empty")

    def until(self, moment: datetime) -> None:
        """Let the time come, message by message."""
        while (due := self.stage.ledger.next_due()) is not None and due <= moment:
            self.clock.advance(max(0.0, (due - self.clock.now()).total_seconds()))
            self.work_off()
        self.clock.advance(max(0.0, (moment - self.clock.now()).total_seconds()))

    def pass_time(self, seconds: float) -> None:
        self.until(self.clock.now() + timedelta(seconds=seconds))

    def told(self, account: str, *kinds: NoticeKind) -> list[Notice]:
        found = self.stage.ledger.read(lambda t: t.notices.find(to_account=account))
        return [notice for notice in found if not kinds or notice.kind in kinds]


@pytest.fixture
def make_room(clock: ManualClock) -> Callable[..., Room]:
    return lambda **named: Room(clock, **named)


@pytest.fixture
def room(make_room: Callable[..., Room]) -> Room:
    return make_room()
