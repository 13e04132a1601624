"""The logins of this machine's user: a file in the data folder, for its owner's eyes only, that maps names to sessions.

A session whose access token runs out is renewed when it is next used. Two commands that run at once take turns, because
a provider may hand out a new refresh token each time, and take a second use of the old one for a theft.
"""

import json
import os
import stat
from pathlib import Path

from filelock import FileLock
from pydantic import TypeAdapter, ValidationError

from adapters.identity.signing_in import Session, SigningIn
from api.identities import SESSIONS
from domain.clock import Clock
from domain.errors import BadInput, NotAuthenticated, Refused

_ALL = TypeAdapter(dict[str, Session])


class Sessions:
    """The sessions of one data folder."""

    def __init__(self, data: Path, clock: Clock) -> None:
        self._path = data / SESSIONS
        self._lock = FileLock(str(self._path) + ".lock", mode=0o600)
        self._clock = clock

    def has(self, name: str) -> bool:
        """Say whether there is a login of this name."""
        return name in self._read()

    def get(self, name: str) -> Session:
        """Return a login. Raises BadInput where there is none."""
        found = self._read().get(name)
        if found is None:
            raise BadInput(f"nobody is logged in as `{name}`; say `nocturne login`")
        return found

    def keep(self, name: str, session: Session) -> None:
        """Keep a login under a name, in the place of what was there."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._lock:
            self._write(self._read() | {name: session})

    def forget(self, name: str) -> None:
        """Drop a login."""
        if self._path.exists():
            with self._lock:
                self._write({key: value for key, value in self._read().items() if key != name})

    def token(self, name: str, *, secret: str = "") -> str:
        """Return an access token that holds, renewed where it had to be.

        `secret` is that of a machine: it then gets its next token by that.

        Raises:
            BadInput: there is no such login.
            NotAuthenticated: it is over.
            Unavailable: the provider does not answer.
        """
        session = self.get(name)
        if session.holds(self._clock.now()):
            return session.access_token
        with self._lock:
            session = self.get(name)
            if not session.holds(self._clock.now()):
                session = self._next(session, secret)
                self._write(self._read() | {name: session})
        return session.access_token

    def _next(self, session: Session, secret: str) -> Session:
        door = SigningIn(session.issuer, session.client, self._clock, audience=session.audience, secret=secret)
        return door.as_machine() if secret else door.renewed(session)

    def _read(self) -> dict[str, Session]:
        try:
            if stat.S_IMODE(self._path.stat().st_mode) & 0o077:
                raise Refused(f"`{self._path}` can be read by others; say `chmod 600` to it, then log in again")
            return _ALL.validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except ValidationError:
            raise BadInput(f"`{self._path}` is no file of logins; remove it and log in again") from None
        except OSError as error:
            raise BadInput(f"`{self._path}` cannot be read ({error.strerror})") from None

    def _write(self, sessions: dict[str, Session]) -> None:
        fresh = self._path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump({name: session.model_dump(mode="json") for name, session in sessions.items()}, file, indent=2)
        fresh.replace(self._path)


def machine_token(
    sessions: Sessions, *, issuer: str, audience: str, client: str, secret: str, clock: Clock, fresh: bool = False
) -> str:
    """Return a token of a machine's own, from the file while it holds. Raises NotAuthenticated, Unavailable."""
    if not secret:
        raise NotAuthenticated(
            "the machine's secret is not here; set NOCTURNE_CLIENT_SECRET or NOCTURNE_CLIENT_SECRET_FILE"
        )
    name = f"client:{client}@{issuer}"
    if fresh or not sessions.has(name):
        sessions.keep(name, SigningIn(issuer, client, clock, audience=audience, secret=secret).as_machine())
    return sessions.token(name, secret=secret)
