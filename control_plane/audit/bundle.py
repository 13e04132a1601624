"""The record to take away: everything that an auditor needs to verify it without us, in one zip file.

It holds records, signed checkpoints, public keys, proofs, statistics of human oversight and a verifier of one file. A
record whose data may not leave its region is in it as a bare link of the chain, so that the rest still verifies.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from control_plane.audit.oversight import oversight
from control_plane.audit.ports import Signer
from control_plane.audit.proofs import InclusionProof
from domain.canonical import canonical
from domain.keeping import Checkpoint
from domain.records import Record

VERIFIER = Path(__file__).with_name("verify_nocturne.py")
_ABOUT = b"nocturne bundle\n"
_DAY = (1980, 1, 1, 0, 0, 0)  # the same content makes the same file

_README = """# A bundle of the audit record of `{tenant}`

Made {made_at}. It holds {records} records, of which {withheld} are withheld because their data belongs elsewhere: of
those there is the link of the chain, and nothing else.

    python verify_nocturne.py . {key_id}

needs Python 3.11 and nothing else, and answers `VERIFIED …`, or `BAD …` with the first thing that is wrong. `{key_id}`
is the key that is to be trusted: compare it with what `nocturne audit keys` says, or with what was told to you on
another way. Without it the first key of this bundle is believed: that proves that the bundle is whole, not whose it is.

| file | what it is |
|---|---|
| records.jsonl | the records in order; a field whose value and salt are null was redacted, and a record says so |
| checkpoints.jsonl | heads of the chain as they were signed (Ed25519), with the root of the Merkle tree (RFC 6962) |
| keys.json | the public keys, and which one vouched for which |
| proofs.json | for single records the way to a signed root (RFC 9162): enough to show one record without the others |
| oversight.json | what people decided, how often, how fast, counted from the records |
| bundle.json | the digest of every file, signed |
"""


def bundle(
    records: Iterable[Record],
    checkpoints: Iterable[Checkpoint],
    proofs: Iterable[InclusionProof],
    signer: Signer,
    *,
    tenant: str,
    residency: str | None,
    made_at: datetime,
) -> bytes:
    """Return the zip file. With `residency`, records of other regions are withheld, but for those of the audit room."""
    every, given = list(records), list(checkpoints)
    shown = [record for record in every if _may_leave(record, residency)]
    kept = {record.id for record in shown}
    files = {
        "records.jsonl": _lines(_row(record, withheld=record.id not in kept) for record in every),
        "checkpoints.jsonl": _lines(each.model_dump(mode="json") for each in given),
        "keys.json": _text(_keys(shown, signer, given)),
        "proofs.json": _text([_proof(each) for each in proofs]),
        "oversight.json": _text(oversight(shown).model_dump(mode="json")),
        "verify_nocturne.py": VERIFIER.read_bytes(),
    }
    counts = {"records": len(every), "withheld": len(every) - len(shown)}
    told = {"tenant": tenant, "made_at": made_at.isoformat(), **counts}
    files["README.md"] = _README.format(**told, key_id=_first_key(signer, given)).encode()
    manifest = {
        **told,
        "format": 1,
        "residency": residency,
        "head": every[-1].hash if every else "",
        "key_id": signer.key_id,
        "digests": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }
    files["bundle.json"] = _text({**manifest, "signature": signer.sign(_ABOUT + canonical(manifest))})
    return _zip(files)


def _may_leave(record: Record, residency: str | None) -> bool:
    return residency is None or record.residency == residency or record.kind.startswith("audit.")


def _row(record: Record, *, withheld: bool) -> Any:
    if withheld:
        return {"withheld": True, **record.model_dump(mode="json", include={"sequence", "previous", "hash"})}
    return record.model_dump(mode="json")


def _keys(records: Iterable[Record], signer: Signer, checkpoints: list[Checkpoint]) -> dict[str, Any]:
    values = ({name: field.value for name, field in each.fields.items()} for each in records if each.kind == ROTATED)
    successions = [[each[name] for name in ("old", "new", "public", "signature")] for each in values]
    return {"keys": dict(signer.keys), "first": _first_key(signer, checkpoints), "successions": successions}


def _first_key(signer: Signer, checkpoints: list[Checkpoint]) -> str:
    return checkpoints[0].key_id if checkpoints else signer.key_id


#: The record that says that one key followed another.
ROTATED = "audit.key.rotated"


def _proof(proof: InclusionProof) -> Mapping[str, Any]:
    return {"index": proof.index, "checkpoint": proof.checkpoint.sequence, "path": list(proof.path)}


def _lines(rows: Iterable[Any]) -> bytes:
    return b"".join(canonical(row) + b"\n" for row in rows)


def _text(value: Any) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True).encode() + b"\n"


def _zip(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, _DAY), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
