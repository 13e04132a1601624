"""What a terminal shows of the policy book: rules, findings, notices, explanations and the change calendar."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from api.views.text import plain, quoted
from control_plane.policy.desk import PolicyView
from control_plane.policy.history import History
from control_plane.policy.noticing import told
from domain.keeping import PolicyNotice
from policies.cases import Failure
from policies.engine import Book
from policies.explaining import Explanation, Named, StepExplained
from policies.linting import Finding, Weight

_MOST = 200
_LONG = 400
_STYLES = {Weight.ERROR: "bold red", Weight.WARNING: "yellow", Weight.NOTE: "dim"}


def findings_view(book: Book, found: Sequence[Finding]) -> RenderableType:
    """Return what is to be said of a book that loads."""
    head = Text(f"{len(book.rules)} rules in {len(book.texts)} files, version {book.version[:16]}", style="bold")
    lines = [Text(_finding(finding), style=_STYLES[finding.weight]) for finding in found]
    return Group(head, *(lines or [Text("nothing to say against it")]))


def failures_view(cases: int, failures: Sequence[Failure]) -> RenderableType:
    """Return which cases came out otherwise."""
    head = Text(f"{cases} cases, {len(failures)} failures", style="bold red" if failures else "bold")
    return Group(head, *(Text(f"{plain(one.file)}: {plain(one.name)}: {plain(one.reason, _LONG)}") for one in failures))


def explanation_view(made: Explanation) -> RenderableType:
    """Return why a plan is answered as it is, step by step."""
    needed = "no number of signatures is enough" if made.needed is None else f"allowed with {made.needed} signatures"
    head = Text(
        f"{made.answer} with {made.signatures} signatures; {needed} (book {made.policy_version[:16]})", style="bold"
    )
    return Group(head, *(_step(number, step) for number, step in enumerate(made.steps, 1)))


def history_view(found: History) -> RenderableType:
    """Return the recorded decisions that would be otherwise."""
    head = Text(f"{len(found.changed)} of {found.asked} recorded decisions would come out otherwise", style="bold")
    table = Table("decision", "proposal", "was", "would be", "because", box=None, pad_edge=False)
    for one in found.changed[:_MOST]:
        table.add_row(plain(one.id), plain(one.ref), plain(one.was), plain(one.would_be), plain(one.reason))
    left = [Text(f"not asked: {plain(why)}", style="dim") for why in found.not_asked[:_MOST]]
    return Group(head, *([table] if found.changed else []), *left)


def notice_view(version: str, notice: PolicyNotice) -> RenderableType:
    """Return what a loaded book would change, and how to put it in force."""
    lines = [Text(plain(line, _LONG)) for line in told(notice).splitlines()]
    command = f'nocturne policy activate {version[:16]} --notice {notice.digest[:16]} --because "…"'
    return Group(Text(f"book {version[:16]} is loaded, and not in force", style="bold"), *lines, Text(command))


def book_view(view: PolicyView) -> RenderableType:
    """Return the book in force, and the notices of those that wait."""
    since = f" since {view.since:%Y-%m-%d %H:%M:%S}, by {plain(view.by)}" if view.since else ""
    head = Text(f"in force: {view.version[:16]}{since}", style="bold")
    table = Table("rule", "because", "articles", "file", box=None, pad_edge=False)
    for rule in view.rules:
        table.add_row(plain(rule.id), plain(rule.because, _LONG), plain(", ".join(rule.articles)), plain(rule.file))
    note = [Text(plain(view.note, _LONG), style="bold red")] if view.note else []
    return Group(head, *note, table, *(notice_view(one.version, one.notice) for one in view.offered))


def calendar_view(windows: Sequence[Mapping[str, Any]], freezes: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Return the change windows and freezes that are not over."""
    if not windows and not freezes:
        return Text("No change window and no freeze is declared.")
    table = Table("id", "what", "region", "from", "to", "because", box=None, pad_edge=False)
    for what, rows in (("window", windows), ("freeze", freezes)):
        for row in rows:
            where = plain(row["region"]) or "everywhere"
            table.add_row(plain(row["id"]), what, where, row["starts_at"], row["ends_at"], quoted(row["because"]))
    return table


def _finding(finding: Finding) -> str:
    where = f" {plain(finding.rule)}:" if finding.rule else ""
    return f"{finding.weight}:{where} {plain(finding.reason, _LONG)}"


def _step(number: int, step: StepExplained) -> RenderableType:
    lines = [Text(f"step {number}: {plain(step.action)} on {quoted(step.target)}", style="bold")]
    for answer in step.answers:
        lines.append(Text(f"  with {answer.signatures} signatures: {answer.answer}"))
        lines += [Text(f"    {_named(rule)}") for rule in answer.rules]
        lines += [Text(f"    error: {plain(error, _LONG)}", style="bold red") for error in answer.errors]
    lines += [Text(f"  better {plain(cure)}", style="green") for cure in step.cures]
    return Group(*lines)


def _named(rule: Named) -> str:
    articles = f" [EU AI Act, article {plain(', '.join(rule.articles))}]" if rule.articles else ""
    return f"{plain(rule.id)}: {plain(rule.because, _LONG)}{articles}"
