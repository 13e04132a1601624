"""The record taken away: it verifies in a process that knows nothing of us, and every kind of tamper in it is named."""

import io
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.memory import MemoryLedger
from control_plane.audit.bundle import VERIFIER
from control_plane.ports import Written
from domain.canonical import canonical
from domain.clock import ManualClock
from domain.records import Entry
from tests.control_plane.audit.conftest import Room
from tests.stage import make_stage

SUBSCRIBER = "imsi-001010123456789"


def unpacked(content: bytes, folder: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(folder)
    return folder


def verified(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """Run the bundle's own verifier in a process of its own that sees none of our folders and no package."""
    words = [sys.executable, "-I", "-S", str(folder / "verify_nocturne.py"), str(folder), *more]
    return subprocess.run(words, cwd=folder, env={}, capture_output=True, text=True, timeout=60, check=False)


def happened(room: Room, **more: object) -> None:
    entry = Entry(
        kind="gate.proposal.approved",
        actor="one",
        refs=("prop_1",),
        fields={
            "person": "one",
            "share": 1e-7,
            "subscriber": SUBSCRIBER,
            "text": "a\u2028b\U0001f600\ue000",
            "deep": {"\ue000": 1, "\U0001f600": [2.5, None]},
        },
        event_time=room.stage.clock.now(),
        **more,
    )
    room.stage.ledger.do(lambda _: Written(None, (entry,)))


@pytest.fixture(scope="module")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An unpacked bundle with two checkpoints by two keys, a redaction and a record that belongs elsewhere."""
    from datetime import UTC, datetime

    from control_plane.audit.desk import AuditDesk
    from control_plane.audit.keeper import Keeper

    clock = ManualClock(datetime(2026, 1, 12, 12, 0, tzinfo=UTC))
    stage = make_stage(clock, ledger=MemoryLedger(clock))
    vault = stage.road.vault
    assert vault is not None
    people = (stage.one.but(name="auditor", roles=frozenset({"auditor"})), stage.one.but(roles=frozenset({"admin"})))
    room = Room(stage, AuditDesk(stage.road), Keeper(stage.ledger, clock, vault), vault, *people)
    for _ in range(4):
        happened(room)
    room.keeper.sign("default")
    happened(room, residency="south")
    room.desk.rotate(people[1], "the yearly change")
    first = next(r for r in stage.ledger.records() if "subscriber" in r.fields)
    room.desk.redact(people[0], first.id, "subscriber", "asked")
    return unpacked(room.desk.bundle(people[0], residency="default"), tmp_path_factory.mktemp("bundle"))


@pytest.fixture
def folder(pattern: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pattern, tmp_path / "bundle"))


def test_the_verifier_is_one_short_file_that_imports_nothing_but_the_standard_library() -> None:
    source = VERIFIER.read_text("utf-8")

    assert len(source.splitlines()) < 200
    imported = {line.split()[1] for line in source.splitlines() if line.startswith(("import ", "from "))}
    assert imported <= sys.stdlib_module_names


def test_a_bundle_verifies_without_us(folder: Path) -> None:
    done = verified(folder)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("VERIFIED")
    assert "1 withheld, 1 fields redacted), 2 checkpoints" in done.stdout


def test_what_was_redacted_or_withheld_is_not_in_the_bundle(folder: Path) -> None:
    lines = [json.loads(line) for line in (folder / "records.jsonl").read_bytes().splitlines()]

    assert sum(SUBSCRIBER in json.dumps(line) for line in lines) == 3
    assert [set(line) for line in lines if line.get("withheld")] == [{"withheld", "sequence", "previous", "hash"}]


def test_the_key_that_one_trusts_must_be_the_first_of_the_bundle_or_lead_to_its_keys(folder: Path) -> None:
    keys = json.loads((folder / "keys.json").read_bytes())

    assert verified(folder, keys["first"]).returncode == 0
    assert "no trusted key signed it" in verified(folder, "0" * 16).stderr


def test_oversight_is_counted(folder: Path) -> None:
    said = json.loads((folder / "oversight.json").read_bytes())

    assert said["decisions"]["approved"] == 4
    assert (said["people"], said["redactions"]) == (1, 1)


Lines = list[bytes]


def edited(old: str, new: str) -> Callable[[Lines], Lines]:
    def edit(lines: Lines) -> Lines:
        at = next(n for n, line in enumerate(lines) if old.encode() in line)
        return [*lines[:at], lines[at].replace(old.encode(), new.encode()), *lines[at + 1 :]]

    return edit


def emptied(lines: Lines) -> Lines:
    at = next(n for n, line in enumerate(lines) if b'"share"' in line)
    record = json.loads(lines[at])
    record["fields"]["share"] = {"salt": None, "value": None}
    return [*lines[:at], canonical(record), *lines[at + 1 :]]


RECORDS: dict[str, tuple[Callable[[Lines], Lines], str]] = {
    "an actor": (edited('"actor":"one"', '"actor":"two"'), "its envelope was altered"),
    "a value": (edited('"value":"a', '"value":"b'), "its field `text` was altered"),
    "a number": (edited('"value":1e-7', '"value":2e-7'), "its field `share` was altered"),
    "no JSON": (edited('{"actor":"one"', '{"actor:"one"'), "its bytes are not those of a record"),
    "a row less": (lambda lines: lines[1:], "record default:000000000001: it is missing or out of order"),
    "a row in the middle less": (lambda lines: [*lines[:4], *lines[5:]], "record default:000000000005: it is missing"),
    "a row twice": (lambda lines: [*lines[:4], lines[3], *lines[4:]], "record default:000000000005: it is missing"),
    "two rows swapped": (lambda lines: [lines[1], lines[0], *lines[2:]], "record default:000000000001: it is missing"),
    "the tail": (lambda lines: lines[:-1], "the tail is lost"),
    "a field emptied": (emptied, "its field `share` was emptied without a recorded redaction"),
    "a blank": (edited('{"actor":"one"', '{ "actor":"one"'), "file records.jsonl: it was altered"),
}


@pytest.mark.parametrize("what", RECORDS)
def test_a_tampered_record_is_named(folder: Path, what: str) -> None:
    tamper, reason = RECORDS[what]
    path = folder / "records.jsonl"
    path.write_bytes(b"\n".join(tamper(path.read_bytes().splitlines())) + b"\n")

    done = verified(folder)

    assert done.returncode == 1
    assert reason in done.stderr


def later(lines: bytes) -> bytes:
    return lines.replace(b'"made_at":"2026', b'"made_at":"2027')


FILES: dict[str, tuple[str, Callable[[bytes], bytes], str]] = {
    "a checkpoint altered": ("checkpoints.jsonl", later, "it is forged"),
    "the checkpoints gone": ("checkpoints.jsonl", lambda _: b"", "damaged"),
    "a manifest altered": (
        "bundle.json",
        lambda text: text.replace(b'"format": 1', b'"format": 2'),
        "bundle.json: it is forged",
    ),
    "another key": ("keys.json", lambda text: text.replace(b'"first": "', b'"first": "f'), "no trusted key"),
    "a proof altered": ("proofs.json", lambda text: text.replace(b'"index": 4', b'"index": 5', 1), "proof of record"),
    "the statistics": (
        "oversight.json",
        lambda text: text.replace(b'"approved": 4', b'"approved": 5'),
        "oversight.json: it was altered",
    ),
    "the readme": ("README.md", lambda text: text + b"x", "README.md: it was altered"),
}


@pytest.mark.parametrize("what", FILES)
def test_a_tampered_file_is_named(folder: Path, what: str) -> None:
    name, tamper, reason = FILES[what]
    before = (folder / name).read_bytes()
    (folder / name).write_bytes(tamper(before))
    assert (folder / name).read_bytes() != before

    done = verified(folder)

    assert done.returncode == 1
    assert reason in done.stderr


def test_a_file_that_is_missing_is_said_and_not_a_stack_trace(folder: Path) -> None:
    (folder / "proofs.json").unlink()

    done = verified(folder)

    assert done.returncode == 1
    assert done.stderr.startswith("BAD a file is missing")
