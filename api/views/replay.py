"""What a terminal shows of decisions that were made again."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from api.views.text import plain
from control_plane.replay.replaying import Replayed
from control_plane.replay.under import History

_MOST = 200


def replayed_view(made: Replayed) -> RenderableType:
    """Return the stages of a decision that was made again, and whether each came out as it did then."""
    table = Table("stage", "of", "digest", "as then", box=None, pad_edge=False)
    for stage in made.stages:
        told = "yes" if stage.same else f"NO: {stage.note or 'another result'}"
        table.add_row(plain(stage.kind), plain(stage.id), stage.digest[:16] or "-", plain(told, 300))
    end = "identical" if made.identical else "NOT identical"
    style = "bold" if made.identical else "bold red"
    head = Text(
        f"{plain(made.decision)}: {plain(made.answer) or 'no answer'}, {end}; digest {made.digest}", style=style
    )
    return Group(head, table)


def history_view(found: History, under: str) -> RenderableType:
    """Return what would be different under another book or model."""
    head = Text(f"Under {plain(under)}: {len(found.changed)} of {found.asked} would be different.", style="bold")
    table = Table("id", "of", "was", "would be", "because", box=None, pad_edge=False)
    for one in found.changed[:_MOST]:
        table.add_row(
            plain(one.id), plain(one.ref), plain(one.was), plain(one.would_be), plain("; ".join(one.because), 300)
        )
    left = [Text(f"not asked: {plain(why, 300)}", style="dim") for why in found.not_asked]
    return Group(head, *([table] if found.changed else []), *left)
