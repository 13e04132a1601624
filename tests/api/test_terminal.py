"""What a person sees of a card, and that nothing from outside can play tricks in a terminal."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from api.views import reports, terminal
from api.views.cards import CardView, IncidentPage
from api.views.text import plain, quoted
from control_plane.cards import Card
from domain.diagnosis import Verdict
from domain.execution import Execution, ExecutionState
from domain.proposals import ProposalState


def drawn(view) -> str:
    out = io.StringIO()
    Console(file=out, width=140, markup=False, emoji=False, highlight=False, force_terminal=True).print(view)
    return out.getvalue()


def as_seen(view) -> str:
    out = io.StringIO()
    Console(file=out, width=140, markup=False, emoji=False, highlight=False).print(view)
    return out.getvalue()


@pytest.fixture
def view(words) -> CardView:
    return CardView.model_validate(words.card.model_dump(mode="json"))


def test_a_card_survives_the_wire_whole(view, words):
    assert set(CardView.model_fields) == set(Card.model_fields)
    assert Card(**{name: getattr(view, name) for name in CardView.model_fields}) == words.card


def test_the_card_shows_all_that_a_decision_needs(view):
    seen = as_seen(terminal.card(view))
    for needed in (
        "Unlock tp:a",
        "91%  tp:a  interface_locked",
        "tp:a: tp:a reported link_down",
        "tp:a → link:1 → demand:1",
        "explains 97%",
        "power of site x",
        "interface_up tp:a  (harm if wrong: low; undone by interface_down tp:a)",
        "cannot be undone",
        "80.0 – 160.0 (90%)",
        "do nothing",
        "a step of this plan cannot be undone",
        "hold",
        "one, 12:00:00 UTC: “looks right”",
        "1 of 2 signatures",
        'nocturne approve prop_01abcdef --because "…"',
    ):
        assert needed in seen


def test_the_commands_fit_the_state(view):
    proposal = view.proposal
    assert [line.split()[1] for line in terminal.next_commands(proposal)] == ["approve", "reject", "change", "defer"]
    running = proposal.but(state=ProposalState.EXECUTING)
    assert [line.split()[1] for line in terminal.next_commands(running)] == ["stop"]


def test_a_command_is_never_broken_over_two_lines(view):
    out = io.StringIO()
    Console(file=out, width=40).print(terminal.card(view), crop=False)
    assert f'  nocturne change {view.proposal.id} --plan FILE --because "…"' in out.getvalue().splitlines()


def test_outside_text_is_quoted_and_harmless(view):
    seen = drawn(terminal.card(view))
    assert "“IF_DOWN \\x1b[31m [bold]<script>”" in seen
    assert "“approve everything \\x1b[2J [red]now[/red]”" in seen
    assert "\x1b[2J" not in seen
    assert "\x1b[31m" not in seen


def test_an_execution_shows_what_each_step_came_to(view, words):
    execution = Execution(
        id="exe_1", proposal_id="p", incident_id="i", grant_id="g", state=ExecutionState.IN_DOUBT, started_at=words.now
    )
    seen = as_seen(terminal.card(view.model_copy(update={"execution": execution})))
    assert "in_doubt" in seen


def test_a_diagnosis_that_changed_meanwhile_is_pointed_out(view):
    newer = view.diagnosis.but(id="diag_2", verdict=Verdict.NO_FAULT)
    seen = as_seen(terminal.card(view.model_copy(update={"latest": newer})))
    assert "a newer diagnosis says: no_fault" in seen
    assert "meanwhile" not in as_seen(terminal.card(view))


def test_an_empty_inbox_says_so():
    assert as_seen(terminal.inbox([])).strip() == "Nothing waits for you."


def test_an_incident_without_a_proposal_can_be_shown(words):
    page = IncidentPage(incident=words.incident, alarms=(words.alarm,))
    seen = as_seen(terminal.incident(page))
    assert "inc_01abcdef" in seen
    assert "none yet" in seen


@given(st.text(max_size=50))
def test_no_text_keeps_a_character_that_a_terminal_obeys(text):
    assert plain(text).isprintable() or not text
    assert quoted(text).startswith("“")


def test_long_text_is_cut():
    assert len(plain("x" * 10_000, 100)) == 100


def test_direction_overrides_are_written_out():
    assert plain("a\u202eb") == "a\\u202eb"


def test_a_story_is_told_in_a_few_lines():
    report = {
        "injected": [{"element": "tp:a", "fault": "interface_locked"}],
        "diagnosis": {"ranked": [{"element": "tp:a", "fault": "interface_locked", "confidence": 0.91}]},
        "proposal": {"title": "Unlock tp:a"},
        "execution": {"state": "settled"},
        "outcome": "restored",
        "audit": {"records": 12, "verified": True},
        "seconds": {"receive": 0.2},
    }
    seen = as_seen(reports.story(report))
    assert "interface_locked at tp:a (91%)" in seen
    assert "restored" in seen
    assert "12 records, every link holds" in seen
    assert seen.count("Unlock tp:a") == 2


def test_what_was_only_proposed_is_not_told_as_done():
    report = {"injected": [], "diagnosis": None, "proposal": {"title": "Unlock tp:a"}, "execution": None}
    report |= {"outcome": "not_ours", "audit": {"records": 1, "verified": True}, "seconds": {}}
    assert as_seen(reports.story(report)).count("Unlock tp:a") == 1
