"""A small OpenID Connect provider on loopback, for what a real one would never do: it signs whatever a test wants.

It counts how often each of its pages is asked for. What it says of an account now (`userinfo`, introspection) is
separate from what its tokens say, as a real one's is once somebody has lost a role.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from adapters.identity.trust import Trust
from domain.clock import Clock
from domain.identity import Role

AUDIENCE, CLIENT, MACHINE, AGENT = "nocturne", "nocturne-cli", "probe-7", "copilot"
ROLES = {"noc-" + role.value.replace("_", "-"): role for role in Role}

#: One key of each kind; making them takes a moment, so all tests share them.
KEYS: dict[str, Key] = {
    "RS256": RSAKey.generate_key(2048, parameters={"kid": "rsa-1", "use": "sig"}, private=True),
    "ES256": ECKey.generate_key("P-256", parameters={"kid": "ec-1", "use": "sig"}, private=True),
    "EdDSA": OKPKey.generate_key("Ed25519", parameters={"kid": "ed-1", "use": "sig"}, private=True),
}


@dataclass
class SmallProvider:
    """`says`: what it says now of each subject. `gives`: what its token endpoint answers
    to a form. `pages`: answers that replace its own (status, body).
    """

    clock: Clock
    issuer: str = ""
    published: list[dict[str, Any]] = field(
        default_factory=lambda: [key.as_dict(private=False) for key in KEYS.values()]
    )
    says: dict[str, dict[str, Any]] = field(default_factory=dict)
    gives: Callable[[dict[str, str]], dict[str, Any]] | None = None
    ended: set[str] = field(default_factory=set)
    pages: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)

    def trust(self, **changes: Any) -> Trust:
        """Return settings that believe this provider."""
        known: dict[str, Any] = {
            "issuer": self.issuer,
            "audience": AUDIENCE,
            "clients": {CLIENT},
            "machines": {MACHINE},
            "roles": ROLES,
        }
        return Trust(**(known | changes))

    def claims(self, subject: str = "u-ana", *roles: str, **changes: Any) -> dict[str, Any]:
        """Return the claims of a good token of somebody; a change to None takes a claim away."""
        now = int(self.clock.now().timestamp())
        good: dict[str, Any] = {
            "iss": self.issuer,
            "sub": subject,
            "aud": AUDIENCE,
            "azp": CLIENT,
            "exp": now + 300,
            "iat": now,
            "jti": f"{subject}-{now}",
            "preferred_username": subject.removeprefix("u-"),
            "realm_access": {"roles": list(roles or ("noc-viewer",))},
        }
        return {name: value for name, value in (good | changes).items() if value is not None}

    def token(self, subject: str = "u-ana", *roles: str, **changes: Any) -> str:
        """Return a good token of somebody."""
        return signed(self.claims(subject, *roles, **changes))

    def page(self, path: str, method: str, body: bytes, authorization: str) -> tuple[int, bytes]:
        """Answer a request."""
        self.asked[path] += 1
        if path in self.pages:
            return self.pages[path]
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        match method, path:
            case "GET", "/.well-known/openid-configuration":
                answer: Any = self._described()
            case "GET", "/jwks":
                answer = {"keys": self.published}
            case "GET", "/userinfo":
                said = self._said(authorization.removeprefix("Bearer "))
                return (401, b'{"error": "invalid_token"}') if said is None else (200, json.dumps(said).encode())
            case "POST", "/introspect":
                said = self._said(form["token"])
                answer = {"active": False} if said is None else said | {"active": True}
            case "POST", "/token" if self.gives is not None:
                answer = self.gives(form | {"authorization": authorization})
            case "POST", "/revoke":
                answer = {}
            case _:
                return 404, b"{}"
        return 200, json.dumps(answer).encode()

    def _described(self) -> dict[str, Any]:
        names = {"authorization_endpoint": "auth", "token_endpoint": "token", "revocation_endpoint": "revoke"}
        names |= {"jwks_uri": "jwks", "userinfo_endpoint": "userinfo", "introspection_endpoint": "introspect"}
        return {"issuer": self.issuer} | {name: f"{self.issuer}/{page}" for name, page in names.items()}

    def _said(self, token: str) -> dict[str, Any] | None:
        subject = claims_of(token)["sub"]
        return None if subject in self.ended else {"sub": subject} | self.says.get(subject, {})


def signed(claims: Any, *, algorithm: str = "RS256", key: Key | None = None, **header: Any) -> str:
    """Return a signed token; a header that is None is left out. `claims` may be raw bytes."""
    key = key or KEYS[algorithm]
    head = {"alg": algorithm, "typ": "at+jwt", "kid": key.kid} | header
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    return sealed({name: value for name, value in head.items() if value is not None}, payload, algorithm, key)


def sealed(header: Any, payload: bytes, algorithm: str, key: Key) -> str:
    """Sign bytes as they are: the library's own signer would refuse what an attacker sends."""
    from joserfc.jws import JWSRegistry

    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    message = b".".join((base64url(raw), base64url(payload)))
    signature = JWSRegistry.algorithms[algorithm].sign(message, key)
    return b".".join((message, base64url(signature))).decode()


def base64url(content: bytes) -> bytes:
    import base64

    return base64.urlsafe_b64encode(content).rstrip(b"=")


def claims_of(token: str) -> dict[str, Any]:
    """Return what a token of ours claims, unchecked."""
    import base64

    segment = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    return claims


@contextmanager
def small_provider(clock: Clock) -> Iterator[SmallProvider]:
    """Run one on a free port."""
    provider = SmallProvider(clock)

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

        def _answer(self, body: bytes) -> None:
            path = self.path.partition("?")[0]
            status, content = provider.page(path, self.command, body, self.headers.get("Authorization", ""))
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.daemon_threads = True
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
