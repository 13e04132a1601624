"""Row 13 and what has no number: the record on the disk, other sites' pages, logs, errors, guesses, emergencies."""

import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.attacks.live.book import Tried, codes, row
from tests.attacks.live.site import GUESSES, WEBHOOK, Site


@row("cookies", "cookies and pages of other sites cannot approve or read")
def other_sites(site: Site, tried: Tried) -> None:
    path = f"/proposals/{site.first['id']}/approve"
    evil = {"Origin": "https://evil.example", "Referer": "https://evil.example/x"}
    for media in ("application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x"):
        headers = evil | {"Cookie": f"token={site.tokens['one']}", "Content-Type": media}
        answer = site.ask("POST", path, content=b'{"because": "x"}', headers=headers)
        tried.attack(f"a form of {media}", answer.status_code == 401, answer.text)
        site.get("viewer", "/inbox")
    asked = evil | {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    for method in ("OPTIONS", "GET"):
        answer = site.ask(method, "/inbox", "one", headers=asked)
        given = [name for name in answer.headers if name.startswith("access-control-") or name == "set-cookie"]
        tried.attack(f"{method} lets other pages read", given == [], given)
    tried.control("request with a token", site.get("one", "/inbox").status_code == 200)
    tried.saw("no cookie is given or believed, no header of CORS is sent")


@row("open doors", "docs, metrics and debug are not open; errors show no stack trace")
def open_doors(site: Site, tried: Tried) -> None:
    for path in ("/docs", "/openapi.json", "/metrics", "/debug", "/redoc", "/static-offline-docs/x.js", "/.git/config"):
        answer = site.ask("GET", path)
        tried.attack(path, answer.status_code in {401, 404}, answer.status_code)
        site.get("viewer", "/inbox")
    for method, path in (("GET", "/proposals/%ff"), ("PUT", "/inbox"), ("GET", "/audit?limit=x"), ("BREW", "/inbox")):
        answer = site.ask(method, path, "auditor")
        fine = 400 <= answer.status_code < 500 and not re.search(r"Traceback|\.py|line \d+, in", answer.text)
        tried.attack(f"{method} {path}", fine, answer.text)
    tried.control("docs for who may read", site.get("viewer", "/openapi.json").status_code == 200)
    tried.saw("401 or 404 without a token; errors are one sentence")


@row("logs", "no secret stands in the log, and no line of it is forged")
def logs(site: Site, tried: Tried) -> None:
    mark = "forged-line-by-a-stranger"
    text = f"port down\r\n2026-01-12T12:00:00Z [info] {mark}\x1b[2J\x1b[31m"
    labels = {"alertname": "InterfaceDown", "element": site.spare[5], "severity": "warning", "qualifier": text}
    alert = {"status": "firing", "labels": labels, "annotations": {"summary": text}, "startsAt": site.now()}
    answer = site.post("feed", WEBHOOK, {"version": "4", "status": "firing", "alerts": [alert]})
    tried.control("answer about it", answer.status_code == 200, answer.text)
    site.ask("GET", f"/inbox/%0d%0a{mark}", "viewer", headers={"User-Agent": f"x {mark}"})
    said = site.log.read_text(errors="replace")
    tried.control("log", len(said) > 100, f"{len(said)} characters")
    tried.attack("a line was forged", not any(line.startswith(("2026-01-12T12", mark)) for line in said.splitlines()))
    tried.attack("a terminal is ruled", "\x1b[2J" not in said)
    shown = [name for name, token in site.tokens.items() if token[-20:] in said]
    tried.attack("a secret is in the log", shown == [], shown)
    tried.attack("a stack trace is in the log", "Traceback" not in said, said[-300:])
    tried.saw(f"{len(said.splitlines())} lines, none forged, no token")


@row("guessing", "guessing is slowed, and locks out nobody else")
def guessing(site: Site, tried: Tried) -> None:
    wrong = "nct_acc_01k9zzzzzzzzzzzzzzzzzzzzzz_"
    bearers = [{"Authorization": f"Bearer {wrong}{number:043d}"} for number in range(GUESSES + 15)]
    answers = [site.ask("GET", "/inbox", headers=bearer) for bearer in bearers]
    tried.attack("a guess got in", all(answer.status_code in {401, 429} for answer in answers), codes(answers))
    tried.attack("guesses without end", answers[-1].status_code == 429, codes(answers))
    tried.tries += len(answers) - 1
    tried.control("holder at the same address", site.get("one", "/inbox").status_code == 200)
    tried.saw(codes(answers))


@row("fatigue", "two hundred at once are not approved, and no batch takes what could hurt")
def fatigue(site: Site, tried: Tried) -> None:
    waits = site.wanted(site.first)
    many = [f"prop_{number:026d}" for number in range(200)]
    answer = site.post("one", "/inbox/approve-batch", {"ids": many, "because": "all"})
    tried.attack("two hundred", answer.status_code in {400, 413}, answer.text)
    answer = site.post("one", "/inbox/approve-batch", {"ids": [waits["id"]], "because": "all"})
    risky = answer.status_code >= 400 or not any(row.get("approved") for row in answer.json())
    tried.attack("a plan that could hurt, in a batch", risky, answer.text)
    tried.attack("it was granted", site.proposal(waits["id"])["state"] not in {"granted", "executing", "settled"})
    answer = site.post("one", f"/proposals/{waits['id']}/reject", {"because": "not needed"})
    tried.control("one decision at a time", answer.status_code == 200, answer.text)
    tried.saw("refused; each is looked at by itself")


@row("broken glass", "an emergency signature needs a fresh proof, and is on the record")
def broken_glass(site: Site, tried: Tried) -> None:
    waits = site.wanted(site.first)
    path = f"/proposals/{waits['id']}/break-glass"
    body = {"because": "customers are down", "plan_digest": waits["plan_digest"]}
    for who in ("one", "engineer", "duty", "robot", "viewer", "admin"):
        answer = site.post(who, path, body)
        tried.attack(f"broken by {who} without a fresh proof", answer.status_code == 403, answer.text)
    proof = site.post("two", "/identity/proof", {"token": site.tokens["two"]})
    tried.control("fresh proof", proof.status_code == 201, proof.text)
    site.tokens["two-fresh"] = proof.json()["token"]
    answer = site.post("two-fresh", path, body | {"plan_digest": "0" * 64})
    tried.attack("broken for another plan", answer.status_code == 409, answer.text)
    refused = [r["actor"] for r in site.records(waits["id"]) if "refused" in r["kind"]]
    tried.attack("nobody recorded it", "one" in refused, refused)
    answer = site.post("one", f"/proposals/{waits['id']}/reject", {"because": "not needed"})
    tried.control("ordinary decision", answer.status_code == 200, answer.text)
    tried.saw("403 without a fresh proof, 409 for another plan, each refusal recorded")


@row(13, "tampering with the record")
def tampered(site: Site, tried: Tried) -> None:
    signed = site.post("auditor", "/audit/checkpoints")
    tried.control("signing", signed.status_code == 200, signed.text)
    whole = site.get("auditor", "/audit/verify").json()
    tried.control("verifying", whole["verified"], whole)
    site.stop()
    store = site.data / "nocturne.db"
    _fold(store)
    kept = site.folder / "kept"
    shutil.copytree(site.data, kept)
    harms = {"one byte of a field": _bent, "a row taken out": _without, "the tail cut off": _cut}
    for name, harm in harms.items():
        _put_back(site, kept)
        harm(store)
        site.start()
        found = site.get("auditor", "/audit/verify").json()
        tried.attack(name, not found["verified"], found)
        tried.saw(f"{name}: {str(found.get('reason') or found)[:70]}")
        site.stop()
    _put_back(site, kept)
    site.start()
    again = site.get("auditor", "/audit/verify").json()
    tried.control("verifying what was put back", again["verified"], again)


def _put_back(site: Site, kept: Path) -> None:
    """Have the data folder as it was, the signed checkpoints of the second place included."""
    shutil.rmtree(site.data)
    shutil.copytree(kept, site.data)


def _fold(store: Path) -> None:
    with sqlite3.connect(store) as wire:
        wire.execute("pragma wal_checkpoint(truncate)")
    for left in store.parent.glob(f"{store.name}-*"):
        left.unlink()


@contextmanager
def _as_owner(store: Path) -> Iterator[sqlite3.Connection]:
    """Open the file as the administrator of the database would, who takes the triggers away first."""
    with sqlite3.connect(store) as wire:
        for (name,) in wire.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            wire.execute(f'DROP TRIGGER "{name}"')
        yield wire
    _fold(store)


def _bent(store: Path) -> None:
    with _as_owner(store) as wire:
        query = "SELECT sequence, fields FROM record WHERE instr(fields, CAST('because' AS BLOB)) LIMIT 1"
        sequence, fields = wire.execute(query).fetchone()
        harmed = fields.replace(b"because", b"becauze", 1)
        wire.execute("UPDATE record SET fields = ? WHERE sequence = ?", (harmed, sequence))


def _without(store: Path) -> None:
    with _as_owner(store) as wire:
        wire.execute("DELETE FROM record WHERE sequence = (SELECT max(sequence) / 2 FROM record)")


def _cut(store: Path) -> None:
    with _as_owner(store) as wire:
        (last,) = wire.execute("SELECT max(sequence) FROM record").fetchone()
        wire.execute("DELETE FROM record WHERE sequence > ?", (last - 60,))
        wire.execute("DELETE FROM record_ref WHERE sequence > ?", (last - 60,))
