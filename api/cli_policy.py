"""Commands of the policy book: check and test one, see what it would change, put it in force, ask why."""

from pathlib import Path
from typing import Annotated, Any

import typer

from api.cli_shared import Account, AsJson, Because, Data, Url, client, show, write_json
from domain.errors import BadInput

_ADMIN, _AUDITOR, _OPERATOR, _VIEWER = "admin", "auditor", "operator", "viewer"
_FAILED = 1

Folder = Annotated[Path | None, typer.Argument(metavar="DIR", help="A folder of rules (the book that ships).")]
Needed = Annotated[Path, typer.Argument(metavar="DIR", help="A folder of rules.")]

policy = typer.Typer(help="The policy book: check, test, compare, explain and load it.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (check, explain, diff, load, activate):
        policy.command(command.__name__)(command)
    policy.command("test")(run_tests)
    policy.command("show")(show_book)
    policy.command("windows")(calendar)
    app.add_typer(policy, name="policy", rich_help_panel="Prove")
    app.command("change-window", rich_help_panel="Declare")(change_window)
    app.command("withdraw", rich_help_panel="Declare")(withdraw)


def check(folder: Folder = None, as_json: AsJson = False) -> None:
    """Read a book and say what is wrong with it: rules that never apply, and doors that stand open."""
    from api.views.policy import findings_view
    from policies.engine import Book
    from policies.linting import Weight, lint

    book = Book.load(folder)
    found = lint(book)
    if as_json:
        write_json(
            {"version": book.version, "rules": len(book.rules), "findings": [f.model_dump(mode="json") for f in found]}
        )
    else:
        show(findings_view(book, found))
    if any(finding.weight is Weight.ERROR for finding in found):
        raise typer.Exit(_FAILED)


def run_tests(folder: Folder = None, as_json: AsJson = False) -> None:
    """Ask a book the cases that lie beside it in `cases/*.toml`; none at all is a failure."""
    from api.views.policy import failures_view
    from policies.cases import load_cases, run_cases
    from policies.engine import BOOK, Book

    cases = load_cases(folder or BOOK)
    failures = run_cases(Book.load(folder), cases)
    if as_json:
        write_json({"cases": len(cases), "failures": [failure.model_dump(mode="json") for failure in failures]})
    else:
        show(failures_view(len(cases), failures))
    if failures:
        raise typer.Exit(_FAILED)


def explain(
    proposal: Annotated[str | None, typer.Argument(help="A proposal's id, or an unambiguous part of it.")] = None,
    question: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A question as TOML, as under `ask` in a book's cases.")
    ] = None,
    book: Annotated[Path | None, typer.Option(metavar="DIR", help="With --question: the book to ask.")] = None,
    signatures: Annotated[int, typer.Option(help="With --question: how many have signed.", min=0)] = 0,
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Say which rules speak for and against a plan at each number of signatures, and what would cure it."""
    from api.views.policy import explanation_view
    from policies.explaining import Explanation

    if (proposal is None) == (question is None):
        raise BadInput("name either a proposal, or a question with --question FILE")
    if question is not None:
        made = _asked(question, book, signatures)
    else:
        door = client(as_, url, data, _VIEWER)
        id = door.get(f"/proposals/{_quoted(str(proposal))}")["proposal"]["id"]
        made = Explanation.model_validate(door.get(f"/policy/explain/{id}"))
    write_json(made.model_dump(mode="json")) if as_json else show(explanation_view(made))


def diff(
    folder: Needed,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="Only decisions made from then on.")] = None,
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """List the recorded decisions that would come out otherwise under the book of a folder."""
    from api.views.policy import history_view
    from control_plane.policy.history import History

    body: dict[str, Any] = {"files": _files(folder)} | ({"since": since} if since else {})
    found = client(as_, url, data, _AUDITOR).post("/policy/diff", body)
    write_json(found) if as_json else show(history_view(History.model_validate(found)))


def load(folder: Needed, as_: Account = None, url: Url = None, data: Data = None, as_json: AsJson = False) -> None:
    """Send a book to the server, which checks it and writes the notice of what it would change."""
    from api.views.policy import notice_view
    from domain.keeping import PolicyNotice

    made = client(as_, url, data, _ADMIN).post("/policy/load", {"files": _files(folder)})
    if as_json:
        write_json(made)
        return
    show(notice_view(str(made["id"]), PolicyNotice.model_validate(made["notice"])))


def activate(
    version: Annotated[str, typer.Argument(help="A loaded book's version, or its beginning.")],
    notice: Annotated[str, typer.Option(metavar="DIGEST", help="The notice that you have read, or its beginning.")],
    because: Because,
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Put a loaded book in force. What waits is judged again; grants under the old book are void."""
    door = client(as_, url, data, _ADMIN)
    fits = [book for book in door.get("/policy")["offered"] if book["version"].startswith(version)]
    if len(fits) != 1:
        raise BadInput(f"{len(fits)} loaded books begin with `{version}`; `nocturne policy show` lists them")
    digest = fits[0]["notice_digest"] if len(notice) >= 8 and fits[0]["notice_digest"].startswith(notice) else notice
    if len(digest) != 64:
        raise BadInput("this is not the notice of this book; read it with `nocturne policy show` and give its digest")
    body = {"version": fits[0]["version"], "notice_digest": digest, "because": because}
    made = door.post("/policy/activate", body)
    write_json(made) if as_json else typer.echo(f"in force: {made['id'][:16]}")


def show_book(as_: Account = None, url: Url = None, data: Data = None, as_json: AsJson = False) -> None:
    """Show the book in force, and the books that wait with their notices."""
    from api.views.policy import book_view
    from control_plane.policy.desk import PolicyView

    found = client(as_, url, data, _VIEWER).get("/policy")
    write_json(found) if as_json else show(book_view(PolicyView.model_validate(found)))


def calendar(as_: Account = None, url: Url = None, data: Data = None, as_json: AsJson = False) -> None:
    """Show the change windows and freezes that are not over."""
    from api.views.policy import calendar_view

    found = client(as_, url, data, _VIEWER).get("/change-windows")
    write_json(found) if as_json else show(calendar_view(found["windows"], found["freezes"]))


def change_window(
    region: Annotated[str, typer.Argument(help="The region that takes changes then, and not outside its windows.")],
    because: Because,
    end: Annotated[str, typer.Option("--to", metavar="TIME", help="End, for example 2026-01-31T12:00:00Z.")],
    start: Annotated[str, typer.Option("--from", metavar="TIME", help="Start, for example 2026-01-31T10:00:00Z.")],
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Declare a time in which a region takes changes; from then on it takes them in its windows only."""
    body = {"region": region, "because": because, "starts_at": start, "ends_at": end}
    _tell(client(as_, url, data, _OPERATOR).post("/change-windows", body), as_json)


def withdraw(
    id: Annotated[str, typer.Argument(help="The id of a freeze (`freeze_…`) or change window (`window_…`).")],
    because: Because,
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Take a freeze or a change window back."""
    shelf = "freezes" if id.startswith("freeze_") else "change-windows"
    path = f"/{shelf}/{_quoted(id)}/withdraw"
    _tell(client(as_, url, data, _OPERATOR).post(path, {"because": because}), as_json)


def _asked(file: Path, folder: Path | None, signatures: int) -> Any:
    import tomllib

    from pydantic import ValidationError

    from policies.engine import Book
    from policies.explaining import explain
    from policies.question import Question

    try:
        question = Question.model_validate(tomllib.loads(file.read_text("utf-8")))
    except OSError as error:
        raise BadInput(f"the file `{file}` cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"`{file}` does not parse: {error}; mend it") from None
    except ValidationError as error:
        first = error.errors()[0]
        raise BadInput(f"`{file}`: {'.'.join(map(str, first['loc']))}: {first['msg']}; mend the question") from None
    return explain(Book.load(folder), (question,), signatures)


def _files(folder: Path) -> dict[str, str]:
    """Read a book's rules, and refuse here already what the server would refuse."""
    from policies.engine import Book
    from policies.reading import read_texts

    Book.load(folder)
    return read_texts(folder)


def _tell(made: dict[str, Any], as_json: bool) -> None:
    from api.views.text import plain

    if as_json:
        write_json(made)
        return
    state = "withdrawn" if made.get("withdrawn_at") else f"until {made['ends_at']}"
    typer.echo(f"{plain(made['id'])}: {plain(made['region']) or 'everywhere'} {plain(state)}")


def _quoted(id: str) -> str:
    from urllib.parse import quote

    return quote(id, safe="")
