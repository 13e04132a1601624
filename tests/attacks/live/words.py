"""Rows 8, 10, 18 and 21: text from outside, feedback from outside, bodies that hurt, names that lead elsewhere."""

import gzip
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from tests.attacks.injected_texts import TEXTS
from tests.attacks.live.book import Tried, codes, row
from tests.attacks.live.site import ALARMS, BREAKS, WEBHOOK, Site

MIB = 1024 * 1024


@row(8, "prompt injection in text from outside")
def injected(site: Site, tried: Tried) -> None:
    incident = site.first["incident_id"]
    plain = [_alert(site, "port down") for _ in TEXTS]
    answer = site.post("feed", WEBHOOK, {"version": "4", "status": "firing", "alerts": plain})
    tried.control("taking of alarms that say nothing", answer.status_code == 200, answer.text)
    time.sleep(4.0)  # what the alarms themselves change, they have changed: from here on it is their words
    before, effects = _asked_for(site, incident), len(site.plant.umpire().journal())
    alerts = [_alert(site, text) for text in TEXTS]
    answer = site.post("feed", WEBHOOK, {"version": "4", "status": "firing", "alerts": alerts})
    tried.control("taking of alarms, whatever they say", answer.status_code == 200, answer.text)
    time.sleep(4.0)
    after = _asked_for(site, incident)
    tried.control("plan to compare with", bool(before), before)
    tried.attack("another plan", {*after} <= {*before}, {name: after[name] for name in {*after} - {*before}})
    tried.attack("something was done", len(site.plant.umpire().journal()) == effects)
    known = {"agent:provisioning", "agent:ticketing", "agent:steering", "engineer", "two", "agent:retraining"}
    asked_by = {requester for _digest, requester in after}
    tried.attack("somebody new asks", asked_by <= known, asked_by)
    card = site.get("viewer", f"/proposals/{site.first['id']}").json()
    said = json.dumps([card["proposal"]["title"], card["proposal"]["why"], card["decision"]], ensure_ascii=False)
    for text in TEXTS:
        tried.attack(f"our own words hold {text[:40]!a}", text not in said)
        answer = site.post("viewer", "/chat", {"question": text})
        fine = answer.status_code == 200 or (answer.status_code == 400 and answer.json()["code"] == "bad_input")
        tried.attack(f"chat took an order: {text[:40]!a}", fine, answer.text)
    tried.attack("chat asked for a plan", {*_asked_for(site, incident)} <= {*before})
    over = _alert(site, "port up") | {"status": "resolved", "endsAt": site.now()}
    site.post("feed", WEBHOOK, {"version": "4", "status": "resolved", "alerts": [over]})
    tried.saw(f"{len(TEXTS)} texts by webhook and by chat: the same plans, nothing done")


def _alert(site: Site, text: str) -> dict[str, Any]:
    """An alarm about what is broken already; the text in every place where a stranger could put one."""
    labels = {"alertname": "InterfaceDown", "element": BREAKS, "severity": "major", "runbook": text}
    return {"status": "firing", "labels": labels, "annotations": {"summary": text}, "startsAt": site.now()}


def _asked_for(site: Site, incident: str) -> dict[tuple[str, str], str]:
    """Return every plan that was ever asked for in an incident, by digest and who asked."""
    cards = [*site.get("viewer", "/inbox").json()]
    mine = [card["proposal"] for card in cards if card["proposal"]["incident_id"] == incident]
    records = [record for record in site.records(incident) if record["kind"] == "propose.proposal.drafted"]
    found = {(proposal["plan_digest"], proposal["requester"]): proposal["title"] for proposal in mine}
    return found | {(_digest(record), record["actor"]): "drafted" for record in records}


def _digest(record: dict[str, Any]) -> str:
    plan = record["fields"].get("plan", {}).get("value")
    return json.dumps(plan, sort_keys=True)


@row(10, "poisoned feedback and training data")
def poisoned(site: Site, tried: Tried) -> None:
    models, levels = site.get("viewer", "/models").json(), site.get("viewer", "/autonomy").json()
    tried.control("look at the models", bool(models), models)
    drift = [_drift(site, number) for number in range(40)]
    answers = [site.post("feed", ALARMS, each) for each in drift]
    answers += [site.post("duty", ALARMS, drift[0] | {"sourceSystemId": "agent:drift"})]
    for who in ("feed", "engineer", "robot", "duty"):
        for path in ("/models", "/models/outcomes", "/disagreements", "/autonomy", "/feedback"):
            answer = site.post(who, path, {"right": True, "accepted": True, "version": "mv_mine"})
            tried.attack(f"{path} takes feedback of {who}", answer.status_code in {403, 404, 405}, answer.text)
    time.sleep(2.0)
    after = site.get("viewer", "/models").json()
    tried.attack("another version serves or waits", _served(after) == _served(models), after)
    tried.attack("an outcome was believed", [m["outcomes"] for m in after] == [m["outcomes"] for m in models], after)
    waits = [card["proposal"]["plan"]["steps"] for card in site.get("viewer", "/inbox").json()]
    kinds = {step["kind"] for steps in waits for step in steps}
    tried.attack("a training was asked for", not kinds & {"train_model", "switch_model", "set_autonomy"}, kinds)
    now = site.get("viewer", "/autonomy").json()
    tried.attack("a level rose", _levels(now) <= _levels(levels), now)
    tried.saw(f"drift by a stranger's word: {codes(answers)}; outcomes come from verified repairs only")


def _drift(site: Site, number: int) -> dict[str, Any]:
    return {
        "alarmType": "processingErrorAlarm",
        "perceivedSeverity": "major",
        "probableCause": "model_drift",
        "specificProblem": f"mv_{number}",
        "alarmedObject": {"id": "model:diagnosis"},
        "sourceSystemId": "agent:drift",
        "state": "raised",
        "alarmRaisedTime": site.now(),
        "alarmDetails": "40 of 40 outcomes were wrong; accepted by everybody",
    }


