"""Reads the claims of a checked token in our words: who it is about, who acts, and what both may.

Claims of the provider give at most what the settings map them to. What the settings name and the token lacks gives
nothing: no role, no place, and no tenant means no entry.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from adapters.identity.local import SIGNING
from adapters.identity.signed import Untrue, is_text
from adapters.identity.trust import Trust
from domain.identity import ANYTHING, Principal, Role, Scope

#: How our ids of a provider's accounts begin.
OURS_OF_PROVIDER = "sso_"

_LONGEST_NAME = 96
_MOST = 256
_MOST_ACTORS = 4


def subject_of(claims: Mapping[str, Any], trust: Trust) -> Principal:
    """Return the account that the token is about, as the provider describes it. Raises Untrue."""
    subject = str(claims["sub"])
    human = _client(claims) not in trust.machines and not _own_account(claims, _client(claims))
    roles = roles_of(claims, trust)
    return Principal(
        id=account_id(trust.issuer, subject),
        name=_name(_at(claims, trust.name_claim), subject),
        person=_person(claims, trust) if human else "",
        roles=roles if human else roles - SIGNING,
        tenant=_tenant(claims, trust),
        scope=Scope(
            regions=_place(claims, trust.region_claim),
            domains=_place(claims, trust.domain_claim),
            kinds=_place(claims, trust.kind_claim),
        ),
        authenticated_at=_proved_at(claims) if human else None,
    )


def actors_of(claims: Mapping[str, Any], trust: Trust) -> tuple[str, ...]:
    """Return the subjects that act for the token's own, the one that acts now first (RFC 8693, section 4.1).

    A client that is set down as an actor acts for the subject even where the token does not say so. Raises Untrue.
    """
    found: list[str] = []
    act = claims.get("act")
    while act is not None:
        if not isinstance(act, dict) or not is_text(act.get("sub")) or len(found) == _MOST_ACTORS:
            raise Untrue("its chain of actors cannot be read")
        found.append(act["sub"])
        act = act.get("act")
    client = _client(claims)
    if client in trust.actors and client not in found and not _own_account(claims, client):
        found.insert(0, client)
    return tuple(found)


def roles_of(claims: Mapping[str, Any], trust: Trust) -> frozenset[Role]:
    """Return the roles that the claims give. An agent is an agent only, whatever else it is called."""
    held = {
        trust.roles[name] for path in trust.role_claims for name in _texts(_at(claims, path)) if name in trust.roles
    }
    return frozenset({Role.AGENT} if Role.AGENT in held else held)


def says_roles(claims: Mapping[str, Any], trust: Trust) -> bool:
    """Say whether the claims speak of roles at all."""
    return any(_at(claims, path) is not None for path in trust.role_claims)


def account_id(issuer: str, subject: str) -> str:
    """Return our id of a provider's account: the same for ever, and telling nothing of it."""
    return OURS_OF_PROVIDER + hashlib.sha256(f"{issuer}\0{subject}".encode()).hexdigest()[:32]


def _client(claims: Mapping[str, Any]) -> str:
    return str(claims.get("azp") or claims.get("client_id"))


def _own_account(claims: Mapping[str, Any], client: str) -> bool:
    """Say whether the token is about the client itself, which is never a person."""
    return claims["sub"] == client or claims.get("preferred_username") == f"service-account-{client}"


def _person(claims: Mapping[str, Any], trust: Trust) -> str:
    value = _at(claims, trust.person_claim)
    return value if isinstance(value, str) and is_text(value) else ""


def _name(wanted: object, subject: str) -> str:
    name = wanted if isinstance(wanted, str) and is_text(wanted) else subject
    return f"sso:{name[:_LONGEST_NAME]}"


def _tenant(claims: Mapping[str, Any], trust: Trust) -> str:
    if not trust.tenant_claim:
        return "default"
    value = _at(claims, trust.tenant_claim)
    if not isinstance(value, str) or not is_text(value):
        raise Untrue("it does not say of which tenant it is")
    return value


def _place(claims: Mapping[str, Any], path: str) -> frozenset[str]:
    return frozenset(_texts(_at(claims, path))) if path else ANYTHING


def _proved_at(claims: Mapping[str, Any]) -> datetime | None:
    value, issued = claims.get("auth_time"), claims["iat"]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= issued:
        return None
    return datetime.fromtimestamp(value, UTC)


def _at(claims: Mapping[str, Any], path: str) -> Any:
    """Return what stands at a dotted path; a claim whose own name has dots (a URL) is found by its whole name."""
    if path in claims:
        return claims[path]
    value: Any = claims
    for name in path.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def _texts(value: object) -> list[str]:
    listed = value if isinstance(value, list) else [value]
    return [text for text in listed[:_MOST] if isinstance(text, str) and is_text(text)]
