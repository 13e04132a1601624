"""Laws of policies as text: what is written is read back, whatever nodes are called; and a step undoes its inverse."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.actions import SteerDemand
from domain.changes import SetVia
from domain.errors import BadInput
from domain.network import Inventory
from domain.waypoints import ambiguous, policy_of, policy_text
from tests.twin.small_networks import network
from twin.snapshot import Snapshot

#: Some of them look like a policy's text.
NAMES = ("core-2", "core-2@0.40", "core@2", "@", "x@0.40@0.50", "a@1.00", "Ω@0.07")
shares = st.integers(1, 100).map(lambda hundredths: hundredths / 100)
policies = st.one_of(st.just((None, 1.0)), st.tuples(st.sampled_from(NAMES), shares))


@given(st.sets(st.sampled_from(NAMES), min_size=1), policies)
def test_a_policy_is_read_back_as_it_was_written(nodes: set[str], policy: tuple[str | None, float]) -> None:
    via, share = policy
    if via is None or (via in nodes and not ambiguous(via, share, nodes)):
        assert policy_of(policy_text(via, share), nodes) == policy


@pytest.mark.parametrize(
    "text", ["core-2@0.4", "core-2@1.00", "core-2@0.00", "core-2@0.401", "nowhere@0.40", "core-2@"]
)
def test_what_no_policy_writes_names_no_node(text: str) -> None:
    assert policy_of(text, {"core-2"}) == (text, 1.0)


@settings(deadline=None)
@given(policies, policies)
def test_a_step_and_its_inverse_lead_back_to_the_same_digest(
    before: tuple[str | None, float], after: tuple[str | None, float]
) -> None:
    both = [policy for policy in (before, after) if not ambiguous(*policy, NAMES)]
    start = Snapshot.of(named(NAMES)).with_changes([SetVia(demand="d0", via=v, share=s) for v, s in both[:1]])
    via, share = both[-1] if both else (None, 1.0)
    was, part = start.policy("d0")
    step = SteerDemand(target="d0", via=via, share=share, previous_via=was, previous_share=part)

    there = start.with_changes(step.changes())
    back = there.with_changes(step.inverse().changes())

    assert there.policy("d0") == (via, share)
    assert there.value("d0", "via") == step.effect().value
    assert back.digest == start.digest
    assert step.inverse().inverse() == step
    assert SteerDemand.model_validate_json(step.model_dump_json()) == step


def test_a_share_that_reads_like_another_node_is_refused() -> None:
    snapshot = Snapshot.of(named(("core-2", "core-2@0.40", "z")))

    with pytest.raises(BadInput, match=r"`core-2@0.40` is the name of another node"):
        snapshot.with_changes([SetVia(demand="d0", via="core-2", share=0.4)])
    assert snapshot.with_changes([SetVia(demand="d0", via="core-2@0.40")]).policy("d0") == ("core-2@0.40", 1.0)


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        ({"via": None, "share": 0.4}, "nothing to share"),
        ({"via": "b", "share": 0.405}, "two decimals"),
        ({"via": "b", "share": 0.0}, "greater than or equal to 0.01"),
        ({"via": "b", "share": 1.01}, "less than or equal to 1"),
    ],
)
def test_impossible_shares_are_refused(wish: dict[str, object], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        SetVia.model_validate({"demand": "d0"} | wish)
    with pytest.raises(ValidationError, match=reason):
        SteerDemand.model_validate({"target": "d0"} | wish)


def test_the_words_for_a_whole_demand_are_what_they_were_before_there_were_shares() -> None:
    step = SteerDemand(target="d0", via="b")

    assert step.model_dump(mode="json") == {"kind": "steer_demand", "target": "d0", "via": "b", "previous_via": None}
    assert step.changes()[0].model_dump(mode="json") == {"kind": "set_via", "demand": "d0", "via": "b"}


def named(names: tuple[str, ...] | list[str]) -> Inventory:
    """A star of these nodes around a hub, and a demand between two others at it."""
    edges = [("hub", name, 1, 10.0) for name in ("from", "to", *names)]
    return network(edges, [("from", "to", 1.0)])
