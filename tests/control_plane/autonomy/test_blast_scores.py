"""The blast radius on the road: predicted before anybody signs, shown, measured after the plan, and watched."""

from collections.abc import Sequence

import numpy as np
import pytest

from control_plane.autonomy import blasts, realised
from control_plane.autonomy.realised import coverage
from control_plane.executor import load
from control_plane.ports import Written
from control_plane.rehearsing import rehearsal_of
from control_plane.suffering import Sufferers, suffering_now
from control_plane.tables import Tables
from domain.actions import ActionClass
from domain.autonomy import Realised
from domain.blast import BlastRadius, BlastScore, Measured, Quantity, Span
from domain.records import Entry
from tests.control_plane.autonomy.earning import Earning
from tests.control_plane.autonomy.test_realised_effect import begun, say_loss
from twin.blast.calibration import Calibration
from twin.blast.fitting import Case, fit

UP = ActionClass.INTERFACE_UP


def the_blast(earning: Earning) -> BlastRadius:
    rehearsal = earning.ledger.read(lambda tables: tables.rehearsals.get(earning.sample.rehearsal_id or ""))
    assert rehearsal is not None
    assert rehearsal.blast is not None
    return rehearsal.blast


def the_score(earning: Earning) -> BlastScore:
    (row,) = earning.ledger.read(lambda tables: tables.realised.find())
    assert row.blast is not None
    return row.blast


def seen(score: BlastScore) -> dict[Quantity, float | None]:
    return {entry.quantity: entry.seen for entry in score.measured}


def now(earning: Earning) -> Sufferers:
    return suffering_now(earning.stage.road.live, earning.stage.clock.now())


# --- before ---


def test_every_rehearsal_of_a_network_plan_says_what_will_suffer_and_the_card_shows_it(earning: Earning) -> None:
    blast = the_blast(earning)
    card = earning.stage.queries.card(earning.stage.one, earning.sample.id)

    assert {span.quantity for span in blast.spans} == set(Quantity)
    assert card.forecast == blast.told
    assert "customer" in card.forecast
    assert (card.blast, card.score) == (None, "")


def test_a_rehearsal_is_made_with_the_calibration_in_force(earning: Earning) -> None:
    rng = np.random.default_rng(4)
    road = earning.stage.road
    road.calibration = fit(drawn(rng, 200))
    rehearsal = rehearsal_of(road, earning.sample, road.live.snapshot())

    assert rehearsal.blast is not None
    assert (the_blast(earning).cases, rehearsal.blast.level) == (0, 0.9)
    assert (rehearsal.blast.calibrated_for, rehearsal.blast.cases) == ("interface_up", 200)


# --- after ---


@pytest.mark.parametrize(("loss", "circuits"), [(0.0, 0), (0.005, 0), (0.9, 1)])
def test_circuits_customers_and_lost_traffic_are_counted_from_what_is_measured(
    earning: Earning, loss: float, circuits: int
) -> None:
    say_loss(earning, loss)
    found = now(earning)

    assert (len(found.circuits), len(found.customers)) == (circuits, circuits)
    assert found.lost_mbps == pytest.approx(20.0 * loss * circuits)
    assert found.unseen == frozenset()


def test_what_says_nothing_is_not_well(earning: Earning) -> None:
    found = now(earning)

    assert found.unseen == {"demand:a-b"}
    assert not found.seen


def test_a_plan_that_helped_is_scored_with_the_time_that_it_took(earning: Earning) -> None:
    execution_id = begun(earning)
    for loss in (0.9, 0.9, 0.0, 0.0):
        say_loss(earning, loss)
        earning.stage.clock.advance(0.5)
    say_loss(earning, 0.0)
    realised.score(earning.stage.road, load(earning.stage.road, execution_id), recovered=True)

    found = seen(the_score(earning))
    assert found[Quantity.CIRCUITS] == found[Quantity.CUSTOMERS] == found[Quantity.LOST] == 0
    assert the_score(earning).inside
    assert "the forecast held" in earning.stage.queries.card(earning.stage.one, earning.sample.id).score


def test_a_plan_that_did_not_help_is_scored_as_not_back_and_the_span_that_broke_is_named(earning: Earning) -> None:
    execution_id = begun(earning)
    say_loss(earning, 0.9)
    realised.score(earning.stage.road, load(earning.stage.road, execution_id))

    card = earning.stage.queries.card(earning.stage.one, earning.sample.id)
    assert seen(the_score(earning))[Quantity.RECOVERY] is None
    assert not the_score(earning).inside
    assert "1 circuit (forecast: 0 circuits)" in card.score
    assert earning.desk.coverage(earning.manager).inside == 0


