"""Every attack that this house must withstand, by number; which of them wait for a door that does not stand yet.

`test_every_row.py` holds the tests against this table, and `live` prints it.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

#: The rows whose door stands.
STANDING = {
    1: "approve one's own proposal",
    2: "replay an approval",
    3: "approve a changed plan",
    4: "approve an expired proposal; clock skew",
    5: "race of two approvers, approve against reject",
    6: "execute twice",
    7: "an agent escalates itself",
    8: "prompt injection in text from outside",
    10: "poisoned feedback and training data",
    13: "tampering with the record",
    14: "mass assignment",
    15: "foreign ids, across tenants and regions",
    16: "forged tokens",
    17: "a revoked or demoted person works on",
    18: "oversized, deep, double and slow bodies",
    19: "archives and links as model artefacts",
    20: "models that carry code, unsigned or swapped ones",
    21: "paths as names",
    24: "runaway, cascades and cost",
}


class Owed(NamedTuple):
    """An attack without a door: what it would come in by, and how a route of that kind would look."""

    title: str
    door: str
    route: str


OWED = {
    9: Owed("stored script in console and chat", "the console's pages", r"console|/ui\b|/pages?\b|\.html"),
    11: Owed("SSRF by a callback address", "hubs that call back", r"/hub\b|callback|webhook-targets"),
    12: Owed("abuse of subscriptions", "subscriptions, streams", r"/hub\b|subscri|/events?\b|/stream|/ws\b"),
    22: Owed("injection in TMF filters", "filter expressions (`filter=`, `sort=`, `.regex`)", r"/search\b|/query\b"),
    23: Owed("empty or wide task patterns", "TMF tasks over alarm patterns", r"(ack|clear|group)Alarms|Tasks?\b"),
    25: Owed("poisoned peers and adapters", "MCP and A2A peers", r"/mcp\b|/a2a\b|/peers?\b|agent-card|\.well-known"),
}  # fmt: skip

#: Attacks without a number, and the file that holds each one's test.
EXTRAS = {
    "cookies and pages of other sites cannot approve": "test_extra_guessing_and_leaking.py",
    "`*` is no origin that may read with credentials": "test_extra_guessing_and_leaking.py",
    "an old picture of the network justifies nothing": "test_extra_stale_topology.py",
    "the way through broken glass is recorded": "test_extra_broken_glass.py",
    "no secret stands in logs or answers": "test_extra_guessing_and_leaking.py",
    "docs, metrics and debug are not open": "test_extra_audit_doors.py",
    "no error shows a stack trace": "test_extra_audit_doors.py",
    "no line of a log is forged": "test_extra_audit_doors.py",
    "guessing is slowed": "test_extra_guessing_and_leaking.py",
    "two hundred at once are not approved": "test_extra_approver_fatigue.py",
    "what undoes passes the same gate": "test_extra_rollback.py",
}


def opened(paths: Iterable[str], parameters: Iterable[str] = ()) -> dict[int, str]:
    """Return the owed rows of which a door seems to stand: number → the path or parameter that looks like it."""
    found = {
        number: path for number, owed in OWED.items() for path in paths if re.search(owed.route, path, re.IGNORECASE)
    }
    odd = {"filter", "sort", "regex"}
    asked = next((name for name in parameters if name in odd or name.endswith(".regex")), "")
    return found | ({22: f"?{asked}="} if asked else {})
