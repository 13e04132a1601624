"""Reading a roster from a spreadsheet's CSV: a header with the names of the columns, then one shift per line."""

import csv
import io

from pydantic import ValidationError

from control_plane.roster.shifts import MOST, Line
from domain.errors import BadInput

_NEEDED = ("role", "account", "starts_at", "ends_at")
_COLUMNS = tuple(Line.model_fields)


def read_csv(text: str) -> list[Line]:
    """Return the shifts of a CSV text; a column that is empty has its default.

    Raises:
        BadInput: a column is missing, unknown or twice there, or a line is impossible; names the line.
    """
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    try:
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise BadInput(f"line {reader.line_num} of the roster is no CSV ({error}); mend it") from None
    if not rows:
        raise BadInput(f"the roster is empty; its first line names the columns: {', '.join(_NEEDED)}")
    names = [name.strip().lower() for name in rows[0][1]]
    _check_columns(names)
    if len(rows) - 1 > MOST:
        raise BadInput(f"a roster has at most {MOST} shifts; send fewer at a time")
    return [_line(number, names, row) for number, row in rows[1:]]


def _check_columns(names: list[str]) -> None:
    missing = [name for name in _NEEDED if name not in names]
    odd = [name for name in names if name not in _COLUMNS]
    if missing or odd or len(set(names)) < len(names):
        what = (
            f"lacks `{missing[0]}`" if missing else f"has a column `{odd[0][:80]}`" if odd else "names a column twice"
        )
        raise BadInput(f"the first line of the roster {what}; the columns are {', '.join(_COLUMNS)}")


def _line(number: int, names: list[str], row: list[str]) -> Line:
    if len(row) != len(names):
        raise BadInput(f"line {number} of the roster has {len(row)} fields, not {len(names)}; mend it")
    given = {name: cell.strip() for name, cell in zip(names, row, strict=True) if cell.strip()}
    try:
        return Line.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadInput(f"line {number} of the roster: `{where}`: {first['msg'].lower()}") from None
