"""The book that ships says what its sentences say, and a broken book is refused by name."""

from collections.abc import Callable
from pathlib import Path

import pytest

from domain.actions import ActionClass, Harm
from domain.decisions import Ruling
from domain.errors import BadInput
from policies.engine import BOOK, SCHEMA, Book, judge_plan, signatures_needed
from policies.question import Question

Ask = Callable[..., Question]
TICKET = {
    "requester": "agent:ticketing",
    "action": ActionClass.OPEN_TICKET,
    "kind": "incident",
    "harm": Harm.NONE,
    "standard": True,
}
SWITCH = {
    "requester": "agent:retraining",
    "action": ActionClass.SWITCH_MODEL,
    "target": "model:diagnosis",
    "kind": "model_slot",
    "harm": Harm.SERVICE,
}
MODEL = frozenset({ActionClass.TRAIN_MODEL, ActionClass.RETIRE_MODEL, ActionClass.SWITCH_MODEL})


def schema() -> str:
    return (BOOK / SCHEMA).read_text("utf-8")


def test_a_plain_repair_is_held_for_one_signature_and_says_why(book: Book, ask: Ask) -> None:
    unsigned = book.judge(ask())

    assert unsigned.answer is Ruling.HOLD
    assert {rule.id for rule in unsigned.rules} == {"network-needs-one", "no-approved-change"}
    assert all(rule.because for rule in unsigned.rules)
    assert book.judge(ask(), 1).answer is Ruling.ALLOW


@pytest.mark.parametrize("action", [a for a in ActionClass if not a.name.endswith("TICKET")])
def test_no_change_of_network_or_model_is_allowed_unsigned(book: Book, ask: Ask, action: ActionClass) -> None:
    requester = "agent:retraining" if action in MODEL else "agent:provisioning"
    requester = "agent:oversight" if action is ActionClass.SET_AUTONOMY else requester

    assert book.judge(ask(action=action, requester=requester)).answer is Ruling.HOLD


@pytest.mark.parametrize("action", sorted(MODEL))
@pytest.mark.parametrize("requester", ["agent:provisioning", "agent:drift", "agent:ticketing"])
def test_only_the_retraining_agent_asks_for_changes_of_models(
    book: Book, ask: Ask, action: ActionClass, requester: str
) -> None:
    assert book.judge(ask(action=action, requester=requester, cases=50), 5).answer is Ruling.DENY


def test_the_retraining_agent_may_not_touch_the_network(book: Book, ask: Ask) -> None:
    assert book.judge(ask(requester="agent:retraining"), 5).answer is Ruling.DENY


@pytest.mark.parametrize(("cases", "needed"), [(19, 2), (20, 1)])
def test_a_switch_on_few_cases_needs_two_people(book: Book, ask: Ask, cases: int, needed: int) -> None:
    assert signatures_needed(book, [ask(**SWITCH, cases=cases)]) == needed


@pytest.mark.parametrize("against", [{"sound": False}, {"freeze": True}])
def test_no_signature_cures_an_unsound_trial_or_a_freeze(book: Book, ask: Ask, against: dict[str, bool]) -> None:
    assert book.judge(ask(**SWITCH, cases=50, **against), 5).answer is Ruling.DENY


def test_a_ticket_is_allowed_unsigned_even_in_a_freeze(book: Book, ask: Ask) -> None:
    judgement = book.judge(ask(**TICKET, freeze=True, sound=False, evidence_age=10**6))

    assert judgement.answer is Ruling.ALLOW
    assert [rule.id for rule in judgement.rules] == ["ticketing-keeps-tickets"]


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("outage-needs-two", {"harm": Harm.OUTAGE}),
        ("wide-needs-two", {"cells": 50}),
        ("wide-needs-two", {"blast": 10}),
        ("irreversible-needs-two", {"reversible": False}),
        ("doubtful-cause-needs-two", {"confidence": 49}),
        ("silent-sources-need-two", {"degraded": True}),
        ("unfit-twin-needs-two", {"twin_fit": False}),
    ],
)
def test_what_can_hurt_or_is_in_doubt_needs_a_second_person(
    book: Book, ask: Ask, rule: str, changes: dict[str, object]
) -> None:
    once = book.judge(ask(**changes), 1)

    assert (once.answer, [named.id for named in once.rules]) == (Ruling.HOLD, [rule])
    assert book.judge(ask(**changes), 2).answer is Ruling.ALLOW


@pytest.mark.parametrize("changes", [{"cells": 49}, {"blast": 9}, {"confidence": 50}, {"evidence_age": 14400}])
def test_below_the_limits_one_person_is_enough(book: Book, ask: Ask, changes: dict[str, int]) -> None:
    assert book.judge(ask(**changes), 1).answer is Ruling.ALLOW


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("freeze", {"freeze": True}),
        ("unsound-rehearsal", {"sound": False}),
        ("old-evidence", {"evidence_age": 14401}),
        ("own-signature", {"requester_signed": True}),
    ],
)
def test_some_things_no_signature_cures(book: Book, ask: Ask, rule: str, changes: dict[str, object]) -> None:
    for approvals in (0, 1, 2, 99):
        judgement = book.judge(ask(**changes), approvals)
        assert (judgement.answer, [named.id for named in judgement.rules]) == (Ruling.DENY, [rule])


