"""No secret stands in the code: nothing that is kept in the repository looks like a key, a token or a password."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

FORMS = {
    "a private key": re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s+[A-Za-z0-9+/]{40}"),
    "a token of ours": re.compile(r"nct_\w{4,}_(?!x{8})[A-Za-z0-9_-]{40,}"),
    "a cloud key": re.compile(r"\bAKIA[0-9A-Z]{16}\b"),
    "a token of a code host": re.compile(r"\b(?:gh[pousr]|glpat|xox[bpars])[_-][A-Za-z0-9-]{20,}"),
    "a signed web token": re.compile(r"\beyJ[\w-]{20,}\.eyJ[\w-]{20,}\.[\w-]{20,}"),
    "a password in an address": re.compile(
        r"\w+://[\w.-]+:(?!\*|…|password@|secret@|hidden|\{|<|\.\.\.)[^@\s/'\"`]{6,}@[a-z0-9.-]+\.[a-z]{2,}"
    ),
    "a value given to a secret's name": re.compile(
        r"(?i)\b(?:password|passwd|api_key|client_secret|private_key)\s*=\s*[\"'](?=[^\"']*\d)(?=[^\"']*[a-z])[^\"'\s{}]{16,}[\"']"
    ),
}


def secrets_in(text: str) -> list[str]:
    return [name for name, form in FORMS.items() if form.search(text)]


def kept() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if listed.returncode:
        pytest.skip("this is no git checkout: there is no list of what is kept")
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_nothing_that_is_kept_holds_a_secret() -> None:
    found = {}
    for path in kept():
        if path == Path(__file__) or path.suffix in {".safetensors", ".png", ".gz", ".zip"}:
            continue
        text = path.read_text("utf-8", errors="replace")
        if names := secrets_in(text):
            found[str(path.relative_to(ROOT))] = names

    assert {name: what for name, what in found.items() if not name.startswith("tests/")} == {}
    assert {name: what for name, what in found.items() if "a private key" in what} == {}


def test_no_key_or_database_file_is_kept() -> None:
    assert [path.name for path in kept() if path.suffix in {".key", ".pem", ".p12", ".db", ".sqlite", ".env"}] == []


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN PRIVATE KEY-----\n" + "A" * 48,
        "TOKEN = 'nct_acc1_" + "Ab3" * 16 + "'",
        "AKIA" + "ABCDEFGH12345678",
        "ghp_" + "a1B2" * 8,
        "postgresql://nocturne:s3cr3tpass@db.example.net/x",
        "password = 'hunter2hunter2hunter2'",
        "eyJ" + "a" * 24 + ".eyJ" + "b" * 24 + "." + "c" * 24,
    ],
)
def test_a_secret_would_be_found(text: str) -> None:
    assert secrets_in(text) != []
