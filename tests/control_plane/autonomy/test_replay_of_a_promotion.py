"""A proposal of the oversight agent is made again from its pins alone."""

from adapters.models.memory import MemoryModels
from api.replay_room import Players
from control_plane.replay.replaying import Replayer
from domain.incidents import Resolution
from tests.control_plane.autonomy.earning import Earning


def test_the_decision_on_a_level_is_made_again_the_same(earning: Earning) -> None:
    road = earning.stage.road
    decision = earning.earn().decision_id
    assert decision is not None
    replayer = Replayer(
        earning.ledger, lambda inventory, _: Players(inventory, 1000.0, MemoryModels()), lambda _version: road.book
    )
    earning.settle(Resolution.UNRESOLVED)  # the record of today says something else

    found = replayer.replay(decision)

    assert found.identical
