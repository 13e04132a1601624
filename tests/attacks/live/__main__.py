"""`make attacks`: start a network and a server, attack it as a client would, and say what it withstood.

    python -m tests.attacks.live [--json] [--only ROW]…

Status 1: something got through, or a row proved nothing. Rows whose door does not stand yet are listed as owed.
"""

from api.threads import limit_threads

limit_threads()

import argparse  # noqa: E402  # numpy must not come in before the line above
import json  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402
from rich.text import Text  # noqa: E402

from tests.attacks.live.book import Row  # noqa: E402
from tests.attacks.live.rows import ROWS  # noqa: E402
from tests.attacks.live.site import site  # noqa: E402
from tests.attacks.rows import OWED  # noqa: E402

#: Attacked in this order: first what leaves the incident as it is, then what ends it, then what ends the server.
LAST = (4, 2, 5, 6, "guessing", 13)
AT_STORE = "a client has no door for it; `tests/attacks/test_{}_*.py` attacks the store itself"


def ordered(only: list[str]) -> list[Row]:
    """Return the rows in the order in which they are played."""
    chosen = [each for each in ROWS if not only or str(each.number) in only]
    return sorted(chosen, key=lambda each: LAST.index(each.number) if each.number in LAST else -1)


def told(one: dict[str, Any]) -> str:
    """Return a line for whoever waits for the table."""
    verdict = "withstood" if one["withstood"] else "FAILED"
    return f"{verdict:10}{one['row']}: {one['attack']} ({one['seconds']:.0f} s)" + (
        "" if one["withstood"] else f": {one['seen']}"
    )


def played(only: list[str], say: Any) -> list[dict[str, Any]]:
    """Attack, and return what came of each row."""
    with tempfile.TemporaryDirectory(prefix="nocturne-attacks-") as folder, site(Path(folder)) as under:
        under.begin()
        found = []
        for each in ordered(only):
            began = time.monotonic()
            found.append(each.played(under).row() | {"seconds": round(time.monotonic() - began, 1)})
            say(told(found[-1]))
    return sorted(found, key=lambda one: (isinstance(one["row"], str), str(one["row"]).zfill(2)))


def shown(found: list[dict[str, Any]]) -> Table:
    """Return the table."""
    table = Table(title="Attacks on a running server", title_justify="left")
    for name in ("row", "attack", "tries", "controls", "", "what was seen"):
        table.add_column(name, justify="right" if name in {"tries", "controls"} else "left", overflow="fold")
    for one in found:
        verdict = Text("withstood", "green") if one["withstood"] else Text("FAILED", "bold red")
        cells = (one["row"], one["attack"], one["tries"], one["controls"], verdict, Text(one["seen"]))
        table.add_row(*(each if isinstance(each, Text) else str(each) for each in cells))
    for number in (19, 20):
        table.add_row(str(number), "models", "–", "–", Text("no door", "dim"), AT_STORE.format(number))
    for number, owed in OWED.items():
        table.add_row(str(number), owed.title, "–", "–", Text("owed", "yellow"), f"has no door yet: {owed.door}")
    return table


def main() -> int:
    parser = argparse.ArgumentParser(prog="make attacks", description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true", dest="as_json", help="print one object")
    parser.add_argument("--only", action="append", default=[], metavar="ROW", help="play this row only")
    asked = parser.parse_args()
    began = time.monotonic()
    found = played(asked.only, lambda text: print(text, file=sys.stderr, flush=True))
    failed = [one["row"] for one in found if not one["withstood"]]
    if asked.as_json:
        owed = [{"row": number, "attack": each.title, "door": each.door} for number, each in OWED.items()]
        whole = {"rows": found, "owed": owed, "at_the_store": [19, 20], "failed": failed}
        print(json.dumps(whole | {"seconds": round(time.monotonic() - began, 1)}))
    else:
        Console().print(shown(found))
        tries = sum(one["tries"] for one in found)
        print(
            f"{len(found) - len(failed)} of {len(found)} withstood in {tries} tries, {time.monotonic() - began:.0f} s"
        )
    return 1 if failed or not found else 0


if __name__ == "__main__":
    sys.exit(main())
