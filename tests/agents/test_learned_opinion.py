"""What a diagnosis makes of the learned ranker: one column, an opinion of its own, and never a reason to fail."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from adapters.models import tensors
from adapters.models.shipped import shipped
from agents.diagnostics import Diagnostics
from causal.attribution import Attribution, Attributor
from causal.fusion import BOUND, WEIGHTS
from control_plane.ports import Ranking
from domain.agents import Case
from domain.diagnosis import Diagnosis, FaultKind, Verdict
from domain.errors import NocturneError, Refused, Unavailable
from domain.models import DIAGNOSIS_SLOT, Sight
from tests.agents.diagnosed_network import Tools, stage
from twin.generator import operator_network
from twin.incidents import IncidentGenerator
from twin.ranker import Ranker, grid


class WithoutModel(Attributor):
    def attribute(self, *_, **__) -> Attribution:
        return Attribution()


@dataclass
class Fake:
    """Gives every candidate nought but the ones named; remembers what it was asked."""

    favours: Mapping[str, float] = field(default_factory=dict)
    error: NocturneError | None = None
    asked: list[Sight] = field(default_factory=list)

    def opine(self, sight: Sight) -> Ranking:
        self.asked.append(sight)
        if self.error is not None:
            raise self.error
        return Ranking("mv_fake", {element: self.favours.get(element, 0.0) for element in sight.candidates})


@pytest.fixture(scope="module")
def network() -> IncidentGenerator:
    return IncidentGenerator(operator_network(5, 200))


@pytest.fixture
def broken(network: IncidentGenerator) -> tuple[Tools, Case]:
    hung = network.places[FaultKind.PROCESS_HUNG]
    return stage(network, hung[len(hung) // 2], FaultKind.PROCESS_HUNG)


def diagnosed(broken: tuple[Tools, Case], ranker: object) -> Diagnosis:
    tools, case = broken
    tools.ranker = ranker
    return Diagnostics(tools, WithoutModel()).diagnose(case)


def confidence(found: Diagnosis, element: str) -> float:
    return next((cause.confidence for cause in found.causes if cause.element == element), 0.0)


def test_what_the_ranker_says_by_itself_is_pinned_with_what_it_was_shown(broken, network) -> None:
    second = diagnosed(broken, Fake()).causes[1].element
    ranker = Fake({second: 3.0})

    found = diagnosed(broken, ranker)

    (sight,) = ranker.asked
    assert found.opinion is not None
    assert (found.opinion.slot, found.opinion.version) == (DIAGNOSIS_SLOT, "mv_fake")
    assert found.opinion.ranked[0] == second
    assert len(found.opinion.ranked) <= 10
    assert found.opinion.sight == sight
    assert sight.inventory_digest == network.snapshot.topology.digest
    assert {cause.element for cause in found.causes} <= set(sight.candidates)


def test_a_candidate_that_the_ranker_favours_becomes_likelier(broken) -> None:
    plain = diagnosed(broken, Fake())
    second = plain.causes[1].element

    favoured = diagnosed(broken, Fake({second: 3.0}))

    assert confidence(favoured, second) > confidence(plain, second)
    scores = next(cause.scores for cause in favoured.causes if cause.element == second)
    assert scores["learned"] > 0


def test_however_wrong_the_ranker_is_it_moves_a_clear_case_little(broken) -> None:
    plain = diagnosed(broken, Fake())
    last = plain.causes[-1].element

    misled = diagnosed(broken, Fake({last: 1000.0}))

    assert misled.causes[0].element == plain.causes[0].element
    assert WEIGHTS["learned"] * BOUND < 2.0


@pytest.mark.parametrize("error", [Refused("it was tampered with"), Unavailable("its file cannot be read")])
def test_a_ranker_that_cannot_be_heard_costs_a_sentence_and_nothing_else(broken, error: NocturneError) -> None:
    plain = diagnosed(broken, Fake())

    found = diagnosed(broken, Fake(error=error))

    assert found.verdict is Verdict.CAUSE
    assert found.causes[0].element == plain.causes[0].element
    assert found.opinion is None
    assert f"the learned ranker was not heard: {error.reason}" in found.not_checked
    assert all("learned" not in cause.scores for cause in found.causes)


def test_the_shipped_ranker_hears_the_culprit(broken, network) -> None:
    ranker, on = Ranker(tensors.read(shipped()[1])), grid(network.graph)

    class Shipped:
        def opine(self, sight: Sight) -> Ranking:
            return Ranking("mv_shipped", ranker.scores(on, sight))

    found = diagnosed(broken, Shipped())

    hung = network.places[FaultKind.PROCESS_HUNG]
    assert hung[len(hung) // 2] in found.opinion.ranked[:3]
