"""What was rehearsed, held against what was measured; a twin that is biased shows as intervals that do not hold."""

from datetime import timedelta

import pytest

from control_plane.autonomy import realised
from control_plane.autonomy.realised import Coverage, coverage
from control_plane.executor import execution_id_of, load
from control_plane.ports import Written
from control_plane.receiving import receive_feed
from control_plane.tables import Tables
from domain.actions import ActionClass
from domain.autonomy import Realised
from domain.records import Entry
from tests.control_plane.autonomy.earning import Earning


def rows(inside: list[bool], earning: Earning) -> list[Realised]:
    at = earning.stage.clock.now()
    return [
        Realised(
            id=f"exec_{number:04d}",
            proposal_id=f"prop_{number:04d}",
            requester="agent:provisioning",
            classes=(ActionClass.INTERFACE_UP,),
            expected_mbps=0.0,
            low_mbps=0.0,
            high_mbps=5.0,
            level=0.9,
            nothing_mbps=20.0,
            measured_mbps=2.0 if held else 50.0,
            inside=held,
            known_at=at + timedelta(seconds=number),
        )
        for number, held in enumerate(inside)
    ]


def say_loss(earning: Earning, share: float) -> None:
    stage = earning.stage
    stage.network.say(
        {
            "type": "readings",
            "source": "pm-1",
            "time": stage.clock.now().isoformat(),
            "rows": [["demand:a-b", "loss", share]],
        }
    )
    receive_feed(stage.road, "network", 0.0)


def begun(earning: Earning) -> str:
    stage = earning.stage
    stage.commands.approve(stage.one, earning.sample.id, "plausible")
    stage.walk_all()
    return execution_id_of(earning.sample.id)


@pytest.mark.parametrize(("loss", "inside"), [(0.0, True), (0.9, False)])
def test_the_measured_loss_is_held_against_the_interval(earning: Earning, loss: float, inside: bool) -> None:
    execution_id = begun(earning)
    earning.stage.clock.advance(0.5)
    say_loss(earning, loss)
    realised.score(earning.stage.road, load(earning.stage.road, execution_id))

    (row,) = earning.ledger.read(lambda tables: tables.realised.find())
    assert (row.inside, row.measured_mbps) == (inside, pytest.approx(20.0 * loss))
    assert "verify.rehearsal.scored" in earning.stage.kinds()


def test_a_plan_is_scored_once(earning: Earning) -> None:
    execution_id = begun(earning)
    say_loss(earning, 0.0)
    for _ in range(2):
        realised.score(earning.stage.road, load(earning.stage.road, execution_id))

    assert earning.stage.kinds().count("verify.rehearsal.scored") == 1


def test_what_nobody_measured_is_not_scored(earning: Earning) -> None:
    realised.score(earning.stage.road, load(earning.stage.road, begun(earning)))

    assert earning.desk.coverage(earning.manager).n == 0


def test_a_repair_that_does_not_help_is_scored_before_it_is_undone(earning: Earning) -> None:
    begun(earning)
    for _ in range(15):
        say_loss(earning, 0.9)
        earning.stage.suffer(1)

    found: Coverage = earning.desk.coverage(earning.manager)
    assert (found.n, found.inside) == (1, 0)


def test_intervals_that_hold_as_they_claim_raise_no_suspicion(earning: Earning) -> None:
    found = coverage(rows([number % 10 != 0 for number in range(200)], earning))

    assert (found.n, found.share) == (200, 0.9)
    assert found.low < 0.9 < found.high
    assert found.suspicion < 20


def test_a_biased_twin_is_told_of(earning: Earning) -> None:
    def change(tables: Tables) -> Written[None]:
        tables.realised.add(*rows([False, True] * 10, earning))
        return Written(None, (Entry(kind="test.rows.added", actor="test", event_time=earning.stage.clock.now()),))

    earning.ledger.do(change)
    execution_id = begun(earning)
    say_loss(earning, 0.9)
    realised.score(earning.stage.road, load(earning.stage.road, execution_id))

    assert earning.desk.coverage(earning.manager).suspicion >= 20
    notices = earning.ledger.read(lambda tables: tables.notices.find(ref="twin"))
    assert any("not to be trusted" in notice.text for notice in notices)
