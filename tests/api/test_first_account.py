"""A server with local accounts and none yet makes the one that makes the others, and tells only its owner."""

import stat
from pathlib import Path

from adapters.memory import MemoryLedger
from adapters.network.in_memory import InMemoryNetwork
from api.bootstrap import build
from api.identities import token_of
from api.serve import _somebody_to_begin_with
from api.settings import Settings
from domain.clock import ManualClock
from domain.identity import Role
from tests.stage import ring


def test_the_first_start_makes_an_administrator_and_the_second_makes_nobody(
    clock: ManualClock, tmp_path: Path, capsys
) -> None:
    settings = Settings(data=tmp_path)
    house = build(settings, InMemoryNetwork(ring(), clock), clock=clock, ledger=MemoryLedger(clock))
    _somebody_to_begin_with(house, settings)
    token = token_of(tmp_path, "admin")
    _somebody_to_begin_with(house, settings)

    assert house.issuer.authenticate(token).roles == {Role.ADMIN}
    assert token_of(tmp_path, "admin") == token
    assert stat.S_IMODE((tmp_path / "identities.json").stat().st_mode) == 0o600
    assert token not in capsys.readouterr().err
    assert house.road.ledger.read(lambda tables: tables.principals.count()) == 1
    house.close()
