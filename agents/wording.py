"""How agents put things: the names of faults, and text from outside, which is shown and never spoken.

What strangers wrote (alarm texts, reasons typed by people, names of elements) may contain anything, orders
included. It appears between « and », shortened and without control characters, and nowhere else.
"""

import hashlib
import re
import unicodedata

from domain.diagnosis import Cause, FaultKind

#: What each kind of fault is called, as a predicate of the element that has it.
FAULTS: dict[FaultKind, str] = {
    FaultKind.INTERFACE_LOCKED: "is configured down",
    FaultKind.LINK_DOWN: "is down",
    FaultKind.LINK_DEGRADED: "is up and loses traffic",
    FaultKind.CONGESTION: "carries more traffic than there is capacity",
    FaultKind.PROCESS_HUNG: "is powered, and its control process hangs",
    FaultKind.NODE_DOWN: "is down",
    FaultKind.POWER_LOST: "has lost power",
    FaultKind.CELL_LOCKED: "is locked",
    FaultKind.CELL_SLEEPING: "says that it is up, and serves nobody",
    FaultKind.MODEL_DRIFT: "errs more often than its card allows",
    FaultKind.AUTONOMY_EARNED: "has earned a higher level",
    FaultKind.UNKNOWN: "has a fault of unknown kind",
}

_ID = re.compile(r"[\w:./+@|-]{1,96}")
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def plain(text: str, limit: int = 400) -> str:
    """Return text on one line, without control, format and unassigned characters, of at most `limit` characters."""
    visible = "".join(" " if unicodedata.category(sign) in _INVISIBLE else sign for sign in text[: 4 * limit])
    line = " ".join(visible.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def quoted(text: str, limit: int = 160) -> str:
    """Return outside text as a quotation that it cannot end by itself."""
    return f"«{plain(text.replace('«', '‹').replace('»', '›'), limit)}»"


def label(name: str) -> str:
    """Return a name as we print it: as it is where it looks like an id, else a stand-in that carries none of its text.

    A space becomes `_`; a name of any other shape is shown as the start of its SHA-256.
    """
    compact = name.replace(" ", "_")
    if _ID.fullmatch(compact):
        return f"`{compact}`"
    return f"`#{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:8]}`"


def labels(names: tuple[str, ...] | list[str], most: int = 4) -> str:
    """Return some names in a row, and how many more there are."""
    shown = ", ".join(label(name) for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def percent(share: float) -> str:
    """Return a probability as people say it; what is not certain is never shown as 0 or 100."""
    if 0 < share < 0.005:
        return "under 1 %"
    if 0.995 <= share < 1:
        return "over 99 %"
    return f"{100 * share:.0f} %"


def said(cause: Cause) -> str:
    """Return a cause as a clause: which element, and what is the matter with it."""
    return f"{label(cause.element)} {FAULTS[cause.fault]}"


def count(number: int, noun: str) -> str:
    """Return `1 alarm`, `2 alarms`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
