"""An SR policy in one line of text: the waypoint, and the share of the demand that goes through it.

A policy sends a demand through one waypoint; its candidate path may have weighted segment lists (RFC 9256, 2.2 and
5.1), so that only a share of the flows is hashed onto that list and the rest goes the direct way. Devices, the twin and
the record all write this state as the same text: `core-2` for the whole demand, `core-2@0.40` for two fifths of it, and
nothing where no policy is in force.
"""

import re
from collections.abc import Container
from typing import Annotated

from pydantic import AfterValidator, Field

#: All of a demand goes through its waypoint.
WHOLE = 1.0
_SHARE = re.compile(r"(?P<via>.+)@(?P<share>0\.[0-9]{2})", re.DOTALL)


def _in_hundredths(share: float) -> float:
    if share != round(share, 2):
        raise ValueError("a share has at most two decimals: write it as for example `0.40`")
    return share


def is_whole(share: float) -> bool:
    """Say whether a share is everything (it is then left out where it is written)."""
    return share == WHOLE


#: The part of a demand that goes through its waypoint: from 0.01 to 1 in hundredths.
Share = Annotated[float, Field(ge=0.01, le=1), AfterValidator(_in_hundredths)]


def policy_text(via: str | None, share: float = WHOLE) -> str:
    """Return the one way to write a policy; "" when there is none."""
    if via is None:
        return ""
    return via if is_whole(share) else f"{via}@{share:.2f}"


def policy_of(text: str, nodes: Container[str]) -> tuple[str | None, float]:
    """Return the waypoint (None for no policy) and the share that `policy_text` wrote.

    A text that is a node's name as a whole is that node, even with an `@` in it. What names no node comes back as the
    waypoint, for the caller to refuse.
    """
    if not text or text in nodes:
        return text or None, WHOLE
    found = _SHARE.fullmatch(text)
    if found is None or found["via"] not in nodes or float(found["share"]) == 0:
        return text, WHOLE
    return found["via"], float(found["share"])


def ambiguous(via: str | None, share: float, nodes: Container[str]) -> bool:
    """Say whether the text of a policy would be read as another node's name."""
    return not is_whole(share) and policy_text(via, share) in nodes
