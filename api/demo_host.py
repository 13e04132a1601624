"""What `nocturne serve --demo` adds to a server: an emulated network, identities, and an incident that waits for you.

The identities' tokens are random, written for their owner only, and end with the data folder they were made in.
"""

import contextlib
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from adapters.network.emulated.launcher import RunningPlant
from adapters.store.lock import FolderLock
from api.bootstrap import House
from api.demo import stage
from api.identities import IDENTITIES, write_identities
from api.settings import Settings
from control_plane.cards import Card
from domain.errors import BadInput, Conflict, NocturneError
from domain.identity import Principal, Role
from domain.incidents import IncidentState

#: Account, its roles, and the human behind it (none, for a machine).
CAST = (
    ("viewer", Role.VIEWER, "the viewer"),
    ("operator", Role.OPERATOR, "the operator on shift"),
    ("approver-one", Role.APPROVER, "the first approver"),
    ("approver-two", Role.APPROVER, "the second approver"),
    ("engineer", Role.ENGINEER, "the domain engineer"),
    ("change-manager", Role.CHANGE_MANAGER, "the change manager"),
    ("ml-engineer", Role.ML_ENGINEER, "the ML engineer"),
    ("auditor", Role.AUDITOR, "the auditor"),
    ("admin", Role.ADMIN, "the administrator"),
    ("feed", Role.FEED, ""),
)
_DATABASE = "nocturne.db"
_MARK = "demo"  # this file says that a folder's content may be moved aside
_LEFT = ("nocturne.db*", "wakes.db*", "journal.jsonl", "plant.log", "inventory.json")
_EARLIER = "earlier"
_POLL_S = 0.25
_BASELINE_S = 3.0
_PATIENCE_S = 30.0
_MOST_FAULTS = 10


@contextlib.contextmanager
def demo_house(settings: Settings) -> Iterator[House]:
    """Start an emulated network and a house over it; host the evening in a thread of its own; end both.

    Raises:
        BadInput: the settings name a database, in which a demo would leave its story.
        Conflict: the data folder is in use, or holds the data of a real network.
    """
    if settings.database:
        raise BadInput("a demo keeps everything in its own folder; unset NOCTURNE_DATABASE, or serve without --demo")
    clear_stage(settings.data)
    with stage(settings) as (house, plant):
        tokens = {name: _issued(house, name, role, person) for name, role, person in CAST}
        write_identities(settings.data / IDENTITIES, {name: token for name, (_who, token) in tokens.items()})
        _say(_welcome(settings))
        over = threading.Event()
        host = threading.Thread(
            target=_host, args=(house, plant, settings.seed, tokens["viewer"][0], over), name="demo-host", daemon=True
        )
        host.start()
        try:
            yield house
        finally:
            over.set()
            host.join()
            (settings.data / IDENTITIES).unlink(missing_ok=True)


def _issued(house: House, name: str, role: Role, person: str) -> tuple[Principal, str]:
    return house.issuer.issue(name, {role}, person)


def clear_stage(data: Path) -> None:
    """Move aside what an earlier demo left: its network is gone, so nothing of it can go on."""
    data.mkdir(parents=True, exist_ok=True)
    with FolderLock(data):
        if not (data / _MARK).exists() and (data / _DATABASE).exists():
            raise Conflict(f"`{data}` holds the data of a real network; name another folder with --data")
        (data / _MARK).touch()
        left = [path for pattern in _LEFT for path in data.glob(pattern)]
        if left:
            aside = data / _EARLIER / str(1 + sum(1 for _ in (data / _EARLIER).glob("*")))
            aside.mkdir(parents=True)
            for path in left:
                path.rename(aside / path.name)


def _host(house: House, plant: RunningPlant, seed: int, viewer: Principal, over: threading.Event) -> None:
    """Let something go wrong, until an incident waits for a human; then say what to do."""
    over.wait(_BASELINE_S)
    umpire = plant.umpire()
    for attempt in range(_MOST_FAULTS):
        if over.is_set():
            return
        try:
            umpire.inject(*umpire.choose_fault(seed + attempt))
            card = _waiting(house, viewer, over)
        except NocturneError as error:
            _say(f"The demo's fault could not be made: {error.reason}")
            continue
        if card is not None:
            _say(_invitation(card))
            return


def _waiting(house: House, viewer: Principal, over: threading.Event) -> Card | None:
    """Return the first card of the inbox, or None when the incident ended without a person, or patience did."""
    seen = False
    for _ in range(int(_PATIENCE_S / _POLL_S)):
        if over.wait(_POLL_S):
            return None
        inbox = house.queries.inbox(viewer)
        settled = [card for card in inbox if card.diagnosis and not card.diagnosis.provisional]
        if settled:
            return settled[0]
        is_open = bool(house.queries.incidents(viewer, state=IncidentState.OPEN))
        if seen and not is_open:
            return None
        seen = seen or is_open
    return None


def _welcome(settings: Settings) -> str:
    option = "" if settings.data == Path("var") else f" --data {settings.data}"
    names = ", ".join(name for name, _role, _person in CAST)
    return f"""
Nocturne runs at {settings.url} (its API: {settings.url}/docs), over an emulated network ({settings.network}).
Demo identities: {names}. Their tokens are in {settings.data / IDENTITIES}.

  nocturne inbox{option}                        what waits for you
  nocturne show ID{option}                      everything about one proposal
  nocturne approve ID --because "…"{option}     say yes (a second signature: --as approver-two)
  nocturne ask "why?"{option}                   an answer from recorded facts
  nocturne audit verify{option}                 follow the record, link by link

Something will go wrong in a moment. Ctrl-C ends it all.
"""


def _invitation(card: Card) -> str:
    return f"""An incident waits for you: {card.proposal.title}
  nocturne show {card.proposal.id}
  nocturne approve {card.proposal.id} --because "…"
"""


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