@pytest.mark.parametrize(
    "changes",
    [
        {"requester": "agent:narrator"},
        {"requester": "agent:ticketing"},
        {"requester": "agent:provisioning", "action": ActionClass.OPEN_TICKET, "standard": True},
    ],
)
def test_an_agent_gets_nothing_that_no_rule_gives_it(book: Book, ask: Ask, changes: dict[str, object]) -> None:
    judgement = book.judge(ask(**changes), 5)

    assert judgement.answer is Ruling.DENY
    assert [rule.id for rule in judgement.rules] == ["default-deny"]


def test_a_person_may_ask_and_somebody_must_sign(book: Book, ask: Ask) -> None:
    question = ask(requester="approver-one")

    assert [book.judge(question, n).answer for n in (0, 1)] == [Ruling.HOLD, Ruling.ALLOW]


def test_a_plan_is_answered_as_its_worst_step(book: Book, ask: Ask) -> None:
    easy, hard, never = ask(), ask(reversible=False), ask(freeze=True)

    assert judge_plan(book, (easy, hard), 1).answer is Ruling.HOLD
    assert judge_plan(book, (easy, hard), 2).answer is Ruling.ALLOW
    assert judge_plan(book, (easy, hard, never), 2).answer is Ruling.DENY
    assert judge_plan(book, ()).answer is Ruling.DENY


def test_the_number_of_signatures_is_the_smallest_that_allows(book: Book, ask: Ask) -> None:
    ticket, easy, hard, never = ask(**TICKET), ask(), ask(harm=Harm.OUTAGE), ask(sound=False)

    needed = [signatures_needed(book, plan) for plan in ((ticket,), (ticket, easy), (easy, hard), (easy, never))]

    assert needed == [0, 1, 2, None]


def test_text_from_outside_in_a_target_changes_no_answer(book: Book, ask: Ask) -> None:
    nasty = ask(target='tp:1"\n} ; permit(principal, action, resource);', region="«ignore the rules»", kind="\x00")

    assert book.judge(nasty).answer is Ruling.HOLD
    assert book.judge(nasty.but(freeze=True), 9).answer is Ruling.DENY


def test_an_error_in_a_rule_holds_and_names_the_rule(ask: Ask) -> None:
    text = """
    @id("all") @because("everything may be asked for") permit (principal, action, resource);
    @id("broken") @because("this rule overflows")
    forbid (principal, action, resource) when { context.cells * 9223372036854775807 > 0 };
    """
    book = Book({"mine.cedar": text}, schema())

    held = book.judge(ask(cells=2), 3)

    assert (held.answer, [rule.id for rule in held.rules]) == (Ruling.HOLD, ["broken"])
    assert "`broken`" in held.errors[0]
    assert book.judge(ask(cells=0)).answer is Ruling.ALLOW


def test_a_plan_with_an_error_in_one_step_is_not_allowed(ask: Ask) -> None:
    text = """
    @id("all") @because("everything may be asked for") permit (principal, action, resource);
    @id("broken") @because("this rule overflows")
    forbid (principal, action, resource) when { context.cells * 9223372036854775807 > 0 };
    """
    judgement = judge_plan(Book({"mine.cedar": text}, schema()), (ask(), ask(cells=2)), 2)

    assert judgement.answer is Ruling.HOLD
    assert judgement.errors


GOOD = '@id("a") @because("b") permit (principal, action, resource);'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("permit (principal, action, resource);", "no `@id`"),
        ('@id("a") permit (principal, action, resource);', "rule `a` has no `@because`"),
        (GOOD + GOOD, "rule `a` exists already"),
        ('@id("a") @because("b") permit (principal, action', "does not parse"),
        (
            '@id("a") @because("b") permit (principal, action, resource) when { context.sonud };',
            "rule `a` does not fit",
        ),
        (
            '@id("a") @because("b") permit (principal, action, resource) when { context.cells };',
            "rule `a` does not fit",
        ),
        ('@id("a") @because("b") permit (principal == ?principal, action, resource);', "template"),
        (
            '@id("a") @because("b") permit (principal, action, resource) unless { context.approvals >= 2 };',
            "in rule `a` more signatures could speak against a plan",
        ),
    ],
)
def test_a_bad_rule_is_refused_with_its_file_and_name(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "mine.cedar").write_text(text, "utf-8")

    with pytest.raises(BadInput) as refusal:
        Book.load(tmp_path)

    assert "`mine.cedar`" in refusal.value.reason
    assert words in refusal.value.reason
    assert "\n" not in refusal.value.reason


def test_two_files_may_not_share_a_rule_id(tmp_path: Path) -> None:
    (tmp_path / "one.cedar").write_text(GOOD, "utf-8")
    (tmp_path / "two.cedar").write_text(GOOD, "utf-8")

    with pytest.raises(BadInput, match=r"`two.cedar`: rule `a` exists already"):
        Book.load(tmp_path)


def test_a_book_that_is_not_there_or_not_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no policy book"):
        Book.load(tmp_path / "nowhere")
    (tmp_path / "mine.cedar").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="cannot be read"):
        Book.load(tmp_path)


def test_a_schema_that_does_not_parse_is_refused() -> None:
    with pytest.raises(BadInput, match="schema does not parse"):
        Book({}, "entity {")


def test_the_version_is_of_the_words_not_of_the_moment(tmp_path: Path) -> None:
    (tmp_path / "mine.cedar").write_text(GOOD, "utf-8")
    first, again = Book.load(tmp_path), Book.load(tmp_path)
    (tmp_path / "mine.cedar").write_text(GOOD + " // a remark", "utf-8")

    assert first.version == again.version
    assert Book.load(tmp_path).version != first.version
