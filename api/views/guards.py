"""What holds the plane back, on one screen."""

from collections.abc import Iterable
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table

from api.views.text import plain


def overview(found: dict[str, Any]) -> RenderableType:
    """Return switches, breakers, budgets, locks and collisions as tables; an empty one says so in a line."""
    return Group(
        _table(
            "Kill switches",
            ("of", "state", "since", "by", "because"),
            ((s["id"], "OFF" if s["off"] else "on", s["changed_at"], s["by"], s["because"]) for s in found["switches"]),
        ),
        _table(
            "Breakers",
            ("breaker", "state", "bad of the last", "note"),
            ((b["id"], b["state"], f"{b['failures']} of {len(b['recent'])}", b["note"]) for b in found["breakers"]),
        ),
        _table(
            f"Used since {found['window_start']}",
            ("requester", "plans", "steps", "euros"),
            ((u["requester"], u["plans"], u["steps"], f"{u['spend']:.2f}") for u in found["usage"]),
        ),
        _table(
            "Locks",
            ("plan", "elements", "since"),
            ((lock["id"], len(lock["elements"]), lock["taken_at"]) for lock in found["locks"]),
        ),
        _table(
            "Plans that touch each other",
            ("plan", "other", "together", "reasons"),
            (
                (c["proposal_id"], c["other_id"], "safe" if c["safe_together"] else "NOT SAFE", "; ".join(c["reasons"]))
                for c in found["collisions"]
            ),
        ),
    )


def _table(title: str, heads: Iterable[str], rows: Iterable[Iterable[Any]]) -> RenderableType:
    filled = [[plain(str(cell), 200) for cell in row] for row in rows]
    if not filled:
        return f"{title}: none"
    table = Table(*heads, title=title, title_justify="left")
    for row in filled:
        table.add_row(*row)
    return table
