"""The rest of what a terminal shows: answers, records, the state of the network, figures of benches."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from api.views.text import plain, quoted
from domain.answers import Answer
from domain.network import Inventory
from domain.records import Record


def answer(said: Answer) -> RenderableType:
    """Return an answer: each sentence with the ids that it rests on, and the notice that no person wrote it."""
    lines = [Text(plain(sentence.text, 2000) + _cited(sentence.cites)) for sentence in said.sentences]
    return Group(*lines, Text(f"\n{said.notice}", style="dim"))


def records(rows: Sequence[Record]) -> RenderableType:
    """Return audit records, in the order given: a line for each, and one for what it says."""
    if not rows:
        return Text("No record mentions that.")
    lines = []
    for row in rows:
        lines.append(
            Text(
                f"{row.sequence:>6}  {row.event_time:%H:%M:%S}  {plain(row.kind)}  by {plain(row.actor)}", style="bold"
            )
        )
        lines.append(Text(f"        about {plain(', '.join(row.refs) or 'nothing', 200)}", style="dim"))
        for name, field in row.fields.items():
            lines.append(Text(f"        {plain(name)}: {quoted(field.value, 200) if field.salt else '(redacted)'}"))
    return Group(*lines)


def verdict(found: Mapping[str, Any]) -> RenderableType:
    """Return what following the chain has shown."""
    if found["verified"]:
        since = f" since record {found['since']}" if found.get("since") else ""
        signed = f"\nSigned up to record {found['signed_to']}." if found.get("signed_to") else ""
        gaps = "".join(f"\nNot checked: {plain(gap, 400)}" for gap in found.get("unchecked", ()))
        return Text(f"{found['records']} records, every link{since} holds.{signed}{gaps}")
    return Text(
        f"The chain is broken at record {plain(found['first_bad'])}: {plain(found['reason'])}.", style="bold red"
    )


def pairs(data: Mapping[str, Any], most: int = 40) -> RenderableType:
    """Return plain data, one line for each leaf, at most `most` of them."""
    leaves = list(_leaves(data))
    lines = [Text(f"{plain(name)}: {plain(value)}") for name, value in leaves[:most]]
    rest = [Text(f"and {len(leaves) - most} more; --json shows all")] if len(leaves) > most else []
    return Group(*lines, *rest)


def rows(data: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Return plain rows that share their columns as a table."""
    if not data:
        return Text("There is none.")
    table = _table(*map(plain, data[0]))
    for row in data:
        table.add_row(*(Text(plain(value, 120)) for value in row.values()))
    return table


def story(report: Mapping[str, Any]) -> RenderableType:
    """Return the end of a demo: what was wrong, what was believed, and what came of it."""
    truth = "; ".join(f"{fault.get('fault')} at {fault.get('element')}" for fault in report["injected"])
    ranked = ((report["diagnosis"] or {}).get("ranked") or [])[:3]
    believed = "; ".join(f"{cause['fault']} at {cause['element']} ({cause['confidence']:.0%})" for cause in ranked)
    audit = report["audit"]
    steps = ", ".join(f"{step} {seconds:.2f}" for step, seconds in report["seconds"].items())
    title = (report["proposal"] or {}).get("title", "nothing")
    lines = {
        "what was wrong": truth or "nothing",
        "what we believed": believed or "nothing",
        "what we proposed": title,
        "what we did": title if report["execution"] else "nothing",
        "what was forecast": report.get("forecast") or "nothing",
        "outcome": report["outcome"],
        "how it turned out": report.get("score") or "not measured",
        "record": f"{audit['records']} records, {'every link holds' if audit['verified'] else 'BROKEN'}",
        "seconds": steps,
    }
    return _told(lines)


def model_story(report: Mapping[str, Any]) -> RenderableType:
    """Return the end of the demo of a drifting model: how it was noticed, what was tried, and what serves now."""
    audit, drift = report["audit"], report["drift"] or {}
    serves = next((view["version"] for view in report["versions"] if view["status"] == "production"), "nothing")
    asked = "; ".join(
        f"{row['title']}: {(row['outcome'] or row)['resolution' if row['outcome'] else 'state']}"
        for row in report["proposals"]
    )
    return _told(
        {
            "the worn version": report["worn"],
            "what was noticed": drift.get("alarm", "nothing"),
            "what was asked for": asked or "nothing",
            "what serves now": serves,
            "the way back": "; ".join(_way_back(row) for row in report["proposals"] if row["trial"]),
            "what came of it": "; ".join(
                (row["outcome"] or {}).get("because", "") for row in report["proposals"] if row["trial"]
            ),
            "outcome": report["outcome"],
            "record": f"{audit['records']} records, {'every link holds' if audit['verified'] else 'BROKEN'}",
            "seconds": ", ".join(f"{name} {seconds:.1f}" for name, seconds in report["seconds"].items()),
        }
    )


def _way_back(row: Mapping[str, Any]) -> str:
    """Return the inverse of a switch; its right belongs to the same grant, and is used once at most."""
    back = row["way_back"]
    if back is None:
        return "none"
    return f"{back['kind']} to {back['version']}, {'used' if row['way_back_used'] else 'not used'}"


def _told(lines: Mapping[str, str]) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    for name, text in lines.items():
        grid.add_row(Text(name, style="bold", no_wrap=True), Text(plain(text, 600)))
    return Group(Text(""), grid)


def bench(result: Mapping[str, Any]) -> RenderableType:
    """Return the figures of one bench, each beside the same figure of every baseline."""
    baselines = {name: dict(_leaves(figures)) for name, figures in result["baselines"].items()}
    table = _table(plain(result["bench"]), "ours", *map(plain, baselines))
    for name, figure in _leaves(result["figures"]):
        row = [name, _number(figure), *(_number(baseline.get(name, "")) for baseline in baselines.values())]
        table.add_row(*(Text(plain(cell)) for cell in row))
    conditions = ", ".join(f"{name} {value}" for name, value in _leaves(result.get("conditions", {})))
    return Group(table, Text(plain(f"{conditions}; {_number(result.get('seconds', ''))} s", 400), style="dim"))


def inventory(network: Inventory) -> RenderableType:
    """Return how many of each kind of thing an inventory declares."""
    kinds = sorted({node.kind for node in network.nodes})
    counts = {f"nodes ({kind})": sum(node.kind is kind for node in network.nodes) for kind in kinds}
    for name in ("termination_points", "links", "dependencies", "demands", "slices", "customers", "services"):
        counts[name.replace("_", " ")] = len(getattr(network, name))
    table = _table(plain(network.name), "")
    for name, count in counts.items():
        table.add_row(Text(name), Text(str(count)))
    return table


def _cited(cites: Sequence[str]) -> str:
    return f"  [{plain(', '.join(cites), 400)}]" if cites else ""


def _leaves(data: Any, path: str = "") -> Iterable[tuple[str, Any]]:
    if isinstance(data, Mapping):
        for name, value in data.items():
            yield from _leaves(value, f"{path}.{name}" if path else str(name))
    elif isinstance(data, list) and any(isinstance(item, Mapping | list) for item in data):
        for index, value in enumerate(data):
            yield from _leaves(value, f"{path}[{index}]")
    else:
        yield path, ", ".join(map(str, data)) if isinstance(data, list) else data


def _number(figure: Any) -> str:
    return f"{figure:,.4g}" if isinstance(figure, float) else str(figure)


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column(Text(first), no_wrap=True)
    for name in others:
        table.add_column(Text(name), overflow="fold")
    return table
