"""Checks a Nocturne audit bundle with nothing but the standard library: python verify_nocturne.py FOLDER [KEY_ID].

It follows the records through their commitments and every signed checkpoint, checks proofs and digests, and names the
first thing that is wrong (exit status 1). A key is trusted that you name, or the first of the bundle, or one that a
trusted key signed for: so compare the id that is printed with what the house told you on another way.
"""

import hashlib
import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

Point = tuple[int, int, int, int]


class Bad(Exception):
    """What is wrong, and where."""


def _require(true: bool, what: str) -> None:
    if not true:
        raise Bad(what)


def _sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _number(x: float) -> str:
    """As ECMAScript writes it: the shortest digits that tell it."""
    if isinstance(x, int) or not x:
        return json.dumps(x if isinstance(x, int) else 0)
    minus, figures, exponent = Decimal(repr(x)).normalize().as_tuple()
    text, n = "".join(map(str, figures)), len(figures) + int(exponent)
    if len(text) <= n <= 21:
        text += "0" * (n - len(text))
    elif 0 < n <= 21:
        text = text[:n] + "." + text[n:]
    elif -6 < n <= 0:
        text = "0." + "0" * -n + text
    else:
        text = text[0] + ("." + text[1:] if len(text) > 1 else "") + f"e{n - 1:+d}"
    return "-" * minus + text


