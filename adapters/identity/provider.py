"""Speaks to an identity provider over HTTP: its discovery document and whatever that leads to.

Answers are small, quick and JSON, or they are no answers. Nothing is followed elsewhere, and no proxy or password file
of the environment has a part in it.
"""

import ssl
from collections.abc import Mapping
from functools import cache
from typing import Any

import httpx

from adapters.identity.strict import Unreadable, read_object
from adapters.identity.trust import is_safe
from domain.errors import Unavailable

_MOST_BYTES = 256 * 1024
_TIMEOUT_S = 3.0


class Provider:
    """One issuer. Thread-safe; keeps nothing but its address."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer

    def discover(self) -> dict[str, Any]:
        """Return the provider's own description (OpenID Connect Discovery 1.0, RFC 8414).

        Raises:
            Unavailable: it cannot be had, or speaks of another issuer.
        """
        try:
            found = self.get(self.issuer.rstrip("/") + "/.well-known/openid-configuration")
        except Denied:
            raise Unavailable("the identity provider does not describe itself; see `issuer` in the settings") from None
        if found.get("issuer") != self.issuer:
            raise Unavailable("the identity provider calls itself by another name; compare `issuer` in the settings")
        return found

    def keys(self) -> dict[str, Any]:
        """Return the document of the keys that it publishes now (JWKS). Raises Unavailable."""
        try:
            return self.get(endpoint(self.discover(), "jwks_uri"))
        except Denied:
            raise Unavailable("the identity provider does not show its keys; see its settings") from None

    def get(self, url: str, *, token: str = "") -> dict[str, Any]:
        """Return the JSON object at `url`. Raises Unavailable, Denied."""
        return self._ask("GET", url, headers={"Authorization": f"Bearer {token}"} if token else {})

    def post(self, url: str, form: Mapping[str, str], *, auth: tuple[str, str] | None = None) -> dict[str, Any]:
        """Send a form and return the JSON object that is the answer. Raises Unavailable, Denied."""
        return self._ask("POST", url, data=dict(form), auth=auth)

    def _ask(self, method: str, url: str, **request: Any) -> dict[str, Any]:
        if not is_safe(url):
            raise Unavailable("the identity provider sends us to an address that is not https; see its settings")
        try:
            with (
                httpx.Client(timeout=_TIMEOUT_S, verify=_tls(), trust_env=False, follow_redirects=False) as http,
                http.stream(method, url, **request) as answer,
            ):
                body = _whole(answer)
        except (httpx.HTTPError, httpx.InvalidURL):
            raise Unavailable("the identity provider does not answer; try again in a moment") from None
        if 400 <= answer.status_code < 500:
            raise Denied(_error_of(body))
        if not answer.is_success:
            raise Unavailable(f"the identity provider answered {answer.status_code}; try again in a moment")
        try:
            return read_object(body) if body else {}
        except Unreadable:
            raise Unavailable("the identity provider answered with something that is no JSON object") from None


def endpoint(found: Mapping[str, Any], name: str) -> str:
    """Return an address of a discovery document. Raises Unavailable where there is none."""
    value = found.get(name)
    if not isinstance(value, str):
        raise Unavailable(f"the identity provider says no `{name}`; see its settings")
    return value


class Denied(Exception):
    """The provider said no. `code` is its error code (RFC 6749, section 5.2), or empty."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@cache
def _tls() -> ssl.SSLContext:
    """Return the machine's trusted authorities; reading them takes longer than a request, so it is done once."""
    return ssl.create_default_context()


def _whole(answer: httpx.Response) -> bytes:
    body = b""
    for chunk in answer.iter_bytes():
        body += chunk
        if len(body) > _MOST_BYTES:
            raise Unavailable("the identity provider answered with more than it should")
    return body


def _error_of(body: bytes) -> str:
    try:
        code = read_object(body).get("error", "")
    except Unreadable:
        return ""
    return code if isinstance(code, str) and len(code) <= 64 and code.isprintable() else ""
