"""People, on one screen: who is on call, what they were told, what is handed over, and how attentive they are."""

from collections.abc import Iterable
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table

from api.views.text import plain


def roster(found: dict[str, Any]) -> RenderableType:
    """Return who is on call, the next shifts, and the gaps."""
    kept = "" if found["kept"] else " (no roster kept: everybody who has a role counts as on call)"
    on_call = ((r["role"], r["order"], r["account"], r["person"]) for r in found["on_call"])
    shifts = (
        (s["role"], s["account"], s["region"], s["domain"], s["starts_at"], s["ends_at"]) for s in found["shifts"]
    )
    gaps = ((g["role"], g["region"], g["starts_at"], g["ends_at"] or "nobody comes") for g in found["gaps"])
    return Group(
        _table(f"On call at {found['at']}{kept}", ("role", "order", "account", "person"), on_call),
        _table("Shifts", ("role", "account", "region", "domain", "from", "to"), shifts),
        _table("Gaps", ("role", "region", "from", "to"), gaps),
    )


def notices(rows: list[dict[str, Any]]) -> RenderableType:
    """Return notices, the newest first."""
    shown = ((r["made_at"], r["kind"], r["text"], r["deadline"] or "", r["next_role"], r["id"]) for r in rows)
    return _table("Notices", ("at", "kind", "what", "until", "then asked", "id"), shown)


def take_over(found: dict[str, Any], *, accepted: bool) -> RenderableType:
    """Return what one has to look after, and what changed."""
    pending = (
        ("new" if p["new"] else "", p["kind"], p["title"], p["deadline"] or "", p["id"]) for p in found["pending"]
    )
    changed = ((c["at"], c["title"], f"{c['was']} → {c['now']}", c["by"], c["because"]) for c in found["changed"])
    since = found["since"] or "ever"
    state = "taken over" if accepted else "to be taken over with --accept"
    waiting = [h for h in found["hand_overs"] if not h["accepted_at"]]
    handed = ((h["made_at"], h["from_person"], len(h["moved"]), state) for h in waiting)
    return Group(
        _table("For you now", ("", "kind", "what", "until", "id"), pending),
        _table(f"Changed since {since}", ("at", "what", "how", "by", "because"), changed),
        _table("Handed to you", ("at", "from", "matters", ""), handed),
    )


def attention(found: dict[str, Any]) -> RenderableType:
    """Return attention by person and by shift."""
    people = (
        (
            p["person"],
            p["decided"],
            "–" if p["seconds"] is None else f"{p['seconds']:.0f}",
            _rate(p["unopened"]),
            _rate(p["with_evidence"]),
            _rate(p["agreement"]),
            _rate(p["missed"]),
            p["extra_signatures"],
        )
        for p in found["people"]
    )
    shifts = ((s["shift"], _rate(s["missed"])) for s in found["shifts"])
    heads = ("person", "decided", "seconds", "unopened", "evidence opened", "agreed", "missed", "more signatures")
    seeded = f"seeded share {found['seeded_share']:.0%}, at most {found['miss_limit']:.0%} may be missed"
    return Group(_table(f"Attention ({seeded})", heads, people), _table("By shift", ("shift", "missed"), shifts))


def trust(rows: list[dict[str, Any]]) -> RenderableType:
    """Return how far people trust each agent."""
    shown = (
        (
            r["requester"],
            r["action"],
            _rate(r["accepted"]),
            _rate(r["before"]),
            _rate(r["ignored"]),
            _seconds(r),
            alarms,
        )
        for r in rows
        for alarms in ["; ".join(r["alarms"])]
    )
    return _table("Trust", ("agent", "action", "accepted", "before", "ignored", "seconds", "alarms"), shown)


def reviews(rows: list[dict[str, Any]]) -> RenderableType:
    """Return reviews, the newest first."""
    shown = (
        (r["id"], r["kind"], r["ref"], r["held_at"] or f"owed until {r['due_at']}", "; ".join(r["decisions"]))
        for r in rows
    )
    return _table("Reviews", ("review", "of", "which", "held", "decided"), shown)


def _rate(found: dict[str, Any]) -> str:
    """Write a share as `2 of 9 (3–60 %)`."""
    if not found["n"]:
        return "–"
    return f"{found['count']} of {found['n']} ({100 * found['low']:.0f}–{100 * found['high']:.0f} %)"


def _seconds(row: dict[str, Any]) -> str:
    lately, before = row["seconds"], row["seconds_before"]
    if lately is None:
        return "–"
    return f"{lately:.0f}" + ("" if before is None else f" (before: {before:.0f})")


def _table(title: str, heads: Iterable[str], rows: Iterable[Iterable[Any]]) -> RenderableType:
    filled = [[plain(str(cell), 200) for cell in row] for row in rows]
    if not filled:
        return f"{title}: none"
    table = Table(*heads, title=title, title_justify="left")
    for row in filled:
        table.add_row(*row)
    return table
