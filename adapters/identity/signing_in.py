"""How a program of ours gets tokens from a provider: people by authorisation code with PKCE, machines by their secret.

RFC 6749 with RFC 7636 (PKCE, S256), RFC 8252 (native apps: the answer comes to a port of this machine), RFC 7009
(revocation) and RFC 9207 (the answer says from whom it is). No password passes through here.
"""

import base64
import hashlib
import secrets
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from adapters.identity.provider import Denied, Provider, endpoint
from adapters.identity.published_keys import PublishedKeys
from adapters.identity.redirect import Redirect
from adapters.identity.signed import Untrue
from adapters.identity.tokens import check_login
from domain.base import Utc, Word
from domain.clock import Clock
from domain.errors import NotAuthenticated, Unavailable

_SOONER_S = 20.0  # a token is renewed this long before it expires
_USUAL_S = 60.0  # where the provider does not say how long a token holds


class Session(Word):
    """What a login leaves on this machine. Its file is for its owner's eyes only."""

    issuer: str
    client: str
    audience: str = ""
    name: str = ""
    access_token: str
    refresh_token: str = ""
    expires_at: Utc

    def holds(self, now: Utc) -> bool:
        """Say whether its access token can still be sent."""
        return now < self.expires_at - timedelta(seconds=_SOONER_S)


class SigningIn:
    """Speaks to one provider for one client. `secret` is a machine's own; programs of people have none."""

    def __init__(self, issuer: str, client: str, clock: Clock, *, audience: str = "", secret: str = "") -> None:
        self._provider = Provider(issuer)
        self._client = client
        self._clock = clock
        self._audience = audience
        self._secret = secret

    def as_person(self, show: Callable[[str], object], *, fresh: bool, wait_s: float = 180.0) -> Session:
        """Have a person log in, in the browser to which `show` brings the address; wait for the answer.

        Args:
            show: called with the address that is to be opened.
            fresh: have the person prove who they are even if the provider remembers them.
            wait_s: seconds for which the answer is waited for.

        Raises:
            NotAuthenticated: the provider, or the person, said no, or the answer is not to our question.
            Unavailable: the provider does not answer, or nobody did in time.
        """
        found = self._provider.discover()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        with Redirect() as redirect:
            asked = {
                "response_type": "code",
                "client_id": self._client,
                "redirect_uri": redirect.url,
                "scope": "openid offline_access",
                "state": state,
                "nonce": nonce,
                "code_challenge": challenge,
                "code_challenge_method": "S256",
                **self._for_us(),
                **({"prompt": "login consent", "max_age": "0"} if fresh else {"prompt": "consent"}),
            }
            show(endpoint(found, "authorization_endpoint") + "?" + urlencode(asked))
            answer = redirect.wait(state, wait_s)
            _check_answer(answer, found)
            form = {"grant_type": "authorization_code", "code": answer["code"], "code_verifier": verifier}
            given = self._token(found, form | {"redirect_uri": redirect.url} | self._for_us())
        return self._session(given, self._login_name(given, nonce))

    def as_machine(self) -> Session:
        """Get a token for this client itself (client credentials). Raises NotAuthenticated, Unavailable."""
        form = {"grant_type": "client_credentials"} | self._for_us()
        return self._session(self._token(self._provider.discover(), form), self._client)

    def renewed(self, session: Session) -> Session:
        """Return a session with a new access token. Raises NotAuthenticated when it is over, Unavailable."""
        if not session.refresh_token:
            raise NotAuthenticated("this login is over; log in again with `nocturne login`")
        form = {"grant_type": "refresh_token", "refresh_token": session.refresh_token} | self._for_us()
        given = self._token(self._provider.discover(), form)
        return self._session({"refresh_token": session.refresh_token} | given, session.name)

    def revoke(self, session: Session) -> None:
        """End a session at the provider (RFC 7009), as far as it can. Raises NotAuthenticated, Unavailable."""
        found = self._provider.discover()
        if "revocation_endpoint" not in found:
            return
        token, hint = (session.refresh_token, "refresh_token") if session.refresh_token else (session.access_token, "")
        form = {"token": token} | ({"token_type_hint": hint} if hint else {})
        self._post(endpoint(found, "revocation_endpoint"), form)

    def _for_us(self) -> dict[str, str]:
        """Say for whom the token is: as a resource (RFC 8707) where the audience is an address."""
        if not self._audience:
            return {}
        return {"resource" if "://" in self._audience else "audience": self._audience}

    def _token(self, found: Mapping[str, Any], form: Mapping[str, str]) -> dict[str, Any]:
        given = self._post(endpoint(found, "token_endpoint"), form)
        if not isinstance(given.get("access_token"), str) or str(given.get("token_type", "")).lower() != "bearer":
            raise Unavailable("the identity provider gave no token that can be sent; see its settings")
        return given

    def _post(self, url: str, form: Mapping[str, str]) -> dict[str, Any]:
        own = {} if self._secret else {"client_id": self._client}
        auth = (self._client, self._secret) if self._secret else None
        try:
            return self._provider.post(url, {**form, **own}, auth=auth)
        except Denied as denied:
            why = f" (`{denied.code}`)" if denied.code else ""
            raise NotAuthenticated(f"the identity provider said no{why}; log in again, or see its settings") from None

    def _login_name(self, given: Mapping[str, Any], nonce: str) -> str:
        keys = PublishedKeys(self._provider.keys, self._clock, keys_s=60, refetch_s=1, stale_s=0)
        try:
            claims = check_login(
                str(given.get("id_token", "")), self._provider.issuer, self._client, nonce, keys.get, self._clock.now()
            )
        except Untrue as error:
            raise NotAuthenticated(f"the login cannot be believed: {error}; try again") from None
        name = claims.get("preferred_username") or claims["sub"]
        return str(name)[:128]

    def _session(self, given: Mapping[str, Any], name: str) -> Session:
        lasts = given.get("expires_in")
        seconds = float(lasts) if isinstance(lasts, int | float) and 0 < lasts < 1e7 else _USUAL_S
        return Session(
            issuer=self._provider.issuer,
            client=self._client,
            audience=self._audience,
            name=name,
            access_token=str(given["access_token"]),
            refresh_token=str(given.get("refresh_token") or ""),
            expires_at=self._clock.now() + timedelta(seconds=seconds),
        )


def _check_answer(answer: Mapping[str, str], found: Mapping[str, Any]) -> None:
    """Check that the answer is from whom we asked, and that it is a yes."""
    named = answer.get("iss")
    must = found.get("authorization_response_iss_parameter_supported") is True
    if (named is not None or must) and named != found["issuer"]:
        raise NotAuthenticated("the answer to the login is of another identity provider; try again")
    if "code" not in answer:
        code = answer.get("error", "")
        why = f" (`{code}`)" if code.isprintable() and 0 < len(code) <= 64 else ""
        raise NotAuthenticated(f"the login was refused{why}; try again")
