"""Row 1, with an identity provider: a person approves no plan of their own by another login, account or delegate."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from domain.actions import DrainLink, InterfaceUp
from domain.clock import ManualClock
from domain.proposals import Plan, Proposal
from tests.attacks.ring_house import RingHouse, ring_house
from tests.identity_provider import AGENT, SmallProvider, small_provider
from tests.stage import CULPRIT

PLAN = Plan(steps=(InterfaceUp(target=CULPRIT), DrainLink(target="link:b-c", previous_metric=10)))
ROLE = "noc-approver"


class Stage(NamedTuple):
    house: RingHouse
    provider: SmallProvider

    def token(self, subject: str, **claims: Any) -> str:
        return self.provider.token(subject, ROLE, **({"employee": subject} | claims))

    def post(self, token: str, path: str, body: dict[str, Any]) -> Any:
        return self.house.door.post(path, json=body, headers={"Authorization": f"Bearer {token}"})

    def approve(self, token: str, proposal: Proposal) -> Any:
        return self.post(token, f"/proposals/{proposal.id}/approve", {"because": "it fits"})

    def asked_for_by(self, token: str) -> Proposal:
        """Have somebody ask for another plan, and return the proposal that is theirs now."""
        old = self.house.held()
        body = {"because": "drain first", "plan": PLAN.model_dump(mode="json")}
        assert self.post(token, f"/proposals/{old.id}/change", body).status_code == 200
        self.house.walk()
        return self.house.repairs()[-1]


@pytest.fixture
def stage(clock: ManualClock, tmp_path: Path) -> Iterator[Stage]:
    with small_provider(clock) as provider:
        trust = provider.trust(person_claim="employee", actors={AGENT: {"agent", "approver", "viewer"}})
        house = ring_house(clock, tmp_path, identity="oidc", oidc=trust)
        yield Stage(house, provider)
        house.close()


@pytest.mark.parametrize(
    "again",
    [
        {},
        {"preferred_username": "somebody-else"},
        {"employee": "u-bea"},
        {"subject": "u-ana-at-night", "employee": "u-ana"},
        {"subject": "u-bea", "act": {"sub": "u-ana"}},
        {"azp": AGENT},
        {"subject": "u-bea", "azp": AGENT},
    ],
)
def test_nobody_approves_their_own_plan_by_any_token(stage: Stage, again: dict[str, Any]) -> None:
    proposal = stage.asked_for_by(stage.token("u-ana"))
    stage.token("u-bea")
    answer = stage.approve(stage.token(**({"subject": "u-ana"} | again)), proposal)
    stage.house.walk()

    assert (answer.status_code, answer.json()["code"]) == (403, "refused")
    assert stage.house.network.journal == []
    assert stage.house.records("gate.proposal.refused", about=proposal.id)


def test_another_person_of_the_same_provider_approves_it(stage: Stage) -> None:
    proposal = stage.asked_for_by(stage.token("u-ana"))
    assert stage.approve(stage.token("u-bea"), proposal).status_code == 200
