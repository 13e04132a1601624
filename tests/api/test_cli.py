"""The command line, as its users meet it: over a real connection to a door with a small house behind it."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from api import cli_tools
from api.cli import app, main
from api.client import ADDRESS
from api.http.app import create_app
from api.identities import IDENTITIES, write_identities
from api.logs import configure
from domain.errors import BadInput, NotFound, Refused
from domain.identity import Role
from tests.served import served as serving

NAMES = {"viewer": "viewer", "operator": "operator", "approver-one": "approver", "auditor": "auditor"}

PANELS = ("Run", "Look", "Decide", "Declare", "Prove", "Measure", "Networks")


@pytest.fixture
def served(house, settings, tmp_path, own_logging):
    """The fake house behind a real socket; the data folder holds its address and the demo's identities."""
    configure("error", house.clock)
    with serving(create_app(house, settings)) as url:
        (tmp_path / ADDRESS).write_text(f"{url}\n")
        write_identities(tmp_path / IDENTITIES, {name: f"token-{role}" for name, role in NAMES.items()})
        yield house


@pytest.fixture
def nocturne(tmp_path, monkeypatch):
    """Return `nocturne(*words)`: what the command wrote, its status, and the error it ended with."""
    for name in [name for name in os.environ if name.startswith("NOCTURNE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NOCTURNE_DATA", str(tmp_path))

    def run(*words: str):
        result = CliRunner().invoke(app, list(words))
        return SimpleNamespace(text=result.output, status=result.exit_code, error=result.exception)

    return run


def test_help_is_a_table_of_contents_that_loads_nothing_heavy():
    look = (
        "import sys; sys.argv = ['nocturne', '--help']\n"
        "from api.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(sorted({'numpy', 'langgraph', 'dowhy', 'fastapi', 'sqlalchemy', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    places = [done.stdout.index(f" {panel} ") for panel in PANELS]
    assert places == sorted(places)
    for command in ("serve", "inbox", "approve", "planned-work", "audit", "bench", "network"):
        assert f"│ {command} " in done.stdout


def test_inbox_lists_what_waits_and_how_to_look_at_it(served, nocturne):
    said = nocturne("inbox")
    assert said.status == 0
    assert "nocturne show prop_01abcdef" in said.text
    assert "1 of 2" in said.text


def test_show_prints_the_card(served, nocturne):
    said = nocturne("show", "prop_01abcdef")
    assert 'nocturne approve prop_01abcdef --because "…"' in said.text
    assert "interface_up tp:a" in said.text


def test_show_falls_back_to_the_incident(served, nocturne):
    served.queries.answers["card"] = NotFound("there is no proposal `inc_01abcdef`")
    assert "inc_01abcdef" in nocturne("show", "inc_01abcdef").text


def test_approve_signs_the_plan_that_was_fetched_as_the_first_approver(served, nocturne, words):
    said = nocturne("approve", "01abcdef", "--because", "looks right")
    assert said.status == 0, said.text
    name, who, args, _named = served.commands.calls[-1]
    assert (name, who.name) == ("approve", "approver")
    assert args == ("prop_01abcdef", "looks right", words.plan.digest)


def test_change_sends_the_plan_of_a_file(served, nocturne, words, tmp_path):
    file = tmp_path / "plan.json"
    file.write_text(words.plan.model_dump_json())
    assert nocturne("change", "01abcdef", "--because", "so", "--plan", str(file)).status == 0
    assert served.commands.calls[-1][2] == ("prop_01abcdef", words.plan, "so")


@pytest.mark.parametrize(
    ("line", "command", "account"),
    [
        ("reject prop_1 --because no", "reject", "approver"),
        ("defer prop_1 --because later --minutes 5", "defer", "approver"),
        ("stop prop_1 --because halt", "stop", "operator"),
        ("settle step_1 --because seen --happened", "settle_doubt", "operator"),
        ("close inc_1 --because over", "close_incident", "operator"),
    ],
)
def test_a_decision_is_one_command_of_the_house(served, nocturne, line, command, account):
    served.commands.answers["settle_doubt"] = {"id": "step_1", "state": "done"}
    assert nocturne(*line.split()).status == 0
    name, who, _args, _named = served.commands.calls[-1]
    assert (name, who.name) == (command, account)


def test_declarations_reach_the_house(served, nocturne):
    served.commands.answers |= {
        name: {"id": "x", "ends_at": "e"} for name in ("declare_planned_work", "declare_freeze")
    }
    end = "2126-01-31T12:00:00Z"
    nocturne("planned-work", "c1", "--element", "tp:a", "--element", "tp:b", "--expected", "link_down", "--to", end)
    nocturne("freeze", "--because", "feast", "--to", end)
    assert [call[0] for call in served.commands.calls] == ["declare_planned_work", "declare_freeze"]
    assert served.commands.calls[0][2][1] == ("tp:a", "tp:b")


@pytest.mark.parametrize(
    "words_", ["inbox", "incidents", "state", "tallies", "quarantine", "audit show", "audit verify"]
)
def test_json_is_what_the_server_said(served, nocturne, words_):
    said = nocturne(*words_.split(), "--json")
    assert said.status == 0, said.text
    json.loads(said.text)


@pytest.mark.parametrize("words_", ["incidents", "state", "tallies", "quarantine", "audit show", "audit verify"])
def test_each_look_has_a_form_for_people(served, nocturne, words_):
    said = nocturne(*words_.split())
    assert said.status == 0, said.text
    assert said.text.strip()


def test_ask_shows_what_the_answer_rests_on(served, nocturne):
    said = nocturne("ask", "why?")
    assert "tp:a was locked.  [ev_1]" in said.text
    assert "written by software" in said.text


def test_a_broken_record_is_exit_status_1(served, nocturne):
    verdict = {"records": 7, "verified": False, "first_bad": "default:000000000003", "reason": "altered"}
    served.desks.audit.answers["verify"] = verdict
    said = nocturne("audit", "verify")
    assert said.status == 1
    assert "default:000000000003" in said.text


def test_a_refusal_is_shown_in_the_words_of_the_house(served, nocturne):
    served.commands.answers["reject"] = Refused("nobody approves their own proposal")
    said = nocturne("reject", "prop_1", "--because", "no")
    assert (said.status, said.error.reason) == (1, "nobody approves their own proposal")


def test_without_a_server_it_says_what_to_do(nocturne, tmp_path):
    write_identities(tmp_path / IDENTITIES, {"viewer": "t"})
    said = nocturne("inbox", "--url", "http://127.0.0.1:9")
    assert "nocturne serve --demo" in said.error.reason


def test_without_an_identity_it_says_what_to_do(nocturne):
    said = nocturne("inbox")
    assert "NOCTURNE_TOKEN" in said.error.reason


def test_identities_are_for_their_owner_only(nocturne, tmp_path):
    path = tmp_path / IDENTITIES
    write_identities(path, {"viewer": "t"})
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    assert isinstance(nocturne("inbox").error, Refused)


def test_a_token_of_the_environment_wins_over_the_default_identity(served, nocturne, monkeypatch):
    monkeypatch.setenv("NOCTURNE_TOKEN", "token-operator")
    nocturne("inbox")
    assert served.queries.calls[-1][1].roles == {Role.OPERATOR}


def test_an_expected_error_is_one_line_and_status_1(nocturne, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["nocturne", "inbox"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith("nocturne: who is asking?")


RESULT = {
    "bench": "fast",
    "figures": {"p50_s": 0.5},
    "baselines": {"slow": {"p50_s": 2.0}},
    "conditions": {},
    "seconds": 1.0,
}


@pytest.fixture
def benches(monkeypatch):
    """Two benches: one that measures, and one that could not run."""

    def fast(quick, data, progress):
        progress("measuring")
        return RESULT | {"quick": quick}

    def broken(quick, data, progress, topology=None, demands=None):
        raise BadInput(f"there is nothing to measure{f' in {topology} and {demands}' if topology else ''}")

    points = [SimpleNamespace(name=name, load=lambda run=run: run) for name, run in (("fast", fast), ("odd", broken))]
    monkeypatch.setattr(cli_tools, "entry_points", lambda group: points)
    monkeypatch.setattr(cli_tools, "quiet_logs", lambda: None)


def test_a_bench_prints_one_object_and_progress_elsewhere(benches, nocturne):
    result = CliRunner().invoke(app, ["bench", "fast", "--json", "--quick"])
    assert json.loads(result.stdout) == RESULT | {"quick": True}
    assert result.stderr == "measuring\n"


def test_a_bench_that_could_not_run_says_so_and_fails(benches, nocturne):
    result = CliRunner().invoke(app, ["bench", "odd", "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {"code": "bad_input", "reason": "there is nothing to measure"}


def test_a_network_of_ones_own_goes_to_benches_that_take_one(benches, nocturne):
    files = ("--topology", "t.json", "--demands", "d.json")
    assert nocturne("bench", "odd", *files).error.reason == "there is nothing to measure in t.json and d.json"
    assert "the bench `fast` measures on no network" in nocturne("bench", "fast", *files).error.reason


def test_figures_stand_beside_their_baselines(benches, nocturne):
    said = nocturne("bench", "fast").text
    assert "slow" in said
    assert ["p50_s", "0.5", "2"] in [line.split() for line in said.splitlines()]


def test_bench_list_names_them_and_an_unknown_one_is_refused(benches, nocturne):
    assert nocturne("bench", "list").text.split() == ["fast", "odd"]
    assert "fast, odd" in nocturne("bench", "nope").error.reason
