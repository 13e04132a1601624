"""The desk of the audit room: what auditors ask for. Everything that is taken out or emptied is itself recorded."""

from collections.abc import Iterator, Sequence
from itertools import islice

from control_plane import refusals
from control_plane.audit import bundle, proofs, trail, verifying
from control_plane.audit.export import Format, written
from control_plane.audit.keeper import Keeper
from control_plane.audit.ports import Vault
from control_plane.audit.proofs import ConsistencyProof, Forest, InclusionProof
from control_plane.audit.searching import Wanted, search
from control_plane.audit.trail import Trail
from control_plane.horizon import Horizon
from control_plane.ports import Written
from control_plane.rights import need
from control_plane.road import Road
from domain.base import Word
from domain.errors import BadInput, NotFound, Refused, Unavailable
from domain.identity import Permission, Principal
from domain.keeping import Checkpoint
from domain.records import REDACTED, Entry, Record, Redaction, record_id

_REASON_MOST = 2000
_PROOFS_MOST = 200
_MENTIONS_MOST = 1000


class Redacted(Word):
    """What was emptied, and where the record says so. `still_named`: the same text stands among the record's refs."""

    record: str
    field: str
    by: str
    because: str
    still_named: bool


class Keys(Word):
    """The public keys by which checkpoints are known: id to 64 hexadecimal digits."""

    key_id: str
    keys: dict[str, str]


