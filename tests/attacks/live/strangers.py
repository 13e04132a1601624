"""Rows 7 and 14 to 17: agents that want more, fields that are not theirs, ids of others, forged and dead tokens."""

import base64
import hmac
import json
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.attacks.live.book import Tried, codes, row
from tests.attacks.live.site import ALARMS, Site


@row(7, "an agent escalates itself")
def escalated(site: Site, tried: Tried) -> None:
    listed = {"bounds": [{"argument": "kind", "allowed": ["interface_up"]}]}
    made = site.account("listed", ["agent"], scope=listed)
    tried.control("account of an agent with a list", made.status_code == 201, made.text)
    incident, ground = site.first["incident_id"], "default|agent:listed"
    wanted = {"incident_id": incident, "because": "I need it"}
    steps: list[dict[str, Any]] = [
        {"kind": "interface_down", "target": site.spare[0]},
        {"kind": "set_autonomy", "target": ground, "level": 2, "previous": 0},
        {"kind": "switch_model", "target": "model:diagnosis", "version": "mv_x", "previous": "mv_y"},
    ]
    answers = [site.post("listed", "/proposals", wanted | {"plan": {"steps": [step]}}) for step in steps]
    soon = "2099-01-01T00:00:00Z"
    answers += [
        site.post("listed", "/policy/load", {"files": {"x.cedar": "permit(principal, action, resource);"}}),
        site.post("listed", "/policy/activate", {"version": "0" * 64, "because": "mine"}),
        site.post("listed", "/autonomy/waivers", {"ground": ground, "level": 2, "ends_at": soon, "because": "me"}),
        site.post("listed", "/accounts", {"name": "mine", "roles": ["admin"]}),
        site.post("listed", "/delegations", {"to_account": "listed", "permissions": ["approve"]}),
        site.post("listed", "/switches/release", {"kind": "all", "because": "me"}),
        site.post("listed", f"/proposals/{site.first['id']}/approve", {"because": "me"}),
        site.post("robot", "/proposals", wanted | {"plan": {"steps": steps[:1]}}),
    ]
    for name in ("requester", "agent_id", "on_behalf_of", "person"):
        plan = {"steps": [{"kind": "interface_up", "target": site.spare[0]}]}
        answers.append(site.post("listed", "/proposals", wanted | {"plan": plan, name: "agent:provisioning"}))
    for answer in answers:
        tried.attack(f"{answer.request.url.path}", answer.status_code in {400, 403}, answer.text)
    tried.saw(codes(answers), "nothing but a plan on its own list can be asked for by an agent")


@row(14, "mass assignment")
def assigned(site: Site, tried: Tried) -> None:
    alarm = {
        "alarmType": "communicationsAlarm",
        "perceivedSeverity": "warning",
        "probableCause": "linkFailure",
        "alarmedObject": {"id": site.spare[5]},
        "sourceSystemId": "ems-attack",
        "state": "raised",
        "alarmRaisedTime": site.now(),
    }
    plain = site.post("feed", ALARMS, alarm | {"specificProblem": "plain"})
    tried.control("alarm", plain.status_code == 201, plain.text)
    ours = {"id": "alarm_mine", "tenant": "other", "status": "approved", "approvedBy": "one", "riskScore": 0}
    ours |= {"autonomyLevel": 5, "@type": "Principal", "incident_id": site.first["incident_id"], "repeats": 10**6}
    both = site.post("feed", ALARMS, alarm | {"specificProblem": "mine"} | ours)
    same = {name: value for name, value in both.json().items() if name not in {"id", "href", "specificProblem"}}
    for name in ours:
        if name in plain.json() and name != "id":
            tried.attack(f"`{name}` was taken", both.json()[name] == plain.json()[name], both.text)
        else:
            tried.attack(f"`{name}` was taken", name not in same and both.json().get("id") != ours["id"], both.text)
    path = f"/proposals/{site.first['id']}/approve"
    for name in ("state", "approved_by", "signatures", "harm", "tenant", "role", "executed"):
        answer = site.post("one", path, {"because": "it fits", name: "granted"})
        tried.attack(f"a decision with `{name}`", answer.status_code == 400, answer.text)
    answer = site.post("admin", "/accounts", {"name": "x", "roles": ["viewer"], "id": "acc_x", "token": "known"})
    tried.attack("an account with a token of one's own", answer.status_code == 400, answer.text)
    tried.attack("the proposal moved", site.proposal(site.first["id"])["state"] != "granted")
    tried.saw("alarms ignore what is ours; decisions and accounts refuse it with 400")