def _served(models: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(model["version"], model["status"]) for model in models}


def _levels(shown: Any) -> set[tuple[str, int]]:
    rows = shown if isinstance(shown, list) else shown.get("grounds", shown.get("rows", []))
    return {(row.get("ground", row.get("key", "")), row["level"]) for row in rows if row.get("level", 0)}


@row(18, "oversized, deep, double and slow bodies")
def bodies(site: Site, tried: Tried) -> None:
    tried.control("body", site.post("feed", WEBHOOK, {"alerts": []}).status_code == 200)
    site.ask("POST", WEBHOOK, "feed", content=b"[" * (7 * MIB), headers=_JSON)  # the allocator has its peak behind it
    before, slowest = site.resident(), 0.0
    for name, (content, more, right) in _bodies().items():
        began = time.monotonic()
        try:
            status = site.ask("POST", WEBHOOK, "feed", content=content, headers=_JSON | more, timeout=20).status_code
        except httpx.TransportError:
            status = 0  # it hung up on us while we were still talking
        slowest = max(slowest, time.monotonic() - began)
        tried.attack(name, status in {*right, 0}, f"{status} after {time.monotonic() - began:.1f} s")
    head = "POST /webhooks/alertmanager HTTP/1.1\r\nHost: x\r\nContent-Type: application/json"
    head += f"\r\nAuthorization: Bearer {site.tokens['feed']}\r\nContent-Length: "
    slow = site.raw(f"{head}1000\r\n\r\n".encode(), b'{"al')
    tried.attack("a body that trickles", b" 408 " in slow[:20], slow[:200])
    declared = site.raw(f"{head}{200 * MIB}\r\n\r\n".encode(), b'{"al')
    tried.attack("200 MB that are declared", b" 413 " in declared[:20], declared[:200])
    header = site.raw(b"GET /health HTTP/1.1\r\nHost: x\r\nX: " + b"y" * (10 * MIB) + b"\r\n\r\n")
    tried.attack("a header of 10 MB", not header or 400 <= int(header.split()[1]) < 500, header[:100])
    grown = (site.resident() - before) / MIB
    tried.attack("the memory grew", grown < 96, f"{grown:.0f} MiB")
    tried.control("answer afterwards", site.ask("GET", "/health").status_code == 200)
    tried.saw(f"slowest refusal {slowest:.2f} s, memory +{max(0.0, grown):.0f} MiB")


_JSON = {"Content-Type": "application/json"}


def _bodies() -> dict[str, tuple[Any, dict[str, str], set[int]]]:
    """Return what no door takes: content, more headers, and the statuses that are right."""

    def endless() -> Iterator[bytes]:
        for _ in range(200):
            yield b"x" * MIB

    packed = {"Content-Encoding": "gzip"}
    many = json.dumps({"alerts": [0] * 100_000}).encode()
    return {
        "200 MB that nobody declared": (endless(), {}, {413}),
        "100,000 open brackets": (b"[" * 100_000, {}, {400}),
        "100,000 open objects": (b'{"a":' * 100_000, {}, {400}),
        "a thousandfold gzip": (gzip.compress(bytes(100 * MIB)), packed, {415, 413, 400}),
        "an array of 100,000": (many, {}, {413}),
        "a key said twice": (b'{"alerts": [], "alerts": [{}]}', {}, {400}),
        "NaN": (b'{"alerts": [], "a": NaN}', {}, {400}),
        "an integer of 5,000 digits": (b'{"a": ' + b"9" * 5000 + b"}", {}, {400}),
        "a float without end": (b'{"a": 1e999}', {}, {400}),
        "half a surrogate pair": (b'{"a": "\\ud800"}', {}, {400}),
        "no UTF-8": (b'{"a": "\xff"}', {}, {400}),
    }


NAMES = (
    "../../etc/passwd", "..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/x", "/etc/passwd", "a%00b", "..%c0%af..", "x" * 300,
    "CON", "%E2%88%95etc", "..\\..\\x", "mv_..%2f..%2fx", ".",
)  # fmt: skip


@row(21, "paths as names")
def paths(site: Site, tried: Tried) -> None:
    before = _files(site.data)
    for name in NAMES:
        for base in ("/proposals/", "/incidents/", "/lineage/", "/static-offline-docs/", "/audit/trail/"):
            line = f"GET {base}{name} HTTP/1.1\r\nHost: x\r\n".encode()
            answer = site.raw(line + f"Authorization: Bearer {site.tokens['auditor']}\r\n\r\n".encode())
            status = int(answer.split()[1]) if answer else 0
            tried.attack(base + name, status in {0, 400, 403, 404, 405} and b"root:" not in answer, answer[:200])
        plan = {"steps": [{"kind": "switch_model", "target": "model:diagnosis", "version": name, "previous": name}]}
        body = {"incident_id": site.first["incident_id"], "plan": plan, "because": "look"}
        answered = site.post("engineer", "/proposals", body)
        tried.attack(f"a version called {name[:30]}", answered.status_code in {400, 403, 404, 409}, answered.text)
    new = {path for path in _files(site.data) - before if path.suffix != ".log"}
    strange = {path for path in new if path.name.split(".")[0] not in {"nocturne", "wakes", "checkpoints"}}
    tried.attack("a file was made", all("checkpoint" in str(path) for path in strange), strange)
    tried.control("look at an id", site.get("viewer", f"/proposals/{site.first['id']}").status_code == 200)
    tried.saw(f"{len(NAMES)} names at six doors: 400, 403 or 404; no file outside")


def _files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}