@refusals.recorded
class AuditDesk:
    """Commands and queries of the audit room."""

    def __init__(self, road: Road) -> None:
        self._road = road
        self._forest = Forest(road.ledger)

    # --- reading ---

    def search(self, who: Principal, wanted: Wanted, *, limit: int = 200, after: int = 0) -> list[Record]:
        """Return records by who, what, when and where, in order of the chain."""
        need(who, Permission.READ_RECORD)
        found = search(self._road.ledger, who.tenant, wanted, after=after)
        return list(islice(filter(self._horizon(who).record, found), limit))

    def trail(self, who: Principal, id: str, *, forward: bool = False) -> Trail:
        """Return everything behind an action; `forward`: everything that rested on a raw event. Raises NotFound."""
        need(who, Permission.READ_RECORD)
        follow = trail.ahead if forward else trail.behind
        horizon = self._horizon(who)
        found = self._road.ledger.read(lambda tables: follow(tables, horizon, id))
        return found.but(records=self._mentioning(horizon, trail.mentioned(found)))

    def verify(self, who: Principal, *, full: bool = True) -> verifying.AuditVerdict:
        """Verify the chain, through every checkpoint; not `full`: from the newest checkpoint on."""
        need(who, Permission.READ_RECORD)
        return verifying.verify(self._road.ledger, self._road.vault, who.tenant, full=full)

    # --- checkpoints and proofs ---

    def checkpoints(self, who: Principal) -> list[Checkpoint]:
        """Return the signed checkpoints of the caller's tenant as the second place has them. Raises Unavailable."""
        need(who, Permission.READ_RECORD)
        return self._vault().anchor.read(who.tenant)

    def keys(self, who: Principal) -> Keys:
        """Return the public keys, the newest named."""
        need(who, Permission.READ_RECORD)
        return Keys(key_id=self._vault().signer.key_id, keys=dict(self._vault().signer.keys))

    def sign(self, who: Principal) -> Checkpoint | None:
        """Sign the head of the chain now; None when nothing was added since. Raises Refused, Unavailable."""
        need(who, Permission.EXPORT)
        return self._keeper().sign(who.tenant)

    def rotate(self, who: Principal, because: str) -> Keys:
        """Sign with a new key from now on. The old one vouches for it in the record, and is destroyed."""
        need(who, Permission.KEEP_KEYS)
        reason, signer = _reason(because), self._vault().signer
        # a store that cannot be written is found out while the old key, which must vouch for the new one, is there
        self._note("audit.key.rotating", who, old=signer.key_id, because=reason)
        said = signer.rotate()._asdict() | {"because": reason}
        for tenant in {*self._road.ledger.tenants(), who.tenant}:
            made = self._entry(bundle.ROTATED, who, said["new"], tenant=tenant, **said)
            self._road.ledger.do(lambda _, made=made: Written(None, (made,)))  # type: ignore[misc]  # bound at once
        return Keys(key_id=signer.key_id, keys=dict(signer.keys))

    def prove(self, who: Principal, id: str) -> InclusionProof:
        """Return the way from a record to the root of the newest checkpoint. Raises NotFound while none covers it."""
        need(who, Permission.READ_RECORD)
        sequence = self._sequence(who, id)
        self._record(who, sequence)
        newest = self._newest(who.tenant)
        if newest is None or newest.sequence < sequence:
            raise NotFound(f"no checkpoint covers `{id}` yet; wait for the next one, or run `nocturne audit sign`")
        return self._proof(sequence, newest)

    def prove_growth(self, who: Principal, first: int, second: int) -> ConsistencyProof:
        """Return the proof that the chain under one checkpoint is the beginning of that under a later one."""
        need(who, Permission.READ_RECORD)
        known = {each.sequence: each for each in self._vault().anchor.read(who.tenant)}
        for sequence in (first, second):
            if sequence not in known:
                raise NotFound(f"there is no checkpoint at record {sequence}; `nocturne audit checkpoints` lists them")
        if first > second:
            raise BadInput("the first checkpoint is the later one; swap them")
        path = self._forest.consistency(known[first], known[second])
        return proofs.ConsistencyProof(first=known[first], second=known[second], path=path)

    # --- taking out ---

    def redact(self, who: Principal, id: str, name: str, because: str) -> Redacted:
        """Empty one field of a record for ever: its value and salt go, its commitment stays, the chain verifies.

        Raises:
            NotFound: there is no such record or field.
            Conflict: it is empty already, or the record was altered.
            Refused: the caller may not, or the record says that something was redacted.
        """
        need(who, Permission.REDACT)
        reason, sequence = _reason(because), self._sequence(who, id)
        record = self._record(who, sequence)
        if record.kind.startswith("audit."):
            raise BadInput(f"`{id}` tells what was done to the record itself; it holds nothing that could be taken out")
        named = name in record.fields and record.fields[name].value in record.refs
        said = {"record": record.id, "field": name, "because": reason}
        made = self._entry(REDACTED, who, record.id, tenant=who.tenant, **said)
        where = Redaction(who.tenant, sequence, name)
        self._road.ledger.do(lambda _: Written(None, (made,), redactions=(where,)))
        return Redacted(**said, by=who.name, still_named=named)

    def export(self, who: Principal, as_: Format, wanted: Wanted) -> Iterator[str]:
        """Yield records as text of a format. That it was asked for is recorded before anything is given out."""
        need(who, Permission.EXPORT)
        asked = wanted.model_dump(mode="json", exclude_none=True)
        upto = self._road.ledger.tip(who.tenant)[0]
        self._note("audit.record.exported", who, format=str(as_), wanted=asked, up_to=upto)
        found = filter(self._horizon(who).record, search(self._road.ledger, who.tenant, wanted))
        return written((record for record in found if record.sequence <= upto), as_)

    def bundle(self, who: Principal, residency: str | None = None) -> bytes:
        """Return the whole record as a zip file that verifies without us (see `bundle`). It is signed first."""
        need(who, Permission.EXPORT)
        if not self._horizon(who).everywhere:
            raise Refused(f"a bundle holds the whole record, and `{who.name}` has some regions of it; export those")
        self._note("audit.record.bundled", who, residency=residency or "")
        self._keeper().sign(who.tenant)
        vault, tenant = self._vault(), who.tenant
        checkpoints = vault.anchor.read(tenant)
        last = checkpoints[-1].sequence
        records = [each for each in search(self._road.ledger, tenant, Wanted()) if each.sequence <= last]
        acts = [each.sequence for each in records if each.kind.startswith(("gate.", "act."))][-_PROOFS_MOST:]
        return bundle.bundle(
            records,
            checkpoints,
            [self._proof(sequence, checkpoints[-1]) for sequence in acts],
            vault.signer,
            tenant=tenant,
            residency=residency,
            made_at=self._road.clock.now(),
        )

    # --- how it is done ---

    def _vault(self) -> Vault:
        if self._road.vault is None:
            raise Unavailable("no second place for checkpoints is connected here; set NOCTURNE_CHECKPOINTS")
        return self._road.vault

    def _keeper(self) -> Keeper:
        return Keeper(self._road.ledger, self._road.clock, self._vault())

    def _newest(self, tenant: str) -> Checkpoint | None:
        return self._vault().anchor.last(tenant)

    def _proof(self, sequence: int, checkpoint: Checkpoint) -> InclusionProof:
        head, path = self._forest.inclusion(sequence, checkpoint)
        return InclusionProof(
            record_id=record_id(checkpoint.tenant, sequence),
            hash=head,
            index=sequence - 1,
            path=path,
            checkpoint=checkpoint,
            public_key=self._vault().signer.keys.get(checkpoint.key_id, ""),
        )

    def _horizon(self, who: Principal) -> Horizon:
        return Horizon(self._road.live, who)

    def _mentioning(self, horizon: Horizon, ids: Sequence[str]) -> tuple[str, ...]:
        ledger = self._road.ledger
        told = (record for id in ids for record in ledger.records(horizon.tenant, ref=id, limit=_MENTIONS_MOST))
        return tuple(sorted({record.id for record in told if horizon.record(record)}))

    def _sequence(self, who: Principal, id: str) -> int:
        """Return the sequence number of a record that is named by its id or by the number alone. Raises NotFound."""
        tenant, _, digits = id.rpartition(":")
        if tenant not in {"", who.tenant} or not digits.isascii() or not digits.isdecimal() or len(digits) > 18:
            raise NotFound(f"there is no record `{id}`; `nocturne audit show` lists them")
        return int(digits)

    def _record(self, who: Principal, sequence: int) -> Record:
        found = self._road.ledger.records(who.tenant, after=sequence - 1, limit=1)
        if not found or found[0].sequence != sequence or not self._horizon(who).record(found[0]):
            raise NotFound(f"there is no record `{record_id(who.tenant, sequence)}`; `nocturne audit show` lists them")
        return found[0]

    def _note(self, kind: str, who: Principal, **fields: object) -> None:
        made = self._entry(kind, who, tenant=who.tenant, **fields)
        self._road.ledger.do(lambda _: Written(None, (made,)))

    def _entry(self, kind: str, who: Principal, *refs: str, tenant: str, **fields: object) -> Entry:
        now = self._road.clock.now()
        return Entry(kind=kind, actor=who.name, refs=refs, fields=fields, event_time=now, tenant=tenant)


def _reason(because: str) -> str:
    text = because.strip()
    if not any(sign.isprintable() for sign in text) or len(text) > _REASON_MOST:
        raise BadInput(f"give a reason of 1 to {_REASON_MOST} readable characters: it is part of the record")
    return text