def canonical(x: Any) -> str:
    """RFC 8785."""
    if isinstance(x, dict):
        keys = sorted(x, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(canonical(key) + ":" + canonical(x[key]) for key in keys) + "}"
    if isinstance(x, list):
        return "[" + ",".join(map(canonical, x)) + "]"
    return _number(x) if isinstance(x, int | float) else json.dumps(x, ensure_ascii=False)


# Ed25519 signatures: RFC 8032, section 5.1.7
_P, _L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P


def _add(a: Point, b: Point) -> Point:
    e, f = (a[1] - a[0]) * (b[1] - b[0]), (a[1] + a[0]) * (b[1] + b[0])
    c, d = 2 * a[3] * b[3] * _D, 2 * a[2] * b[2]
    e, f, g, h = f - e, d - c, d + c, f + e
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _times(k: int, point: Point) -> Point:
    total = (0, 1, 1, 0)
    while k:
        total = _add(total, point) if k & 1 else total
        point, k = _add(point, point), k >> 1
    return total


def _decoded(data: bytes) -> Point:
    y = int.from_bytes(data, "little") & (1 << 255) - 1
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * pow(2, (_P - 1) // 4, _P) % _P
    if y >= _P or (x * x - square) % _P or (x == 0 and data[31] >> 7):
        raise ValueError("no point of the curve")
    x = _P - x if x & 1 != data[31] >> 7 else x
    return x, y, 1, x * y % _P


_BASE = _decoded((4 * pow(5, _P - 2, _P) % _P).to_bytes(32, "little"))


def signed(public: str, payload: bytes, signature: str) -> bool:
    """Say whether the key signed the payload. Raises ValueError for what is no key or no signature."""
    key, sign = bytes.fromhex(public), bytes.fromhex(signature)
    r, a, s = _decoded(sign[:32]), _decoded(key), int.from_bytes(sign[32:], "little")
    h = int.from_bytes(hashlib.sha512(sign[:32] + key + payload).digest(), "little") % _L
    one, other = _times(s, _BASE), _add(r, _times(h, a))
    same = not any((one[i] * other[2] - other[i] * one[2]) % _P for i in (0, 1))
    return same and s < _L and (len(key), len(sign)) == (32, 64)


# Merkle trees: RFC 9162, section 2.1.3.2
def proves(leaf: bytes, index: int, size: int, path: list[str], root: str) -> bool:
    """Say whether the path leads from a leaf to the root."""
    node, last, left = _sha(b"\0" + leaf), size - 1, [bytes.fromhex(each) for each in path]
    while last > 0:
        if left and (index % 2 or index < last):
            beside = left.pop(0)
            node = _sha(b"\1" + beside + node) if index % 2 else _sha(b"\1" + node + beside)
        index, last = index // 2, last // 2
    return not left and node.hex() == root


class Bundle:
    """One bundle, and what was found in it so far."""

    def __init__(self, folder: Path, pinned: str = "") -> None:
        self.folder, keys = folder, json.loads((folder / "keys.json").read_bytes())
        self.manifest = json.loads((folder / "bundle.json").read_bytes())
        self.keys, self.trusted = keys["keys"], [pinned or keys["first"]]
        for old, new, public, signature in keys["successions"]:
            if old in self.trusted and signed(self.keys[old], b"nocturne key\n" + public.encode(), signature):
                self.trusted.append(new)
        self.hashes, self.withheld, self.emptied, self.allowed = [""], 0, dict[Any, str](), set[Any]()

    def lines(self, name: str) -> list[bytes]:
        return [line for line in (self.folder / name).read_bytes().split(b"\n") if line]

    def vouched(self, what: dict[str, Any], about: bytes, name: str) -> None:
        public, unsigned = self.keys.get(what["key_id"], ""), {key: what[key] for key in what if key != "signature"}
        known = what["key_id"] in self.trusted and _sha(bytes.fromhex(public)).hex()[:16] == what["key_id"]
        _require(known, f"{name}: no trusted key signed it")
        _require(signed(public, about + canonical(unsigned).encode(), what["signature"]), f"{name}: it is forged")

    def follow(self, record: dict[str, Any], sequence: int, head: str, name: str) -> None:
        _require(record["sequence"] == sequence, f"{name}: it is missing or out of order")
        _require(record["previous"] == head, f"{name}: it does not follow the record before it")
        if record.get("withheld"):
            self.withheld += 1
            return
        envelope = {key: record[key] for key in record if key not in {"fields", "hash"}}
        _require(f"record {record['id']}" == name, f"{name}: another record stands in its place")
        _require(_sha(canonical(envelope).encode()).hex() == record["hash"], f"{name}: its envelope was altered")
        _require(set(record["fields"]) == set(record["commitments"]), f"{name}: a field was added or taken away")
        for key, field in record["fields"].items():
            if field == {"salt": None, "value": None}:
                self.emptied[record["id"], key] = f"{name}: its field `{key}` was emptied without a recorded redaction"
                continue
            committed = _sha(bytes.fromhex(field["salt"] or "") + canonical([key, field["value"]]).encode()).hex()
            _require(committed == record["commitments"][key], f"{name}: its field `{key}` was altered")
        if record["kind"] == "audit.field.redacted":
            self.allowed.add((record["fields"]["record"]["value"], record["fields"]["field"]["value"]))

    def check(self) -> str:
        self.vouched(self.manifest, b"nocturne bundle\n", "file bundle.json")
        checkpoints, peaks, tenant = {}, list[bytes](), self.manifest["tenant"]
        for one in map(json.loads, self.lines("checkpoints.jsonl")):
            self.vouched(one, b"nocturne checkpoint\n", f"checkpoint {one['id']}")
            checkpoints[one["sequence"]] = one
        for size, line in enumerate(self.lines("records.jsonl"), 1):
            name = f"record {tenant}:{size:012d}"
            try:
                record = json.loads(line)
                self.follow(record, size, self.hashes[-1] or "0" * 64, name)
                node, odd = _sha(b"\0" + bytes.fromhex(record["hash"])), size - 1
            except (ValueError, TypeError, LookupError, AttributeError):
                raise Bad(f"{name}: its bytes are not those of a record") from None
            self.hashes.append(record["hash"])
            while odd & 1:
                node, odd = _sha(b"\1" + peaks.pop() + node), odd >> 1
            peaks.append(node)
            if size in checkpoints:
                for peak in peaks[-2::-1]:
                    node = _sha(b"\1" + peak + node)
                same = (checkpoints[size]["head"], checkpoints[size]["root"]) == (record["hash"], node.hex())
                _require(same, f"{name}: it is not the one that its checkpoint signed")
        size = len(self.hashes) - 1
        signed_to = max([self.manifest["records"], *checkpoints])
        _require(size >= signed_to, f"record {tenant}:{size + 1:012d}: the tail is lost")
        for place in sorted(set(self.emptied) - self.allowed):
            raise Bad(self.emptied[place])
        for one in json.loads((self.folder / "proofs.json").read_bytes()):
            at, leaf = checkpoints[one["checkpoint"]], bytes.fromhex(self.hashes[one["index"] + 1])
            proven = proves(leaf, one["index"], at["sequence"], one["path"], at["root"])
            _require(proven, f"proof of record {one['index'] + 1}: it does not lead to the signed root")
        for name, wanted in sorted(self.manifest["digests"].items()):
            _require(_sha((self.folder / name).read_bytes()).hex() == wanted, f"file {name}: it was altered")
        told = f"{self.withheld} withheld, {len(self.emptied)} fields redacted"
        return f"VERIFIED {size} records ({told}), {len(checkpoints)} checkpoints, key {self.trusted[0]}\n"


if __name__ == "__main__":
    try:
        sys.stdout.write(Bundle(Path(sys.argv[1]), "".join(sys.argv[2:3])).check())
    except (Bad, OSError, ValueError, LookupError, TypeError, ArithmeticError) as bad:
        sys.exit(f"BAD {bad}" if isinstance(bad, Bad) else f"BAD a file is missing or damaged: {bad!r}"[:300])
