"""A forecast is made again as it was made: with the calibration, the past and the readings of then."""

from domain.actions import ActionClass
from domain.blast import Quantity
from tests.control_plane.replay.test_replay_on_a_ring import again
from tests.stage import Stage
from twin.blast.calibration import Calibration, Correction, Margin


def by_margin(high: float) -> Calibration:
    margins = tuple(Margin(quantity=quantity, high=high) for quantity in Quantity)
    return Calibration(corrections=(Correction(action_class=ActionClass.INTERFACE_UP, cases=214, margins=margins),))


def test_a_forecast_is_made_again_with_the_calibration_of_then(stage: Stage) -> None:
    stage.road.calibration = by_margin(2.0)
    stage.begin()
    stage.road.calibration = by_margin(5.0)

    assert again(stage).identical


def test_the_record_tells_the_forecast(stage: Stage) -> None:
    stage.road.calibration = by_margin(2.0)
    stage.begin()

    (told,) = [r.fields["forecast"].value for r in stage.ledger.records() if r.kind == "rehearse.proposal.rehearsed"]
    assert "calibrated on 214 plans of this kind" in str(told)
