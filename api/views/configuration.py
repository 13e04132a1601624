"""What the checks of a configuration found, on one screen."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from api.views.text import plain
from api.views.twin import origin
from domain.configuration import ConfigurationFinding, PushReport

_SHOWN_LINES = 6


def report_view(report: PushReport, *, compared: bool) -> RenderableType:
    """Return findings with their lines and remedies; where there is one in force, the difference and the order, too."""
    blocking = sum(finding.blocks for finding in report.findings)
    others = len(report.findings) - blocking
    verdict = f"{blocking} findings block this push, {others} more" if blocking else f"nothing blocks, {others} more"
    lines = [line for finding in report.findings for line in _finding(finding)]
    if compared:
        lines += [*(plain(line, 400) for line in report.diff.splitlines()), _order(report.order)]
    return Group(*map(Text, [*lines, verdict]))


def found_view(found: Mapping[str, Any], *, compared: bool) -> RenderableType:
    """Return the same from plain data; what a running house answered ends with how far its twin is off."""
    report = PushReport.model_validate({name: found[name] for name in PushReport.model_fields})
    said = [Text(origin(found["believed"]))] if "believed" in found else []
    return Group(report_view(report, compared=compared), *said)


def _order(order: tuple[str, ...] | None) -> str:
    if order is None:
        return "no safe order of pushes was found"
    return f"push in this order: {', '.join(map(plain, order))}" if order else "nothing changes"


def _finding(finding: ConfigurationFinding) -> Iterator[str]:
    weight = "BLOCKS" if finding.blocks else finding.severity.value
    yield f"{weight:8} {finding.id}  {plain(finding.message, 400)}"
    for line in finding.lines[:_SHOWN_LINES]:
        yield f"         {plain(line.router)}:{line.number}: {plain(line.text)}"
    if len(finding.lines) > _SHOWN_LINES:
        yield f"         and {len(finding.lines) - _SHOWN_LINES} lines more"
    yield f"         {plain(finding.remedy, 400)}"
