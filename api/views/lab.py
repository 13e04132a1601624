"""What a terminal shows of a lab: its timers, and what pings saw of an incident."""

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from api.views.text import plain


def smoke(lab: Mapping[str, Any]) -> RenderableType:
    """Return the figures of a smoke test: how long it took, with OSPF's timers, and what was lost on the way."""
    table = Table("pings lost", "before", "during", "after", box=None, pad_edge=False)
    for demand, loss in lab["loss"].items():
        table.add_row(plain(demand), *(_share(loss[when]) for when in ("before", "during", "after")))
    took = lab["fault_to_verified_s"]
    verdict = f"from the fault to the verified repair: {took:.1f} s" if took is not None else "no repair was verified"
    seconds = ", ".join(f"{name} {value:.1f} s" for name, value in lab["seconds"].items())
    lines = (f"OSPF: {lab['timers']}", f"lab: {seconds}", verdict)
    return Group(Text(""), table, Text(""), *(Text(plain(line, 300)) for line in lines))


def _share(loss: float | None) -> str:
    return "unknown" if loss is None else f"{loss:.1%}"
