"""Rows 1 to 6 and 24: who signs, how often, for what, and whether what was signed happens once."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import httpx

from tests.attacks.live.book import Tried, codes, row
from tests.attacks.live.site import ALARMS, PROPOSAL_S, WEBHOOK, Site

RACERS = 50


def at_once(*calls: Callable[[], httpx.Response]) -> list[httpx.Response]:
    """Make all requests at the same moment, as far as one machine can."""
    barrier = Barrier(len(calls))

    def call(one: Callable[[], httpx.Response]) -> httpx.Response:
        barrier.wait()
        return one()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(call, calls))


@row(1, "approve one's own proposal")
def own_proposal(site: Site, tried: Tried) -> None:
    own = site.wanted(site.first)
    site.account("engineer-again", ["approver"], "THE  Engineer ")
    site.account("helper", ["agent"], acts_for=site.ids["engineer"])
    answer = site.post("admin", "/accounts", {"name": "hybrid", "roles": ["agent", "approver"]})
    tried.attack("an agent that is an approver as well", answer.status_code == 400, answer.text)
    for who in ("engineer", "engineer-again", "helper", "robot", "viewer", "feed"):
        answer = site.approve(who, own, plan_digest=own["plan_digest"])
        tried.attack(f"approved as {who}", answer.status_code == 403, answer.text)
    shown = [record["actor"] for record in site.records(own["id"]) if "refused" in record["kind"]]
    tried.attack("refusals that nobody recorded", {"engineer", "engineer-again"} <= {*shown}, shown)
    answer = site.post("two", f"/proposals/{own['id']}/reject", {"because": "not needed"})
    tried.control("no of another person", answer.status_code == 200, answer.text)
    tried.saw("all 403 and recorded, by account, second account and own agent")


@row(3, "approve a changed plan")
def changed_plan(site: Site, tried: Tried) -> None:
    old = site.wanted(site.first)
    change = {"plan": {"steps": old["plan"]["steps"][::-1]}, "because": "the other way round"}
    new = site.post("two", f"/proposals/{old['id']}/change", change).json()
    tried.control("wish for another plan", site.judged(new["id"])["state"] == "held", new)
    answers = {
        "approved the old one": site.approve("one", old, plan_digest=old["plan_digest"]),
        "approved the new one by the old digest": site.approve("one", new, plan_digest=old["plan_digest"]),
        "approved the new one by no digest at all": site.approve("one", new, plan_digest="0" * 64),
    }
    for what, answer in answers.items():
        tried.attack(what, answer.status_code == 409, answer.text)
    answer = site.approve("two", new, plan_digest=new["plan_digest"])
    tried.attack("approved by who changed it", answer.status_code == 403, answer.text)
    answer = site.post("one", f"/proposals/{new['id']}/reject", {"because": "not needed"})
    tried.control("no to the new plan", answer.status_code == 200, answer.text)
    tried.saw(codes(answers.values()))


@row(4, "approve an expired proposal")
def expired(site: Site, tried: Tried) -> None:
    old = site.break_anew()
    until = datetime.fromisoformat(old["expires_at"])
    past = {"until": (datetime.now(UTC) - timedelta(hours=1)).isoformat(), "because": "later"}
    answer = site.post("one", f"/proposals/{old['id']}/defer", past)
    tried.attack("put off into the past", answer.status_code == 400, answer.text)
    late = {"until": (datetime.now(UTC) + timedelta(days=30)).isoformat(), "because": "later"}
    answer = site.post("one", f"/proposals/{old['id']}/defer", late)
    tried.attack("put off for a month", answer.status_code == 400, answer.text)
    before = site.proposal(old["id"])["state"]  # it may be looked at anew at this moment
    tried.control("waiting before that", before in {"held", "rehearsed", "drafted"}, before)
    time.sleep(max(0.0, (until - datetime.now(UTC)).total_seconds() + 1.0))
    for date in ("", "Thu, 01 Jan 1970 00:00:00 GMT"):
        headers = {"Date": date} if date else {}
        answer = site.ask(
            "POST", f"/proposals/{old['id']}/approve", "one", json={"because": "it fits"}, headers=headers
        )
        tried.attack("approved too late", answer.status_code in {409, 410}, answer.text)
    tried.attack("carried it out", site.done() == [], site.done())
    tried.saw(f"{answer.status_code} after {PROPOSAL_S:g} s: {answer.json()['reason'][:80]}")


@row(24, "runaway, cascades and cost")
def runaway(site: Site, tried: Tried) -> None:
    waits = site.wanted(site.first)
    pull = {"kind": "all", "because": "it runs away"}
    answer = site.post("robot", "/switches", pull)
    tried.attack("a switch pulled by an agent", answer.status_code == 403, answer.text)
    tried.control("pull of the switch", site.post("duty", "/switches", pull).status_code == 201)
    began = time.monotonic()
    answer = site.approve("one", waits)
    tried.attack("granted while all is off", answer.status_code == 409, answer.text)
    tried.attack("it took its time", time.monotonic() - began < 5.0, time.monotonic() - began)
    which = {"kind": "all", "because": "let me"}
    answer = site.post("duty", "/switches/release", which)
    tried.attack("released by who pulled it", answer.status_code == 403, answer.text)
    tried.attack("something was done", site.done() == [], site.done())
    tried.control("release", site.post("admin", "/switches/release", which).status_code == 200)
    site.post("two", f"/proposals/{waits['id']}/reject", {"because": "not needed"})
    _flood(site, tried)
    _storm(site, tried)


def _flood(site: Site, tried: Tried) -> None:
    """Plans without end, by one who may ask; and one plan that has no end."""
    answers = []
    for number in range(2, 12):
        more = [{"kind": "interface_up", "target": place} for place in site.spare[:number]]
        body = {"incident_id": site.first["incident_id"], "plan": {"steps": more}, "because": "all of it"}
        answers.append(site.post("engineer", "/proposals", body))
    tried.attack("eight and more at once", any(a.status_code == 409 for a in answers[-2:]) or _denied(site, answers))
    endless = [{"kind": "interface_up", "target": site.spare[0]}] * 10_000
    body = {"incident_id": site.first["incident_id"], "plan": {"steps": endless}, "because": "all of it"}
    answer = site.post("engineer", "/proposals", body)
    tried.attack("a plan of ten thousand steps", answer.status_code in {400, 413}, answer.text[:200])


def _denied(site: Site, answers: list[httpx.Response]) -> bool:
    """Say whether what was taken was denied at once, so that nothing of it waits for anybody."""
    made = [answer.json()["id"] for answer in answers if answer.status_code == 201]
    return all(site.proposal(id)["state"] not in {"granted", "executing", "settled"} for id in made)


def _storm(site: Site, tried: Tried) -> None:
    """Five thousand alarms of one element: one of them is kept, all are counted, the house still answers."""
    now = datetime.now(UTC).isoformat()
    labels = {"alertname": "InterfaceDown", "element": site.spare[5], "severity": "warning", "qualifier": "storm"}
    alerts = [{"status": "firing", "labels": labels, "annotations": {}, "startsAt": now} for _ in range(1000)]
    began = time.monotonic()
    answers = [site.post("feed", WEBHOOK, {"version": "4", "status": "firing", "alerts": alerts}) for _ in range(5)]
    took = time.monotonic() - began
    tried.control("taking of every alarm", all(answer.status_code == 200 for answer in answers), codes(answers))
    rows = site.get("viewer", ALARMS, limit=1000).json()
    kept = [each for each in rows if each.get("specificProblem") == "storm"]
    tried.attack("an alarm for each repeat", len(kept) == 1, f"{len(kept)} alarms")
    health = site.ask("GET", "/health")
    tried.attack("the house went silent", health.status_code == 200, health.status_code)
    tried.saw(f"the switch holds every grant; 5,000 alarms in {took:.0f} s are one alarm")


@row(2, "replay an approval")
def replayed(site: Site, tried: Tried) -> None:
    repair = site.break_anew()
    key = {"Idempotency-Key": "attack-2"}
    body = {"because": "it fits", "plan_digest": repair["plan_digest"]}
    path = f"/proposals/{repair['id']}/approve"
    first = site.post("one", path, body, headers=key)
    tried.control("approval", first.status_code == 200, first.text)
    for _ in range(5):
        again = site.ask("POST", path, "one", json=body)
        tried.attack("the same body once more", again.status_code == 409, again.text)
    again = site.ask("POST", path, "one", json=body, headers=key)
    tried.control("answer to the same request under its key", again.status_code == 200, again.text)
    elsewhere = site.ask("POST", f"/proposals/{site.first['id']}/approve", "one", json=body, headers=key)
    tried.attack("its key on another proposal", elsewhere.status_code in {409, 410}, elsewhere.text)
    reworded = site.ask("POST", path, "one", json=body | {"because": "x"}, headers=key)
    tried.attack("its key with other words", reworded.status_code == 409, reworded.text)
    _once(site, tried, repair)


def _once(site: Site, tried: Tried, repair: dict[str, Any]) -> None:
    """Look, when it is over, how often it happened: by the journal of the network, not by our own tables."""
    ended = {"settled", "withdrawn", "rejected", "expired"}
    end = site.until(
        lambda: found if (found := site.proposal(repair["id"]))["state"] in ended else None, "the end", 90.0
    )
    wanted = [line for line in site.done() if line["action"] == repair["plan"]["steps"][0]["kind"]]
    tried.attack("it was done twice", len(wanted) <= 1, f"{len(wanted)} effects")
    tried.saw(f"{len(wanted)} effect in the network's journal, the plan {end['state']}")


@row(5, "race of two approvers, approve against reject")
def race(site: Site, tried: Tried) -> None:
    repair = site.break_anew()
    calls: list[Callable[[], httpx.Response]] = []
    for number in range(RACERS):
        who = ("one", "one-again", "two")[number % 3]
        verb = "reject" if number % 10 == 9 else "approve"
        path = f"/proposals/{repair['id']}/{verb}"
        calls.append(lambda who=who, path=path: site.post(who, path, {"because": "it fits"}))  # type: ignore[misc]
    answers = at_once(*calls)
    won = [answer for answer in answers if answer.status_code == 200]
    tried.control("first decision", len(won) >= 1, codes(answers))
    tried.attack(
        "a second decision", len(won) == 1 and {a.status_code for a in answers} <= {200, 403, 409}, codes(answers)
    )
    tried.tries += len(answers) - 1
    said = [r for r in site.records(repair["id"]) if r["kind"] in {"gate.proposal.approved", "gate.proposal.rejected"}]
    tried.attack("two outcomes on record", len(said) == 1, [record["kind"] for record in said])
    _once(site, tried, repair)
    tried.saw(codes(answers))


@row(6, "execute twice: the server is killed while it acts")
def killed(site: Site, tried: Tried) -> None:
    repair = site.break_anew()
    site.plant.umpire().lose_answers(1)  # it is done, and nobody hears of it
    answer = site.approve("one", repair)
    tried.control("approval", answer.status_code == 200, answer.text)
    done = site.until(site.done, "the effect", 60.0)
    site.kill()
    site.start()
    again = site.approve("one", repair)
    tried.attack("the approval sent again after the restart", again.status_code == 409, again.text)
    time.sleep(5.0)
    after = site.done()
    tried.attack("it was done twice", len(after) == len(done) == 1, f"{len(after)} effects")
    verdict = site.get("auditor", "/audit/verify").json()
    tried.control("record after the restart", verdict["verified"], verdict)
    tried.saw("killed between the device's answer and our commit: one effect, the record verifies")
