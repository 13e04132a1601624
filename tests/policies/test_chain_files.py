"""Chains of approval as files: which one a plan gets, and which files are refused, by name and place."""

from collections.abc import Callable
from pathlib import Path

import pytest

from domain.actions import ActionClass, Harm
from domain.autonomy import Band
from domain.errors import BadInput
from domain.identity import Role
from policies.chain_files import FOLDER, Chains
from policies.question import Question

Ask = Callable[..., Question]

REST = """
id = "rest"
because = "the rest"
[[stage]]
id = "approval"
roles = ["approver"]
count = 1
"""


def text(**changes: str) -> str:
    """Return a good chain with a `when`, but for what is given."""
    plain = {"id": "'some'", "because": "'some'", "when": "[[when]]\nharm = ['outage']", "count": "1", "of": "[]"}
    parts = plain | {"roles": "['approver']", "more": ""} | changes
    return (
        f"id = {parts['id']}\nbecause = {parts['because']}\n{parts['when']}\n"
        f"[[stage]]\nid = 'one'\nroles = {parts['roles']}\ncount = {parts['count']}\n"
        f"of = {parts['of']}\n{parts['more']}"
    )


@pytest.mark.parametrize(
    ("changes", "chain"),
    [
        ({}, "ordinary"),
        ({"reversible": False}, "ordinary"),
        ({"harm": Harm.OUTAGE}, "ordinary"),
        ({"band": Band.WIDE}, "ordinary"),
        ({"reversible": False, "harm": Harm.OUTAGE}, "hurts-and-cannot-be-undone"),
        ({"reversible": False, "band": Band.WIDE}, "hurts-and-cannot-be-undone"),
        ({"action": ActionClass.SWITCH_MODEL, "kind": "model_slot"}, "models"),
    ],
)
def test_the_shipped_chains_are_chosen_by_what_could_go_wrong(ask: Ask, changes: dict[str, object], chain: str) -> None:
    plain = {"band": Band.NONE}

    assert Chains.load().of([ask(**plain), ask(**(plain | changes))]).id == chain


def test_what_hurts_and_cannot_be_undone_is_signed_by_two_kinds_of_people_in_order() -> None:
    chain = Chains.load().all[0]

    assert [(stage.roles, stage.count) for stage in chain.stages] == [
        ((Role.ENGINEER,), 1),
        ((Role.CHANGE_MANAGER,), 1),
    ]


def test_the_version_is_that_of_every_word_in_the_files() -> None:
    shipped = Chains.load()
    other = Chains(shipped.texts | {"90_ordinary.toml": shipped.texts["90_ordinary.toml"] + "\n# a remark\n"})

    assert len(bytes.fromhex(shipped.version)) == 32
    assert Chains.load(FOLDER).version == shipped.version != other.version


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ("id = ", "is no TOML"),
        (text(more="mood = 'good'"), "`stage` 1 `mood`"),
        (text(more="[[whenever]]\nharm=['outage']"), "`whenever`"),
        (text(when="[[when]]\nharm = ['awful']"), "`when` 1 `harm`"),
        (text(when="[[when]]\nharmful = true"), "`when` 1 `harmful`"),
        (text(roles="['boss']"), "`stage` 1 `roles`"),
        (text(roles="[]"), "`stage` 1 `roles`"),
        (text(count="0"), "`stage` 1 `count`"),
        (text(count="-1"), "`stage` 1 `count`"),
        (text(count="10"), "`stage` 1 `count`"),
        (text(count="'two'"), "`stage` 1 `count`"),
        (text(count="3", of="['ana', 'ben']"), "3 of 2 different people"),
        (text(count="2", of="['ana', ' ANA']"), "2 of 1 different people"),
        (text(id="''"), "`id`"),
        ("because = 'x'", "`id`"),
        ('id = "a"\nbecause = "b"\n', "`stage`"),
        (text(more="[[stage]]\nid = 'one'\nroles = ['approver']\ncount = 1"), "two stages are called `one`"),
        (text(id="'rest'"), "the chain id `rest` is that of"),
        (text(when=""), "takes every plan"),
    ],
)
def test_a_bad_file_is_refused_by_name_and_place(bad: str, words: str) -> None:
    with pytest.raises(BadInput) as refusal:
        Chains({"10_bad.toml": bad, "90_rest.toml": REST})

    assert words in refusal.value.reason
    assert ".toml`" in refusal.value.reason


def test_without_a_chain_for_the_rest_nothing_is_loaded() -> None:
    with pytest.raises(BadInput, match="other plans would have none"):
        Chains({"10.toml": text()})
    with pytest.raises(BadInput, match="no approval chain at all"):
        Chains({})


def test_a_folder_that_is_not_there_or_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no folder of approval chains"):
        Chains.load(tmp_path / "nowhere")
    (tmp_path / "90.toml").write_bytes(b"id = '\xff'")
    with pytest.raises(BadInput, match="cannot be read"):
        Chains.load(tmp_path)


def test_a_huge_file_is_refused() -> None:
    with pytest.raises(BadInput, match="at most"):
        Chains({"90.toml": REST + "#" * 200_000})
