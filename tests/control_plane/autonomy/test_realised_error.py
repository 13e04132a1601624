"""What agents do alone goes wrong no more often than the level declares, on outcomes that earned them nothing.

Agents of every quality, most of them too bad for the level, earn it (or not) by the house's own decisions. What they
then do alone, until it is taken from them, is the held-out stream.
"""

import numpy as np
import pytest

from benchmarks.autonomy import House
from control_plane.autonomy import record
from domain.autonomy import TERMS, Level, Standing

LIMIT = TERMS[Level.ACT_HARMLESS].error_limit
QUALITIES = (0.005, 0.02, 0.04, 0.055, 0.07, 0.1, 0.2)


def alone(error: float, rng: np.random.Generator) -> list[bool]:
    """Return which of the plans that one agent carried out alone went wrong."""
    house = House()
    for failure in (rng.random(400) < error).tolist():
        house.learn(failure=failure, alone=False)
        if house.promoted:
            break
    done: list[bool] = []
    while house.promoted and len(done) < 200:
        done.append(bool(rng.random() < error))
        house.learn(failure=done[-1], alone=True)
    return done


@pytest.mark.slow
def test_the_realised_error_of_what_was_done_alone_keeps_the_declared_limit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    streams = [alone(error, rng) for error in QUALITIES for _ in range(6)]
    done = [wrong for stream in streams for wrong in stream]

    assert sum(bool(stream) for stream in streams) >= 10  # enough of them got as far
    assert len(done) > 300
    assert sum(done) / len(done) <= LIMIT


def test_no_agent_goes_wrong_alone_twice_in_a_row() -> None:
    rng = np.random.default_rng(3)

    assert all(sum(alone(error, rng)) <= 1 for error in QUALITIES for _ in range(3))


def test_what_is_stored_with_a_level_is_what_it_was_given_for() -> None:
    house = House()
    while not house.promoted:
        house.learn(failure=False, alone=False)
    standing: Standing = house.standing

    assert (standing.outcomes, standing.failures) == (88, 0)
    assert standing.bound <= LIMIT < 0.051
    assert record.chance(standing) == record.ALPHA
