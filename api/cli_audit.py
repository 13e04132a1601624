"""Commands of the audit room: read the record, verify and prove it, empty a field of it, take it away."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli_shared import Account, AsJson, Because, Data, Url, client, note, show, write_json

if TYPE_CHECKING:
    from api.client import Client

_AUDITOR, _ADMIN, _READER = "auditor", "admin", "viewer"

Actor = Annotated[str | None, typer.Option(help="Only what this account did.")]
Kind = Annotated[str | None, typer.Option(help="Only this kind, for example gate.proposal.approved, or gate.*")]
Element = Annotated[str | None, typer.Option(help="Only what names this element of the network.")]
Residency = Annotated[str | None, typer.Option(help="Only data that belongs in this region.")]
Since = Annotated[str | None, typer.Option(help="From this moment on, for example 2026-01-31T12:00:00Z.")]
Until = Annotated[str | None, typer.Option(help="Up to this moment.")]
Ref = Annotated[str | None, typer.Argument(help="Only what mentions this id.")]
RecordId = Annotated[str, typer.Argument(help="A record: its id, or its number alone.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    audit = typer.Typer(help="Follow the record, prove what is in it, take it away.", no_args_is_help=True)
    commands = (verify, show_records, trail, lineage, checkpoints, sign, keys, rotate, prove, growth, redact)
    names = {show_records: "show", rotate: "rotate-key"}
    for command in (*commands, export, bundle):
        audit.command(names.get(command, command.__name__))(command)
    app.add_typer(audit, name="audit", rich_help_panel="Prove")


def verify(
    quick: Annotated[bool, typer.Option("--quick", help="Only from the newest signed checkpoint on.")] = False,
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Follow the chain of records and name the first bad one; exit status 1 if there is one."""
    from api.views import reports

    found = client(as_, url, data, _AUDITOR).get("/audit/verify", full=str(not quick).lower())
    if as_json:
        write_json(found)
    else:
        show(reports.verdict(found))
    if not found["verified"]:
        raise typer.Exit(1)


def show_records(
    ref: Ref = None,
    actor: Actor = None,
    kind: Kind = None,
    element: Element = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(help="At most so many rows.", min=1, max=1000)] = 100,
    after: Annotated[int, typer.Option(help="From behind the record of this number.", min=0)] = 0,
    as_: Account = None,
    url: Url = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """What was recorded, oldest first: of an id, by whom, what, where and when."""
    asked = {"ref": ref, "actor": actor, "kind": kind, "element": element, "since": since, "until": until}
    rows = client(as_, url, data, _AUDITOR).get("/audit", **asked, limit=limit, after=after)
    if as_json:
        write_json(rows)
        return
    from api.views import reports
    from domain.records import Record

    show(reports.records([Record.model_validate(row) for row in rows]))


def trail(
    id: Annotated[str, typer.Argument(help="An action, or anything of its life; with --forward a raw event.")],
    forward: Annotated[bool, typer.Option("--forward", help="From a raw event to all that rested on it.")] = False,
    as_: Account = None,
    url: Url = None,
    data: Data = None,
) -> None:
    """Everything behind an action, down to raw events; or all that rested on a raw event. As JSON."""
    write_json(_auditor(as_, url, data).get(f"/audit/trail/{_quoted(id)}", forward=str(forward).lower()))


def lineage(
    id: Annotated[str, typer.Argument(help="A proposal or an incident, or a part of its id.")],
    as_: Account = None,
    url: Url = None,
    data: Data = None,
) -> None:
    """Everything behind a proposal, down to raw events, and what came of it, as JSON."""
    write_json(client(as_, url, data, _READER).get(f"/lineage/{_quoted(id)}"))


def checkpoints(as_: Account = None, url: Url = None, data: Data = None, as_json: AsJson = False) -> None:
    """The signed heads of the chain, as the second place has them."""
    rows = _auditor(as_, url, data).get("/audit/checkpoints")
    if as_json:
        write_json(rows)
        return
    from api.views import reports

    show(reports.rows([{name: row[name] for name in ("sequence", "made_at", "key_id", "head")} for row in rows]))


def sign(as_: Account = None, url: Url = None, data: Data = None) -> None:
    """Sign the head of the chain now."""
    write_json(_auditor(as_, url, data).post("/audit/checkpoints", {}))


def keys(as_: Account = None, url: Url = None, data: Data = None) -> None:
    """The public keys by which checkpoints are known."""
    write_json(_auditor(as_, url, data).get("/audit/keys"))


def rotate(because: Because, as_: Account = None, url: Url = None, data: Data = None) -> None:
    """Go on with a new signing key; the old one vouches for it and is destroyed."""
    write_json(client(as_, url, data, _ADMIN).post("/audit/keys/rotate", {"because": because}))


def prove(id: RecordId, as_: Account = None, url: Url = None, data: Data = None) -> None:
    """The proof that a record lies under the newest signed checkpoint, as JSON."""
    write_json(_auditor(as_, url, data).get(f"/audit/{_quoted(id)}/proof"))


def growth(
    first: Annotated[int, typer.Argument(help="The record of the earlier checkpoint.", min=1)],
    second: Annotated[int, typer.Argument(help="The record of the later one.", min=1)],
    as_: Account = None,
    url: Url = None,
    data: Data = None,
) -> None:
    """The proof that the chain under one checkpoint is the beginning of that under a later one, as JSON."""
    write_json(_auditor(as_, url, data).get("/audit/growth", first=first, second=second))


def redact(
    id: RecordId,
    field: Annotated[str, typer.Argument(help="The field that is to be emptied.")],
    because: Because,
    as_: Account = None,
    url: Url = None,
    data: Data = None,
) -> None:
    """Empty one field of a record, for ever; the chain still verifies, and the record says so."""
    body = {"field": field, "because": because}
    write_json(_auditor(as_, url, data).post(f"/audit/{_quoted(id)}/redact", body))


def export(
    format: Annotated[str, typer.Option(help="csv, json (lines) or otlp (OpenTelemetry logs).")] = "json",
    ref: Ref = None,
    actor: Actor = None,
    kind: Kind = None,
    element: Element = None,
    residency: Residency = None,
    since: Since = None,
    until: Until = None,
    as_: Account = None,
    url: Url = None,
    data: Data = None,
) -> None:
    """Write the record to standard output. That it was given out is recorded."""
    asked = {"ref": ref, "actor": actor, "kind": kind, "element": element, "since": since, "until": until}
    content = _auditor(as_, url, data).fetch("/audit/export", format=format, residency=residency, **asked)
    sys.stdout.buffer.write(content)
    sys.stdout.flush()


def bundle(
    folder: Annotated[Path, typer.Argument(help="A folder that does not exist yet, or is empty.")],
    residency: Residency = None,
    as_: Account = None,
    url: Url = None,
    data: Data = None,
) -> None:
    """Take the whole record away, to verify it anywhere without this program."""
    import io
    import zipfile

    from domain.errors import BadInput, Unavailable

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadInput(f"`{folder}` is there already; name a new folder")
    content = _auditor(as_, url, data).fetch("/audit/bundle", residency=residency)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                (folder / Path(name).name).write_bytes(archive.read(name))  # a plain name: it stays in the folder
    except OSError as error:
        raise Unavailable(f"`{folder}` cannot be written: {error.strerror}; name another") from error
    note(f"written to {folder}; verify it with: python {folder}/verify_nocturne.py {folder}")


def _auditor(as_: Any, url: Any, data: Any) -> "Client":
    return client(as_, url, data, _AUDITOR)


def _quoted(id: str) -> str:
    from urllib.parse import quote

    return quote(id, safe="")
