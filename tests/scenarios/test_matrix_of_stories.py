"""A small matrix: each story once on Abilene ends as it honestly must, and its record verifies."""

import pytest

from domain.incidents import Resolution
from tests.scenarios.matrix import Run, Totals, play

ABILENE = "topohub:topozoo/Abilene"
SEEDS = {"honest": 6, "lying": 7, "self-healing": 9}
ENDINGS = {"honest": Resolution.RESTORED, "lying": Resolution.UNRESOLVED, "self-healing": Resolution.NOT_OURS}


@pytest.mark.slow
@pytest.mark.parametrize("story", SEEDS)
def test_a_story_ends_as_it_must(story: str) -> None:
    run, _ = play(ABILENE, SEEDS[story], story)

    assert run.faults == []
    assert run.hit(3)
    assert run.outcome == ENDINGS[story]


def a_run(**changes: object) -> Run:
    told = {
        "network": ABILENE,
        "seed": 1,
        "story": "honest",
        "fault": "link_down",
        "element": "link:a",
        "ranked": ("tp:a", "link:a"),
        "relaxed": frozenset({"link:a", "tp:a", "tp:b"}),
        "baselines": {"highest_anomaly": ("link:a",)},
        "outcome": "restored",
        "verified": True,
        "seconds": 1.0,
    }
    return Run(**(told | changes))  # type: ignore[arg-type]  # a table of fields


@pytest.mark.parametrize(
    ("changes", "fails"),
    [
        ({}, False),
        ({"story": "lying"}, True),
        ({"story": "lying", "outcome": "unresolved"}, False),
        ({"story": "self-healing", "outcome": "restored"}, True),
        ({"story": "self-healing", "outcome": "not_ours"}, False),
        ({"verified": False}, True),
    ],
)
def test_the_matrix_fails_what_must_never_be(changes: dict[str, object], *, fails: bool) -> None:
    assert bool(a_run(**changes).faults) is fails


def test_a_hit_names_the_element_itself_and_a_near_hit_its_link() -> None:
    run = a_run()

    assert (run.hit(1), run.hit(3), run.near_hit(1)) == (False, True, True)
    assert "highest_anomaly      top-1   1/1" in "\n".join(Totals([run]).lines())