@row(15, "foreign ids, across tenants and regions")
def foreign(site: Site, tried: Tried) -> None:
    everyone = ["viewer", "operator", "approver", "engineer", "auditor"]
    site.account("stranger", everyone, "a stranger", tenant="other")
    site.account("southerner", everyone, "from the south", scope={"regions": ["nowhere-in-particular"]})
    id, incident = site.first["id"], site.first["incident_id"]
    tried.control("look at it", site.get("viewer", f"/proposals/{id}").status_code == 200)
    like = id[:-6] + "zzzzzz"
    for who in ("stranger", "southerner"):
        for path in (f"/proposals/{id}", f"/incidents/{incident}", f"/lineage/{id}", f"/proposals/{id}/progress"):
            theirs, nothing = site.get(who, path), site.get(who, path.replace(id, like).replace(incident, like))
            same = theirs.text.replace(id, "ID").replace(incident, "ID") == nothing.text.replace(like, "ID")
            tried.attack(f"{who} tells {path} from nothing", theirs.status_code == 404 and same, theirs.text)
        for verb in ("approve", "reject", "stop"):
            answer = site.post(who, f"/proposals/{id}/{verb}", {"because": "mine"})
            tried.attack(f"{who}: {verb}", answer.status_code == 404, answer.text)
        for path in ("/inbox", "/incidents", "/changes", "/audit", ALARMS):
            tried.attack(f"{path} shows it", id not in site.get(who, path).text, who)
    counted = [f"prop_{number:026d}" for number in range(20)]
    found = [one for one in counted if site.get("viewer", f"/proposals/{one}").status_code != 404]
    tried.attack("ids that can be counted", found == [], found)
    tried.saw("404 in the words of an id that is not there; lists are empty")


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _forged(site: Site) -> dict[str, str]:
    """Return tokens that nobody of ours has given out."""
    claims = {"sub": "admin", "iss": site.url, "aud": "nocturne", "exp": 4_102_444_800, "roles": ["admin"]}
    rsa = RSAKey.generate_key(2048)
    heads = [{"alg": "none"}, {"alg": "RS256", "kid": "../../../../dev/null"}, {"alg": "RS256", "kid": "' OR 1=1 --"}]
    heads += [{"alg": "RS256", "jku": "http://127.0.0.1:1/keys"}, {"alg": "RS256", "x5u": "http://127.0.0.1:1/x"}]
    forged = {f"{head}": f"{part(head)}.{part(claims)}.{'' if head['alg'] == 'none' else 'AAAA'}" for head in heads}
    forged["RS256 by a key of mine"] = jwt.encode({"alg": "RS256", "jwk": rsa.as_dict(private=False)}, claims, rsa)
    signed = f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(claims)}"
    seal = hmac.digest(rsa.as_pem(private=False), signed.encode(), "sha256")  # by hand: libraries refuse such a key
    forged["HS256 by a public key"] = f"{signed}.{base64.urlsafe_b64encode(seal).rstrip(b'=').decode()}"
    good = site.tokens["one"]
    return forged | {"cut": good[:-1], "bent": good[:-1] + ("A" if good[-1] != "A" else "B"), "twice": f"{good} {good}"}


@row(16, "forged tokens")
def forged(site: Site, tried: Tried) -> None:
    answers = []
    for name, token in _forged(site).items():
        answers.append(site.ask("GET", "/inbox", headers={"Authorization": f"Bearer {token}"}))
        tried.attack(name, answers[-1].status_code == 401, answers[-1].text)
        tried.control("token", site.get("viewer", "/inbox").status_code == 200)  # which wipes the address clean
    good = site.tokens["one"]
    for headers in ({"Cookie": f"token={good}"}, {"X-Forwarded-User": "one"}, {"Authorization": f"Basic {good}"}):
        answers.append(site.ask("GET", "/inbox", headers=headers))
        tried.attack(f"{[*headers]}", answers[-1].status_code == 401, answers[-1].text)
        site.get("viewer", "/inbox")
    answers.append(site.ask("GET", f"/inbox?access_token={good}"))
    tried.attack("a token in the address", answers[-1].status_code == 401, answers[-1].text)
    site.get("viewer", "/inbox")
    tried.attack("one sentence for each", len({answer.text for answer in answers}) <= 3, {a.text for a in answers})
    tried.saw(codes(answers))


@row(17, "a revoked or demoted person works on")
def revoked(site: Site, tried: Tried) -> None:
    site.account("leaver", ["approver"], "who leaves")
    tried.control("look while employed", site.get("leaver", "/inbox").status_code == 200)
    proof = site.post("leaver", "/identity/proof", {"token": site.tokens["leaver"]})
    tried.control("fresh proof", proof.status_code == 201, proof.text)
    site.tokens["proof"] = proof.json()["token"]
    tried.control("revoking", site.post("admin", f"/accounts/{site.ids['leaver']}/revoke", {}).status_code == 200)
    for who in ("leaver", "proof"):
        answer = site.get(who, "/inbox")
        tried.attack(f"read with the old {who}", answer.status_code == 401, answer.text)
        answer = site.approve(who, site.first)
        tried.attack(f"approved with the old {who}", answer.status_code == 401, answer.text)
    old = site.tokens["robot"]
    renewed = site.post("admin", f"/accounts/{site.ids['robot']}/renew", {})
    tried.control("renewing", renewed.status_code == 200, renewed.text)
    site.tokens["robot"] = renewed.json()["token"]
    answer = site.ask("GET", "/identity", headers={"Authorization": f"Bearer {old}"})
    tried.attack("the token before the newest", answer.status_code == 401, answer.text)
    tried.saw("the next request after the revocation is 401")
