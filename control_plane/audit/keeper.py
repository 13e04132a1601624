"""Signs the head of every chain now and then, and keeps the signature in the second place.

What is signed must continue what was signed last: a chain that was cut, or whose tail was replaced, gets no signature
any more, and verifying names the place. The second place is written first. What the store says of a checkpoint is a
copy, and a record that it was made.
"""

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from control_plane.audit.ports import Vault
from control_plane.ports import Ledger, Written
from control_plane.tables import Tables
from domain.clock import Clock
from domain.errors import Conflict, NocturneError, Refused
from domain.keeping import Checkpoint
from domain.merkle import Peaks
from domain.records import Entry, record_id

SIGNED = "audit.checkpoint.signed"
_PAGE = 2000
_LOOK_EVERY_S = 1.0

log = structlog.get_logger("audit")


@dataclass(frozen=True)
class Pace:
    """A chain is signed once it has grown by `records`, and `seconds` after it was signed last, if it has grown."""

    records: int = 1000
    seconds: float = 60.0


class Keeper:
    """Looks once a second, in a thread of its own between `start` and `close`; signs a last time at the end."""

    def __init__(self, ledger: Ledger, clock: Clock, vault: Vault, pace: Pace | None = None) -> None:
        self._ledger, self._clock, self._vault = ledger, clock, vault
        self._pace = pace or Pace()
        self._signed_at: dict[str, float] = {}
        self._troubles: dict[str, str] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look."""
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop looking, and sign what has grown since."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self.look(at_once=True)

    def look(self, *, at_once: bool = False) -> list[Checkpoint]:
        """Sign every chain that is due (`at_once`: that has grown); one that cannot be signed is logged."""
        try:
            looked = [self._look_at(tenant, at_once=at_once) for tenant in self._ledger.tenants()]
        except NocturneError as error:  # the store itself does not answer
            self._warn("", error)
            return []
        return [made for made in looked if made is not None]

    def sign(self, tenant: str) -> Checkpoint | None:
        """Sign the head of a chain now; return None when nothing but its last checkpoint was added.

        Raises:
            Refused: the chain does not continue what was signed before; it was altered.
            Unavailable: store or second place cannot be reached.
        """
        last = self._last(tenant)
        if not self._has_grown(tenant, last):
            return None
        checkpoint = self._signature(tenant, self._grown(tenant, last))
        self._vault.anchor.append(checkpoint)
        self._ledger.do(lambda tables: _noted(tables, checkpoint, self._vault.anchor.name))
        self._signed_at[tenant] = self._clock.monotonic()
        return checkpoint

    def _run(self) -> None:
        while not self._stop.wait(_LOOK_EVERY_S):
            try:
                self.look()
            except Exception:  # a keeper that ends by a defect would leave every later tail unsigned
                log.exception("checkpoint_failed")

    def _look_at(self, tenant: str, *, at_once: bool) -> Checkpoint | None:
        try:
            made = self.sign(tenant) if at_once or self._is_due(tenant) else None
        except NocturneError as error:
            self._warn(tenant, error)
            return None
        self._troubles.pop(tenant, None)
        return made

    def _warn(self, tenant: str, error: NocturneError) -> None:
        """Say what is wrong once, not every second."""
        if self._troubles.get(tenant) != error.reason:
            self._troubles[tenant] = error.reason
            log.error("checkpoint_not_made", tenant=tenant, code=error.error_code, reason=error.reason)

    def _is_due(self, tenant: str) -> bool:
        last = self._ledger.read(lambda t: t.checkpoints.find(tenant=tenant, newest=True, limit=1))
        grown = self._ledger.tip(tenant)[0] - (last[0].sequence if last else 0)
        return grown >= self._pace.records or (grown > 1 and self._waited(tenant, last) >= self._pace.seconds)

    def _waited(self, tenant: str, last: Sequence[Checkpoint]) -> float:
        """Return the seconds since a chain was signed, or first seen: setting the time of day back stops no signing."""
        now = self._clock.monotonic()
        here = now - self._signed_at.setdefault(tenant, now)
        return max(here, (self._clock.now() - last[0].made_at).total_seconds()) if last else here

    def _last(self, tenant: str) -> Checkpoint | None:
        last = self._vault.anchor.last(tenant)
        if last is None:
            return None
        if not self._vault.signer.signed(last.key_id, last.payload, last.signature):
            raise Refused(f"the checkpoint `{last.id}` bears no signature of ours; verify the audit chain")
        return last

    def _has_grown(self, tenant: str, last: Checkpoint | None) -> bool:
        if last is None:
            return self._ledger.tip(tenant)[0] > 0
        if self._ledger.tip(tenant)[0] < last.sequence:
            raise Refused(f"the chain `{tenant}` ends before `{last.id}`, which was signed; verify the audit chain")
        rows = self._ledger.rows(tenant, after=last.sequence, limit=2)
        return any(json.loads(row.body).get("kind") != SIGNED for row in rows)

    def _grown(self, tenant: str, last: Checkpoint | None) -> tuple[str, Peaks]:
        """Return head and tree of a chain as it stands, grown from its last checkpoint."""
        head, tree = "", Peaks()
        if last is not None:
            head, tree = last.head, Peaks(last.sequence, last.peaks)
            rows = self._ledger.rows(tenant, after=last.sequence - 1, limit=1)
            if not rows or _ends(rows[0].body) != last.head:
                raise Refused(f"`{last.id}` is not the record that was signed; verify the audit chain")
        while rows := self._ledger.rows(tenant, after=tree.size, limit=_PAGE):
            for row in rows:
                if row.sequence != tree.size + 1 or (head and _follows(row.body) != head):
                    raise Refused(f"the chain `{tenant}` is broken at record {tree.size + 1}; verify the audit chain")
                head = _ends(row.body)
                tree.push(bytes.fromhex(head))
        return head, tree

    def _signature(self, tenant: str, grown: tuple[str, Peaks]) -> Checkpoint:
        head, tree = grown
        checkpoint = Checkpoint(
            id=record_id(tenant, tree.size),
            tenant=tenant,
            sequence=tree.size,
            head=head,
            root=tree.root,
            peaks=tree.peaks,
            key_id=self._vault.signer.key_id,
            signature="",
            made_at=self._clock.now(),
        )
        return checkpoint.but(signature=self._vault.signer.sign(checkpoint.payload))


def _noted(tables: Tables, checkpoint: Checkpoint, place: str) -> Written[None]:
    """Keep a copy of a checkpoint and record that it was made; twice for one place is an error of the store."""
    if tables.checkpoints.get(checkpoint.id) is not None:
        raise Conflict(f"the checkpoint `{checkpoint.id}` is in the store already")
    tables.checkpoints.add(checkpoint)
    fields = checkpoint.model_dump(mode="json", include={"sequence", "head", "root", "key_id"}) | {"place": place}
    entry = Entry(
        kind=SIGNED,
        actor="plane",
        refs=(checkpoint.id,),
        fields=fields,
        event_time=checkpoint.made_at,
        tenant=checkpoint.tenant,
    )
    return Written(None, (entry,))


def _ends(body: bytes) -> str:
    return _text(body, "hash")


def _follows(body: bytes) -> str:
    return _text(body, "previous")


def _text(body: bytes, name: str) -> str:
    try:
        found = json.loads(body)[name]
        return found if len(bytes.fromhex(found)) == 32 else ""
    except (ValueError, LookupError, TypeError):
        raise Refused("a record is damaged; verify the audit chain") from None
