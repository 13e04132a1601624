"""A plan is explained rule by rule; the past is judged again from its pins alone."""

from collections.abc import Callable

import pytest

from control_plane.judging import brief, rejudge
from control_plane.policy.desk import PolicyDesk
from domain.decisions import Ruling
from domain.errors import NotFound, Refused
from domain.identity import Principal
from policies.engine import Book
from tests.stage import Stage

Files = Callable[..., dict[str, str]]
TWO = (
    '@id("two") @because("two people sign") forbid (principal, action in Action::"network_change", resource)'
    " unless { context.approvals >= 2 };"
)


def test_a_proposal_is_explained_at_each_number_of_signatures(stage: Stage, desk: PolicyDesk) -> None:
    held = stage.begin()

    said = desk.explain(stage.one, held.id)

    (step,) = said.steps
    assert (said.answer, said.needed, said.signatures) == (Ruling.HOLD, 1, 0)
    assert [(one.signatures, one.answer) for one in step.answers] == [
        (0, Ruling.HOLD),
        (1, Ruling.ALLOW),
        (2, Ruling.ALLOW),
    ]
    needs = next(rule for rule in step.answers[0].rules if rule.id == "network-needs-one")
    assert (needs.articles, needs.file) == (("14",), "20_one_signature.cedar")
    assert step.cures[0] == "with 1 signatures"


def test_what_is_not_there_for_the_caller_is_not_explained(stage: Stage, desk: PolicyDesk) -> None:
    held = stage.begin()

    with pytest.raises(NotFound):
        desk.explain(stage.one.but(tenant="other"), held.id)
    with pytest.raises(NotFound):
        desk.explain(stage.one, "prop_nowhere")
    with pytest.raises(Refused):
        desk.explain(stage.feed, held.id)


def test_the_difference_lists_exactly_the_decisions_that_change(
    stage: Stage, desk: PolicyDesk, auditor: Principal, files: Files
) -> None:
    held = stage.begin()
    stage.commands.approve(stage.one, held.id, "plausible")

    same = desk.diff(auditor, files(zz="// a remark"))
    stricter = desk.diff(auditor, files(zz=TWO))
    never = desk.diff(auditor, files(zz='@id("n") @because("never") forbid (principal, action, resource);'))

    assert (same.asked, same.changed, same.not_asked) == (2, (), ())  # that it waits, and that its signature granted it
    assert sorted((one.ref, one.was, one.would_be, one.reason) for one in never.changed) == [
        (held.id, "allow", "deny", "never"),
        (held.id, "hold", "deny", "never"),
    ]
    assert [(one.ref, one.was, one.would_be) for one in stricter.changed] == [(held.id, "allow", "hold")]


def test_the_difference_is_of_the_callers_tenant_and_of_the_time_that_is_asked_about(
    stage: Stage, desk: PolicyDesk, auditor: Principal, files: Files
) -> None:
    stage.begin()
    never = files(zz='@id("n") @because("never") forbid (principal, action, resource);')
    stage.clock.advance(60)

    assert len(desk.diff(auditor, never).changed) == 1
    assert desk.diff(auditor, never, since=stage.clock.now()).asked == 0
    assert desk.diff(auditor.but(tenant="other"), never).asked == 0
    with pytest.raises(Refused):
        desk.diff(stage.feed, never)


def test_a_brief_says_all_that_a_judgement_rests_on(stage: Stage) -> None:
    held = stage.begin()
    about = stage.ledger.read(lambda tables: brief(stage.road, tables, held))
    at, book = stage.clock.now(), stage.road.book

    said = rejudge(book, about, at, 0)

    told = type(about).model_validate_json(about.model_dump_json())
    assert rejudge(Book.load(), told, at, 0) == said
    assert about.policy == book.version
    assert rejudge(book, about.but(collides=True), at, 1).answer is Ruling.HOLD
    assert rejudge(book, about.but(levels=(1,)), at, 0).answer is Ruling.ALLOW
    assert rejudge(book, about.but(residency="a+b"), at, 1).answer is Ruling.HOLD


def test_another_book_is_asked_as_if_it_were_in_force(stage: Stage, files: Files) -> None:
    held = stage.begin()
    about = stage.ledger.read(lambda tables: brief(stage.road, tables, held))
    other, at = Book(files(zz=TWO), stage.road.book.schema), stage.clock.now()

    assert [rule.id for rule in rejudge(other, about, at, 1).rules] == ["books-differ"]
    assert [rule.id for rule in rejudge(other, about.under(other), at, 1).rules] == ["two"]
