"""What we believe of one OpenID Connect provider, and how its claims read in our words. All of it is settings.

Nothing is believed by default: a client that is not named here gets nobody in, a group that is not mapped gives no
role, and a claim that is named and missing gives no tenant and no place.
"""

import ipaddress
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from domain.base import Word
from domain.identity import Role


class Trust(Word):
    """Durations are seconds. A path of a claim is written with dots: `realm_access.roles`."""

    issuer: str = Field(max_length=512, description="as in the provider's own discovery document, to the letter")
    audience: str = Field(min_length=1, max_length=256, description="what its access tokens call us")
    clients: frozenset[str] = Field(min_length=1, description="client ids that people sign in with")
    machines: frozenset[str] = Field(default=frozenset(), description="client ids that speak for themselves")
    actors: dict[str, frozenset[Role]] = Field(
        default={}, description="clients or subjects that act for others, and what they may at most"
    )
    roles: dict[str, Role] = Field(min_length=1, description="role or group of the provider → role of ours")
    role_claims: tuple[str, ...] = ("realm_access.roles", "groups")
    person_claim: str = Field(default="sub", description="one value per human, which nobody can edit for themselves")
    name_claim: str = "preferred_username"
    tenant_claim: str = Field(default="", description="empty: everybody is of the tenant `default`")
    region_claim: str = Field(default="", description="empty: all regions")
    domain_claim: str = Field(default="", description="empty: all domains")
    kind_claim: str = Field(default="", description="empty: all device classes")
    algorithms: frozenset[Literal["RS256", "ES256", "EdDSA"]] = frozenset({"RS256", "ES256", "EdDSA"})
    leeway_s: float = Field(default=10.0, ge=0, le=60, description="by which its clock and ours may differ")
    longest_token_s: float = Field(default=3600.0, gt=0, le=86_400, description="a token that lives longer is refused")
    keys_s: float = Field(default=300.0, ge=1, description="after which its keys are read again")
    refetch_s: float = Field(default=30.0, ge=1, description="between two readings of its keys, whatever comes in")
    stale_s: float = Field(default=3600.0, ge=0, description="for which its keys serve while it cannot be reached")
    asked: Literal["introspection", "userinfo"] = Field(
        default="userinfo", description="where it says whether an account still holds, before a signature that counts"
    )
    our_id: str = Field(default="", description="our own client id, for introspection")
    our_secret: SecretStr = Field(default=SecretStr(""), repr=False, description="our own client secret, likewise")

    @field_validator("issuer")
    @classmethod
    def _an_issuer(cls, value: str) -> str:
        if not is_safe(value) or urlsplit(value).query or urlsplit(value).fragment:
            raise ValueError(f"`{value[:200]}` is no issuer: write its https address, without query or fragment")
        return value

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if self.clients & self.machines:
            raise ValueError(f"`{min(self.clients & self.machines)}` is a client of people or a machine, not both")
        if self.asked == "introspection" and not (self.our_id and self.our_secret.get_secret_value()):
            raise ValueError("introspection needs `our_id` and `our_secret`; give them, or ask `userinfo`")
        return self


def is_safe(url: str) -> bool:
    """Say whether what is fetched from `url` can be believed: https, or http that does not leave this machine."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        return False
    if parts.username is not None or parts.password is not None or not host:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _stays_here(host))


def _stays_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
