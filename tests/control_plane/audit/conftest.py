"""The ring with a repair behind it, and the people who look after its record."""

from dataclasses import dataclass

import pytest

from control_plane.audit.desk import AuditDesk
from control_plane.audit.keeper import Keeper
from control_plane.audit.ports import Vault
from domain.identity import Principal, Role
from tests.stage import Stage


@dataclass
class Room:
    """The audit room over a stage."""

    stage: Stage
    desk: AuditDesk
    keeper: Keeper
    vault: Vault
    auditor: Principal
    viewer: Principal


@pytest.fixture
def room(stage: Stage) -> Room:
    """The audit room, with nothing signed yet."""
    vault = stage.road.vault
    assert vault is not None
    return Room(
        stage,
        AuditDesk(stage.road),
        Keeper(stage.ledger, stage.clock, vault),
        vault,
        stage.one.but(name="auditor", roles=frozenset({Role.AUDITOR})),
        stage.one.but(name="viewer", roles=frozenset({Role.VIEWER})),
    )


@pytest.fixture
def repaired(room: Room) -> Room:
    """The audit room after one repair that was approved, carried out and verified."""
    stage = room.stage
    proposal = stage.begin()
    stage.commands.approve(stage.one, proposal.id, "plausible")
    stage.walk_all()
    stage.recover()
    stage.settle()
    return room
