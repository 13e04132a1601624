"""An explanation lists the facts that it rests on: without its top fact, the cause is never surer, and mostly less."""

import pytest

from agents.diagnostics import Diagnostics
from causal.attribution import warm_up
from domain.agents import Case
from domain.diagnosis import Diagnosis, FaultKind
from domain.evidence import Evidence, EvidenceKind
from tests.agents.diagnosed_network import Tools, stage
from twin.generator import operator_network
from twin.incidents import IncidentGenerator

FAULTS = (FaultKind.LINK_DOWN, FaultKind.NODE_DOWN, FaultKind.PROCESS_HUNG, FaultKind.CELL_SLEEPING)


@pytest.fixture(scope="module")
def network() -> IncidentGenerator:
    warm_up()
    return IncidentGenerator(operator_network(5, 200))


def without(case: Case, fact: Evidence) -> Case:
    """Return the case without one fact, and without what it was taken from."""
    anomalies = tuple(
        one for one in case.picture.anomalies if (one.element, str(one.metric)) != (fact.element, fact.metric)
    )
    silent = case.picture.silent - ({fact.element} if fact.kind is EvidenceKind.SILENCE else set())
    return case.but(
        alarms=tuple(alarm for alarm in case.alarms if alarm.id != fact.ref),
        evidence=tuple(item for item in case.evidence if item.id != fact.id),
        picture=case.picture.but(anomalies=anomalies, silent=silent),
    )


def confidence(diagnosis: Diagnosis, element: str) -> float:
    return next((cause.confidence for cause in diagnosis.causes if cause.element == element), 0.0)


def drop_of(tools: Tools, case: Case) -> float:
    """Return by how much the top cause's confidence falls without the first fact that is cited for it."""
    before = Diagnostics(tools).diagnose(case)
    assert before.top is not None
    fact = next(item for item in case.evidence if item.id == before.top.evidence_ids[0])
    after = Diagnostics(tools).diagnose(without(case, fact))
    return before.top.confidence - confidence(after, before.top.element)


@pytest.mark.slow
def test_without_its_top_fact_a_cause_is_less_sure(network: IncidentGenerator) -> None:
    drops = {}
    for fault in FAULTS:
        places = network.places[fault]
        drops[fault] = drop_of(*stage(network, places[len(places) // 2], fault))

    assert all(drop >= -0.005 for drop in drops.values())
    assert sum(drop > 0 for drop in drops.values()) * 2 > len(drops)
