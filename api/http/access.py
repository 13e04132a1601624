"""What one needs at which route: one row per route, and what has no row does not exist.

The permissions themselves are given out in `policies.permissions`, and asked for again by the commands and queries
behind the routes, in the same words: a door that forgot to ask would still let nobody through.
"""

import re
from collections.abc import Mapping
from functools import cache

from domain.identity import Permission

P = Permission

TMF642_BASES = ("/tmf-api/alarmManagement/v4", "/tmf-api/alarm/v4")
TMF621_BASE = "/tmf-api/troubleTicket/v4"

#: (method, route) → the permission it takes; None: every account that the house knows.
ACCESS: Mapping[tuple[str, str], P | None] = {
    ("POST", "/webhooks/alertmanager"): P.SEND,
    **{("POST", f"{base}/alarm"): P.SEND for base in TMF642_BASES},
    **{("GET", f"{base}/alarm"): P.READ_ALARMS for base in TMF642_BASES},
    **{("GET", f"{base}/alarm/{{id}}"): P.READ_ALARMS for base in TMF642_BASES},
    ("GET", f"{TMF621_BASE}/troubleTicket"): P.READ,
    ("GET", f"{TMF621_BASE}/troubleTicket/{{id}}"): P.READ,
    ("GET", "/inbox"): P.READ,
    ("POST", "/inbox/approve-batch"): P.APPROVE,
    ("POST", "/proposals/{id}/view"): P.READ,
    ("GET", "/roster"): P.READ,
    ("POST", "/roster/shifts"): P.KEEP_ROSTER,
    ("POST", "/roster/import"): P.KEEP_ROSTER,
    ("POST", "/roster/shifts/{id}/withdraw"): P.KEEP_ROSTER,
    ("GET", "/notices"): None,
    ("POST", "/notices/{id}/seen"): None,
    ("GET", "/handover"): P.READ,
    ("POST", "/handover/accept"): P.READ,
    ("GET", "/reviews"): P.READ,
    ("POST", "/reviews"): P.REVIEW,
    ("POST", "/reviews/{id}/hold"): P.REVIEW,
    ("GET", "/attention"): P.KEEP_ROSTER,
    ("POST", "/attention/seed"): P.SEED,
    ("GET", "/trust"): P.READ,
    ("POST", "/proposals"): P.PROPOSE,
    ("GET", "/proposals/{id}"): P.READ,
    ("POST", "/proposals/{id}/approve"): P.APPROVE,
    ("POST", "/proposals/{id}/reject"): P.APPROVE,
    ("POST", "/proposals/{id}/change"): P.APPROVE,
    ("POST", "/proposals/{id}/defer"): P.APPROVE,
    ("POST", "/proposals/{id}/stop"): P.STOP,
    ("POST", "/proposals/{id}/ask"): P.APPROVE,
    ("GET", "/proposals/{id}/enquiries"): P.READ,
    ("GET", "/proposals/{id}/progress"): P.READ,
    ("POST", "/proposals/{id}/revoke"): P.APPROVE,
    ("POST", "/proposals/{id}/break-glass"): P.BREAK_GLASS,
    ("POST", "/enquiries/{id}/answer"): P.READ,
    ("GET", "/delegations"): None,
    ("POST", "/delegations"): P.DELEGATE,
    ("POST", "/delegations/{id}/revoke"): None,
    ("GET", "/broken-glass"): P.READ_RECORD,
    ("POST", "/broken-glass/{id}/review"): P.REVIEW,
    ("GET", "/changes"): P.READ,
    ("GET", "/changes/{id}"): P.READ,
    ("GET", "/chains"): P.READ,
    ("GET", "/incidents"): P.READ,
    ("GET", "/incidents/{id}"): P.READ,
    ("POST", "/incidents/{id}/close"): P.CLOSE,
    ("POST", "/planned-work"): P.DECLARE,
    ("POST", "/freezes"): P.FREEZE,
    ("POST", "/freezes/{id}/withdraw"): P.FREEZE,
    ("GET", "/change-windows"): P.READ,
    ("POST", "/change-windows"): P.FREEZE,
    ("POST", "/change-windows/{id}/withdraw"): P.FREEZE,
    ("GET", "/policy"): P.READ,
    ("GET", "/policy/explain/{id}"): P.READ,
    ("POST", "/policy/diff"): P.READ_RECORD,
    ("POST", "/policy/load"): P.KEEP_POLICY,
    ("POST", "/policy/activate"): P.KEEP_POLICY,
    ("POST", "/steps/{id}/settle"): P.SETTLE,
    ("GET", "/guards"): P.READ,
    ("POST", "/switches"): P.SWITCH_OFF,
    ("POST", "/switches/release"): P.SWITCH_ON,
    ("POST", "/breakers/{id}/close"): P.SWITCH_ON,
    ("GET", "/autonomy"): P.READ,
    ("GET", "/autonomy/acceptance"): P.READ,
    ("GET", "/autonomy/coverage"): P.READ,
    ("GET", "/autonomy/reviews"): P.READ,
    ("POST", "/autonomy/reviews/{id}"): P.APPROVE,
    ("POST", "/autonomy/waivers"): P.WAIVE,
    ("POST", "/autonomy/waivers/{id}/revoke"): P.WAIVE,
    ("POST", "/autonomy/lower"): P.SWITCH_OFF,
    ("GET", "/autonomy/{ground}"): P.READ,
    ("GET", "/disagreements"): P.READ,
    ("GET", "/orders"): P.READ,
    ("POST", "/orders"): P.ORDER,
    ("GET", "/orders/{id}"): P.READ,
    ("POST", "/orders/{id}/cancel"): P.ORDER,
    ("GET", "/quarantine"): P.READ,
    ("GET", "/models"): P.READ,
    ("GET", "/tallies"): P.READ,
    ("GET", "/state"): P.READ,
    ("GET", "/twin"): P.READ,
    ("GET", "/twin/scene"): P.READ,
    ("GET", "/twin/steering"): P.READ,
    ("GET", "/twin/sweep"): P.READ,
    ("POST", "/twin/whatif"): P.READ,
    ("POST", "/twin/check"): P.READ,
    ("GET", "/twin/capacity"): P.READ,
    ("POST", "/twin/capacity"): P.READ,
    ("POST", "/chat"): P.READ,
    ("GET", "/identity"): None,
    ("POST", "/identity/proof"): None,
    ("GET", "/accounts"): P.KEEP_ACCOUNTS,
    ("POST", "/accounts"): P.KEEP_ACCOUNTS,
    ("POST", "/accounts/{id}/renew"): P.KEEP_ACCOUNTS,
    ("POST", "/accounts/{id}/revoke"): P.KEEP_ACCOUNTS,
    ("GET", "/keys"): P.KEEP_ACCOUNTS,
    ("POST", "/keys"): P.KEEP_ACCOUNTS,
    ("POST", "/keys/{id}/rotate"): P.KEEP_ACCOUNTS,
    ("POST", "/keys/{id}/revoke"): P.KEEP_ACCOUNTS,
    ("GET", "/audit"): P.READ_RECORD,
    ("GET", "/audit/verify"): P.READ_RECORD,
    ("GET", "/audit/checkpoints"): P.READ_RECORD,
    ("POST", "/audit/checkpoints"): P.EXPORT,
    ("GET", "/audit/keys"): P.READ_RECORD,
    ("POST", "/audit/keys/rotate"): P.KEEP_KEYS,
    ("GET", "/audit/growth"): P.READ_RECORD,
    ("GET", "/audit/trail/{id}"): P.READ_RECORD,
    ("GET", "/audit/export"): P.EXPORT,
    ("GET", "/audit/bundle"): P.EXPORT,
    ("GET", "/audit/{id}/proof"): P.READ_RECORD,
    ("POST", "/audit/{id}/redact"): P.REDACT,
    ("GET", "/lineage/{id}"): P.READ,
    ("GET", "/docs"): P.READ,
    ("GET", "/docs/oauth2-redirect"): P.READ,
    ("GET", "/openapi.json"): P.READ,
    ("GET", "/static-offline-docs/{file}"): P.READ,
}

#: Answered without a token, so that a load balancer can ask.
OPEN = frozenset({"/health"})

#: Answered without a token where `open_docs` says so: they show the shape of the doors, and nothing behind them.
DOCS = ("/docs", "/openapi.json", "/static-offline-docs/")


def methods(path: str) -> Mapping[str, P | None]:
    """Return the methods that `path` takes, each with the permission it needs; empty when there is no such path."""
    if path in OPEN:
        return {"GET": None}
    return next((row for pattern, row in _table() if pattern.fullmatch(path)), {})


@cache
def _table() -> tuple[tuple[re.Pattern[str], dict[str, P | None]], ...]:
    """Return the rows by path, those without a parameter first: a name is never taken for an id."""
    rows: dict[str, dict[str, P | None]] = {}
    for (method, template), permission in sorted(ACCESS.items(), key=lambda row: "{" in row[0][1]):
        rows.setdefault(template, {})[method] = permission
    return tuple((re.compile(re.sub(r"\{\w+\}", "[^/]+", template)), row) for template, row in rows.items())
