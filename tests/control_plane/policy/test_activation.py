"""A book comes into force by somebody who read its notice, and by nothing else; a bad one changes nothing."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from control_plane import flow
from control_plane.policy import activation
from control_plane.policy.desk import PolicyDesk, health
from control_plane.policy.in_force import in_force
from control_plane.policy.rejudging import policy_changed
from domain.decisions import Ruling
from domain.errors import BadInput, Conflict, NotFound, Refused
from domain.identity import Principal, Role, Scope
from domain.keeping import PolicyBook
from domain.proposals import ProposalState
from policies.engine import Book
from tests.stage import CULPRIT, Stage

Files = Callable[..., dict[str, str]]

NOBODY_EVER = (
    '@id("moratorium") @because("nothing is changed this week")'
    ' forbid (principal, action in Action::"network_change", resource);'
)
LENIENT = (
    '@id("network-needs-one") @because("somebody should look now and then")'
    ' forbid (principal, action in Action::"network_change", resource) when { context.harm == "outage" }'
    " unless { context.approvals >= 1 };"
)


def put_in_force(desk: PolicyDesk, keeper: Principal, texts: dict[str, str]) -> PolicyBook:
    loaded = desk.load(keeper, texts)
    assert loaded.notice is not None
    return desk.activate(keeper, loaded.id, loaded.notice.digest, "agreed in the weekly board")


def test_a_loaded_book_is_not_in_force(stage: Stage, desk: PolicyDesk, keeper: Principal, files: Files) -> None:
    before = stage.road.book.version

    loaded = desk.load(keeper, files(zz=NOBODY_EVER))

    view = desk.current(keeper)
    assert (view.version, stage.road.book.version) == (before, before)
    assert [offered.version for offered in view.offered] == [loaded.id]


def test_the_notice_says_in_the_rules_own_words_what_changes(desk: PolicyDesk, keeper: Principal, files: Files) -> None:
    texts = files(zz=NOBODY_EVER) | {"30_harm.cedar": "", "20_one_signature.cedar": LENIENT}

    notice = desk.load(keeper, texts).notice

    assert notice is not None
    assert notice.added == ("`moratorium` (forbids): nothing is changed this week",)
    assert [line.split("`")[1] for line in notice.removed] == ["outage-needs-two"]
    assert len(notice.changed) == 1
    assert "somebody should look now and then" in notice.changed[0]
    assert "it said: a change of the network needs the signature" in notice.changed[0]
    assert "when it applies is changed" in notice.changed[0]


def test_the_notice_names_the_recorded_decisions_that_would_have_come_out_otherwise(
    stage: Stage, desk: PolicyDesk, keeper: Principal, files: Files
) -> None:
    held = stage.begin()

    harmless, strict = desk.load(keeper, files()).notice, desk.load(keeper, files(zz=NOBODY_EVER)).notice

    assert harmless is not None
    assert strict is not None
    assert (harmless.decisions, harmless.asked) == ((), 1)
    assert strict.decisions == (f"{held.id}: hold would be deny (nothing is changed this week)",)


def test_without_the_notice_no_book_comes_into_force(
    stage: Stage, desk: PolicyDesk, keeper: Principal, files: Files
) -> None:
    first, second = desk.load(keeper, files(zz=NOBODY_EVER)), desk.load(keeper, files(yy=NOBODY_EVER))
    assert first.notice is not None
    assert second.notice is not None

    with pytest.raises(Conflict, match="not the notice of this book"):
        desk.activate(keeper, first.id, "0" * 64, "trust me")
    with pytest.raises(NotFound, match="is loaded"):
        desk.activate(keeper, "f" * 64, first.notice.digest, "trust me")
    own = stage.road.book.version
    with pytest.raises(Conflict, match="in force already"):
        desk.activate(keeper, own, first.notice.digest, "again")
    desk.activate(keeper, second.id, second.notice.digest, "read it")
    with pytest.raises(Conflict, match="another book than the one in force"):
        desk.activate(keeper, first.id, first.notice.digest, "read it yesterday")


def test_a_book_in_force_without_a_notice_cannot_come_back_without_one(
    desk: PolicyDesk, stage: Stage, keeper: Principal, files: Files
) -> None:
    first = stage.road.book.version
    put_in_force(desk, keeper, files(zz=NOBODY_EVER))

    with pytest.raises(Conflict, match="has no notice"):
        desk.activate(keeper, first, "0" * 64, "the old one was better")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("permit (principal", "does not parse"),
        ('@id("a") @because("b") permit (principal, action, resource) when { context.mood };', "does not fit"),
        ('@id("a") permit (principal, action, resource);', "no `@because`"),
        ('@id("freeze") @because("b") permit (principal, action, resource);', "exists already"),
    ],
)
def test_a_bad_book_leaves_the_old_one_in_force_and_says_so(
    stage: Stage, desk: PolicyDesk, keeper: Principal, files: Files, text: str, words: str
) -> None:
    before = stage.road.book

    with pytest.raises(BadInput, match=words):
        desk.load(keeper, files(zz=text))

    assert stage.road.book is before
    assert words in stage.queries.health()["policy"]["note"]
    assert stage.queries.health()["policy"]["note"].startswith("old book kept because")
    assert stage.kinds()[-1] == "policy.book.refused"
    desk.load(keeper, files(zz=NOBODY_EVER))
    assert health(stage.road)["note"] == ""


@pytest.mark.parametrize("texts", [{}, {"../x.cedar": "a"}, {"x.txt": "a"}, {"big.cedar": "// " + "x" * 10_000_000}])
def test_what_is_no_book_is_refused(desk: PolicyDesk, keeper: Principal, texts: dict[str, str]) -> None:
    with pytest.raises(BadInput, match=r"empty|no name|bytes together"):
        desk.load(keeper, texts)


def test_a_notice_is_shown_to_nobody_who_may_not_see_the_decisions_that_it_names(
    stage: Stage, desk: PolicyDesk, keeper: Principal, auditor: Principal, files: Files
) -> None:
    held = stage.begin()
    desk.load(keeper, files(zz=NOBODY_EVER))
    far = Scope(regions=frozenset({"elsewhere"}))

    for who in (auditor.but(tenant="other"), auditor.but(scope=far)):
        assert desk.current(who).offered == ()
        assert desk.diff(who, files(zz=NOBODY_EVER)).changed == ()
    assert [change.ref for change in desk.diff(auditor, files(zz=NOBODY_EVER)).changed] == [held.id]
    assert len(desk.current(auditor).offered) == 1


@pytest.mark.parametrize("late", [False, True], ids=["put off", "past its time"])
def test_another_book_grants_nothing_that_was_put_off_or_is_past_its_time(
    stage: Stage, desk: PolicyDesk, keeper: Principal, files: Files, *, late: bool
) -> None:
    held = stage.begin()
    if late:
        stage.clock.advance(stage.road.settings.proposal_s + 1)
    else:
        stage.commands.defer(stage.one, held.id, stage.clock.now() + timedelta(minutes=10), "not now")
    put_in_force(desk, keeper, files(**{"20_one_signature": LENIENT, "21_change_record": None}))

    policy_changed(stage.road, "")

    assert stage.ledger.read(lambda tables: tables.grants.find()) == []


def test_nobody_but_a_keeper_of_the_house_loads_or_activates(stage: Stage, desk: PolicyDesk, files: Files) -> None:
    agent = Principal(id="acc_a", name="agent:provisioning", roles=frozenset({Role.AGENT}))
    foreign = Principal(id="acc_b", name="b", person="b", roles=frozenset({Role.ADMIN}), tenant="other")

    for who in (stage.operator, stage.one, stage.feed, agent, foreign):
        with pytest.raises(Refused):
            desk.load(who, files())
        with pytest.raises(Refused):
            desk.activate(who, "0" * 64, "0" * 64, "please")


def test_what_waits_is_withdrawn_when_the_new_book_forbids_it(
    stage: Stage, desk: PolicyDesk, keeper: Principal, files: Files
) -> None:
    held, held_under = stage.begin(), stage.road.book.version

    active = put_in_force(desk, keeper, files(zz=NOBODY_EVER))
    policy_changed(stage.road, active.id)

    after = stage.proposal()
    assert (after.id, after.state) == (held.id, ProposalState.WITHDRAWN)
    assert "nothing is changed this week" in after.state_reason
    decided = stage.ledger.read(lambda tables: tables.decisions.find(proposal_id=held.id))
    assert {one.judgement.answer for one in decided} == {Ruling.HOLD, Ruling.DENY}
    assert {one.judgement.policy_version for one in decided} == {held_under, active.id}


def test_what_waits_goes_ahead_when_the_new_book_lets_it_pass(
    stage: Stage, desk: PolicyDesk, keeper: Principal, files: Files
) -> None:
    stage.begin()
    texts = files() | {"20_one_signature.cedar": LENIENT, "21_change_record.cedar": ""}

    active = put_in_force(desk, keeper, texts)
    policy_changed(stage.road, active.id)
    policy_changed(stage.road, active.id)

    assert stage.proposal().state is ProposalState.GRANTED
    grants = stage.ledger.read(lambda tables: tables.grants.find())
    assert [grant.policy_version for grant in grants] == [active.id]


def test_what_waits_waits_on_by_the_new_rules(stage: Stage, desk: PolicyDesk, keeper: Principal, files: Files) -> None:
    held = stage.begin()
    two = (
        '@id("two") @because("this week two people sign") forbid (principal, action in Action::"network_change",'
        " resource) unless { context.approvals >= 2 };"
    )

    active = put_in_force(desk, keeper, files(zz=two))
    policy_changed(stage.road, active.id)

    after = stage.proposal()
    assert (after.state, after.decision_id == held.decision_id) == (ProposalState.HELD, False)
    assert stage.queries.card(stage.one, held.id).signatures_needed == 2


def test_a_grant_under_the_old_book_is_void(stage: Stage, desk: PolicyDesk, keeper: Principal, files: Files) -> None:
    proposal = stage.begin()
    stage.commands.approve(stage.one, proposal.id, "plausible")

    put_in_force(desk, keeper, files() | {"zz.cedar": "// the same rules, other words"})
    flow.act(stage.road, proposal.incident_id)

    assert stage.proposal().state is ProposalState.WITHDRAWN
    assert "the policy book changed since the grant" in stage.proposal().state_reason
    assert stage.network.state(CULPRIT)["administrative"] == "locked"


def test_a_process_with_another_book_holds_everything_and_names_both(
    stage: Stage, desk: PolicyDesk, keeper: Principal, files: Files
) -> None:
    old = stage.road.book
    active = put_in_force(desk, keeper, files(zz="// only a remark"))
    stage.road.book = old  # as in another process, which has not looked yet

    held = stage.begin()

    decision = stage.ledger.read(lambda tables: tables.decisions.get(held.decision_id or ""))
    assert decision is not None
    assert held.state is ProposalState.HELD
    assert [rule.id for rule in decision.judgement.rules] == ["books-differ"]
    assert old.version[:16] in decision.judgement.errors[0]
    assert active.id[:16] in decision.judgement.errors[0]
    assert "holds everything" in health(stage.road)["note"]

    activation.refresh(stage.road)
    policy_changed(stage.road, active.id)

    assert stage.road.book.version == active.id
    assert health(stage.road)["note"] == ""
    again = stage.ledger.read(lambda tables: tables.decisions.get(stage.proposal().decision_id or ""))
    assert again is not None
    assert "network-needs-one" in [rule.id for rule in again.judgement.rules]


def test_a_house_that_starts_takes_over_the_book_in_force_and_only_offers_its_own(
    stage: Stage, desk: PolicyDesk, keeper: Principal, files: Files
) -> None:
    active = put_in_force(desk, keeper, files(zz=NOBODY_EVER))
    own = Book(files(yy="// of another release"), stage.road.book.schema)
    stage.road.book = own  # as in a process that starts

    activation.adopt(stage.road)

    assert stage.road.book.version == active.id
    assert [one.version for one in desk.current(keeper).offered] == [own.version]


def test_every_book_that_was_in_force_is_kept_so_that_its_decisions_can_be_made_again(
    stage: Stage, desk: PolicyDesk, keeper: Principal, files: Files
) -> None:
    first = stage.road.book.version
    second = put_in_force(desk, keeper, files(zz=NOBODY_EVER)).id

    for version in (first, second):
        kept = stage.ledger.read(lambda tables, v=version: tables.policy_books.get(v))
        assert kept is not None
        assert Book(kept.files, kept.schema_text).version == version
    row = stage.ledger.read(in_force)
    assert row is not None
    assert (row.version, row.by) == (second, "keeper")