def test_where_nobody_can_measure_the_record_says_that_it_was_not_scored(earning: Earning) -> None:
    realised.score(earning.stage.road, load(earning.stage.road, begun(earning)))

    (told,) = [r for r in earning.ledger.records() if r.kind == "verify.rehearsal.not_scored"]
    assert told.fields["silent"].value == ["demand:a-b"]


def test_what_fell_silent_since_the_plan_began_is_not_counted_as_well(earning: Earning) -> None:
    say_loss(earning, 0.0)
    matter = load(earning.stage.road, begun(earning))
    nobody = now(earning)._replace(unseen=frozenset({"demand:a-b", "cell:never-heard"}))

    assert blasts.gone_silent(earning.stage.road, matter, nobody) == ["demand:a-b"]
    assert blasts.gone_silent(earning.stage.road, matter, nobody._replace(unseen=frozenset())) == []


def test_five_plans_of_a_kind_teach_how_long_the_next_one_takes(earning: Earning) -> None:
    past = earning.stage.road.past
    assert list(past.recovery(UP)) == []
    times = [3.0, 4.0, 5.0, 6.0, 7.0]
    keep(earning, [scored(earning, number, time) for number, time in enumerate([*times, None])])

    assert list(past.recovery(UP)) == times
    assert list(past.recovery(ActionClass.DRAIN_LINK)) == []


# --- watched ---


def drawn(rng: np.random.Generator, count: int, bias: float = 1.0) -> list[Case]:
    """Plans of which the twin is right on average; times `bias` it says less, or more, than is so."""
    return [one(rng, number, bias) for number in range(count)]


def one(rng: np.random.Generator, number: int, bias: float) -> Case:
    truth = rng.gamma(4.0, 5.0, len(Quantity))
    said = bias * truth * rng.lognormal(0.0, 0.2, len(Quantity))
    spans = tuple(
        Span(quantity=quantity, expected=value, low=0.8 * value, high=1.2 * value)
        for quantity, value in zip(Quantity, said.tolist(), strict=True)
    )
    so = dict(zip(Quantity, truth.tolist(), strict=True))
    return Case(action_class=UP, raw=BlastRadius(spans=spans), truth=so, group=str(number % 20))


def verdicts(made: Calibration, cases: Sequence[Case], earning: Earning) -> list[Realised]:
    return [row(earning, number, made.apply(each.raw, UP), each.truth) for number, each in enumerate(cases)]


def row(earning: Earning, number: int, said: BlastRadius, truth: dict[Quantity, float | None]) -> Realised:
    measured = tuple(
        Measured(quantity=span.quantity, seen=truth[span.quantity], inside=span.holds(truth[span.quantity]))
        for span in said.spans
    )
    return Realised(
        id=f"exec_{number:04d}",
        proposal_id=earning.sample.id,
        requester="agent:provisioning",
        classes=(UP,),
        expected_mbps=0.0,
        low_mbps=0.0,
        high_mbps=1e6,
        level=said.level,
        nothing_mbps=20.0,
        measured_mbps=2.0,
        inside=True,
        blast=BlastScore(predicted=said, measured=measured),
        known_at=earning.stage.clock.now(),
    )


def scored(earning: Earning, number: int, time: float | None) -> Realised:
    """A plan of the sample's class that took so long."""
    truth: dict[Quantity, float | None] = dict.fromkeys(Quantity, 0.0)
    return row(earning, number, the_blast(earning), truth | {Quantity.RECOVERY: time})


def keep(earning: Earning, rows: Sequence[Realised]) -> None:
    def change(tables: Tables) -> Written[None]:
        tables.realised.add(*rows)
        return Written(None, (Entry(kind="test.rows.added", actor="test", event_time=earning.stage.clock.now()),))

    earning.ledger.do(change)


def test_a_twin_whose_predictions_are_halved_is_told_of_and_an_honest_one_is_not(earning: Earning) -> None:
    rng, plans = np.random.default_rng(5), 40
    made = fit(drawn(rng, 200))
    honest, halved = (coverage(verdicts(made, drawn(rng, plans, bias), earning)) for bias in (1.0, 0.5))

    assert honest.suspicion < 20 <= halved.suspicion
    assert honest.low < 0.9 < honest.high
    assert (honest.n, halved.n) == (plans, plans)


def test_the_alarm_about_a_biased_twin_reaches_people(earning: Earning) -> None:
    rng = np.random.default_rng(6)
    keep(earning, verdicts(fit(drawn(rng, 200)), drawn(rng, 40, 0.5), earning))
    execution_id = begun(earning)
    say_loss(earning, 0.0)
    realised.score(earning.stage.road, load(earning.stage.road, execution_id))

    notices = earning.ledger.read(lambda tables: tables.notices.find(ref="twin"))
    assert any("not to be trusted" in notice.text for notice in notices)
