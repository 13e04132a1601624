"""Who may knock at which route: one row per route, and what has no row does not exist.

This is the coarse sieve. Routes that change something let everybody through whom the house knows, because the
commands behind them judge finer, with the same words at every door, and record what they refuse.
"""

import re
from collections.abc import Mapping
from functools import cache

from domain.identity import Role

TMF642_BASES = ("/tmf-api/alarmManagement/v4", "/tmf-api/alarm/v4")
TMF621_BASE = "/tmf-api/troubleTicket/v4"

READERS = frozenset({Role.VIEWER, Role.OPERATOR, Role.APPROVER, Role.AUDITOR})
SENDERS = frozenset({Role.FEED, Role.OPERATOR})
RECORD_READERS = frozenset({Role.AUDITOR, Role.APPROVER, Role.OPERATOR})
KNOWN = frozenset(Role)

ACCESS: Mapping[tuple[str, str], frozenset[Role]] = {
    ("POST", "/webhooks/alertmanager"): SENDERS,
    **{("POST", f"{base}/alarm"): SENDERS for base in TMF642_BASES},
    **{("GET", f"{base}/alarm"): READERS | SENDERS for base in TMF642_BASES},
    **{("GET", f"{base}/alarm/{{id}}"): READERS | SENDERS for base in TMF642_BASES},
    ("GET", f"{TMF621_BASE}/troubleTicket"): READERS,
    ("GET", f"{TMF621_BASE}/troubleTicket/{{id}}"): READERS,
    ("GET", "/inbox"): READERS,
    ("GET", "/proposals/{id}"): READERS,
    ("POST", "/proposals/{id}/approve"): KNOWN,
    ("POST", "/proposals/{id}/reject"): KNOWN,
    ("POST", "/proposals/{id}/change"): KNOWN,
    ("POST", "/proposals/{id}/defer"): KNOWN,
    ("POST", "/proposals/{id}/stop"): KNOWN,
    ("GET", "/incidents"): READERS,
    ("GET", "/incidents/{id}"): READERS,
    ("POST", "/incidents/{id}/close"): KNOWN,
    ("POST", "/planned-work"): KNOWN,
    ("POST", "/freezes"): KNOWN,
    ("POST", "/steps/{id}/settle"): KNOWN,
    ("GET", "/quarantine"): READERS,
    ("GET", "/models"): READERS,
    ("GET", "/tallies"): READERS,
    ("GET", "/state"): READERS,
    ("POST", "/chat"): READERS,
    ("GET", "/audit"): RECORD_READERS,
    ("GET", "/audit/verify"): RECORD_READERS,
    ("GET", "/lineage/{id}"): READERS,
    ("GET", "/docs"): READERS,
    ("GET", "/docs/oauth2-redirect"): READERS,
    ("GET", "/openapi.json"): READERS,
    ("GET", "/static-offline-docs/{file}"): READERS,
}

#: Answered without a token, so that a load balancer can ask.
OPEN = frozenset({"/health"})

#: Answered without a token where `open_docs` says so: they show the shape of the doors, and nothing behind them.
DOCS = ("/docs", "/openapi.json", "/static-offline-docs/")


def methods(path: str) -> Mapping[str, frozenset[Role]]:
    """Return the methods that `path` takes, each with the roles that may use it; empty when there is no such path."""
    if path in OPEN:
        return {"GET": KNOWN}
    return next((row for pattern, row in _table() if pattern.fullmatch(path)), {})


@cache
def _table() -> tuple[tuple[re.Pattern[str], dict[str, frozenset[Role]]], ...]:
    rows: dict[str, dict[str, frozenset[Role]]] = {}
    for (method, template), roles in ACCESS.items():
        rows.setdefault(template, {})[method] = roles
    return tuple((re.compile(re.sub(r"\{\w+\}", "[^/]+", template)), row) for template, row in rows.items())
