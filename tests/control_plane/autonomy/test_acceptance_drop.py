"""When people begin to accept less than they did, it is said; a steady share never is, almost."""

import numpy as np

from control_plane.autonomy import acceptance
from control_plane.autonomy.acceptance import dropped
from domain.incidents import Resolution
from tests.control_plane.autonomy.earning import Earning


def test_a_drop_is_noticed_within_a_few_decisions() -> None:
    usual = [True] * 28 + [False] * 2

    assert not dropped(usual)
    assert dropped(usual + [False] * 6)


def test_few_decisions_say_nothing() -> None:
    assert not dropped([True] * 20 + [False] * 9)


def test_a_steady_share_is_seldom_called_a_drop() -> None:
    rng = np.random.default_rng(3)
    called = sum(dropped((rng.random(200) < 0.85).tolist()) for _ in range(100))

    assert called <= 5


def test_operators_are_told_once(earning: Earning) -> None:
    earning.settle(Resolution.RESTORED, 40)
    earning.refuse(12)
    for _ in range(2):
        acceptance.look(earning.stage.road, "default|agent:provisioning")

    notices = earning.ledger.read(lambda tables: tables.notices.find(ref="default|agent:provisioning"))
    assert len(notices) == 1
    assert "accept less" in notices[0].text
