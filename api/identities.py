"""The demo's identities: a file in the data folder that maps names to tokens, for its owner's eyes only."""

import json
import os
import stat
from pathlib import Path

from domain.errors import BadInput, Refused

IDENTITIES = "identities.json"
#: Beside it: the logins at an identity provider, and the one that is used where nobody is named.
SESSIONS = "sessions.json"
MINE = "me"


def write_identities(path: Path, tokens: dict[str, str]) -> None:
    """Write tokens where only their owner can read them, whatever was there before."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(tokens, file, indent=2)


def token_of(data: Path, account: str) -> str:
    """Return the token of a demo identity. Raises BadInput where there is none, Refused where others can read it."""
    path = data / IDENTITIES
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise Refused(f"`{path}` can be read by others; say `chmod 600` to it, or make new identities")
        tokens = json.loads(path.read_text())
        return str(tokens[account])
    except FileNotFoundError:
        raise BadInput(
            f"who is asking? there is no `{path}`: start `nocturne serve --demo`, name its folder with --data, "
            "or set NOCTURNE_TOKEN"
        ) from None
    except (KeyError, TypeError, ValueError):
        raise BadInput(f"`{path}` knows no account `{account}`; look into it for those it knows") from None
    except OSError as error:
        raise BadInput(f"`{path}` cannot be read ({error.strerror}); set NOCTURNE_TOKEN instead") from None
