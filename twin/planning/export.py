"""A capacity plan on paper: CSV for spreadsheets, JSON for programs.

Names come from outside. In the CSV no cell becomes a formula and no character obeys a terminal; the JSON is ASCII.
"""

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime

from domain.capacity import CapacityPlan, Upgrade, Weighed

COLUMNS = (
    *("rank", "element", "probability", "needed_by", "earliest", "latest", "chosen", "remedy", "title", "from", "to"),
    *("cost", "risk_mbps", "risk_removed_mbps", "risk_removed_low", "risk_removed_high"),
    *("chance_target_congested", "chance_any_congested", "chance_overloaded_n1", "worst_utilisation"),
    *("futures", "states"),
)
#: A cell that begins so is run by spreadsheets (CSV injection); an apostrophe before it makes them show it.
_FORMULA = ("=", "+", "-", "@", "|", "%")

Cell = str | int | float


def as_csv(plan: CapacityPlan) -> str:
    """Return one row per link and remedy that was compared, with a heading; the chosen one bears `yes`."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    writer.writerows([_cell(value) for value in row] for row in _rows(plan))
    return buffer.getvalue()


def as_json(plan: CapacityPlan) -> str:
    """Return the whole plan; `domain.capacity.CapacityPlan` reads it back."""
    return json.dumps(plan.model_dump(mode="json"), sort_keys=True, indent=1) + "\n"


def _rows(plan: CapacityPlan) -> Iterator[tuple[Cell, ...]]:
    for upgrade in plan.upgrades:
        for weighed in upgrade.compared:
            yield (*_need(upgrade), *_remedy(upgrade, weighed))


def _need(upgrade: Upgrade) -> tuple[Cell, ...]:
    dates = (_day(upgrade.needed_by), _day(upgrade.earliest), _day(upgrade.latest))
    return (upgrade.rank, upgrade.element, round(upgrade.probability, 4), *dates)


def _remedy(upgrade: Upgrade, weighed: Weighed) -> tuple[Cell, ...]:
    remedy = weighed.remedy
    nodes = [point.node for point in remedy.points[:2]] or ["", ""]
    return (
        "yes" if weighed == upgrade.chosen else "",
        remedy.kind.value,
        remedy.title,
        *nodes,
        round(remedy.cost, 2),
        *(round(value, 4) for value in (weighed.risk_mbps, weighed.removed_mbps)),
        *(round(value, 4) for value in (weighed.removed_low, weighed.removed_high)),
        *(round(value, 4) for value in (weighed.chance_target, weighed.chance_normal, weighed.chance_n1)),
        round(weighed.worst_utilisation, 4),
        weighed.futures,
        weighed.states,
    )


def _day(moment: datetime | None) -> str:
    return "" if moment is None else moment.date().isoformat()


def _cell(value: Cell) -> Cell:
    """Return a cell without control, format or direction characters, and one that no spreadsheet runs."""
    if not isinstance(value, str):
        return value
    shown = "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in value)
    return f"'{shown}" if value.strip().startswith(_FORMULA) or shown.startswith("\\") else shown
