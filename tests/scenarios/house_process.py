"""A whole house as a process of its own, for being killed: it repairs what it finds, and says how it ended.

    python -m tests.scenarios.house_process FOLDER PLANT_URL [--kill-at POINT] [--settle-doubt] [--limit SECONDS]

It serves FOLDER over the plant, approves every repair that waits, and ends when the trouble at the culprit is over:
its incident is closed, or its repair ended in another way. With a POINT it kills itself with SIGKILL the first time
its road passes that point. With `--settle-doubt` an operator looks at the device and settles a step in doubt.
Causes are ranked without the causal model: importing it takes longer than everything else here.
"""

from api.threads import limit_threads

limit_threads()

import argparse  # noqa: E402  # numpy must not come in before the line above
import json  # noqa: E402
import os  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

from adapters.models.ranker import NoRanker  # noqa: E402
from adapters.network.emulated.client import EmulatedNetwork  # noqa: E402
from agents.cards import CARDS  # noqa: E402
from agents.diagnostics import Diagnostics  # noqa: E402
from api import settings  # noqa: E402
from api.bootstrap import House, build  # noqa: E402
from causal.attribution import Attribution, Attributor  # noqa: E402
from control_plane.ports import Ledger, Network  # noqa: E402
from control_plane.proposing import repairs  # noqa: E402
from control_plane.tables import Tables  # noqa: E402
from control_plane.toolbox import Toolbox  # noqa: E402
from domain.errors import Conflict, Gone  # noqa: E402
from domain.execution import Execution, StepState  # noqa: E402
from domain.identity import Principal, Role  # noqa: E402
from domain.incidents import Incident, IncidentClass, IncidentState, Resolution  # noqa: E402
from tests.stage import CULPRIT  # noqa: E402

_ENDED_BY_PEOPLE = (Resolution.ROLLED_BACK, Resolution.UNRESOLVED)


class WithoutModel(Attributor):
    """Attributes nothing."""

    def attribute(self, *_: Any, **__: Any) -> Attribution:
        return Attribution(not_checked=("attribution is switched off here",))


def built(folder: Path, network: Network, *, database: str | None = None, ledger: Ledger | None = None) -> House:
    """Return a house over a network, quick enough to be started a hundred times."""
    house = build(settings.load(data=folder, database=database, verify_s=8.0, settle_s=1.0), network, ledger=ledger)
    road = house.road
    tools: Any = {"telemetry": road.live.history, "twin": road.live, "past": road.past, "ranker": NoRanker()}
    box: Any = Toolbox(CARDS["diagnostics"], tools, road.ledger, road.clock)
    road.diagnosticians[IncidentClass.NETWORK] = Diagnostics(box, WithoutModel())
    return house


def person(house: House, name: str) -> Principal:
    """Return an account with every role, made at the first start and found at the next."""
    known = house.road.ledger.read(lambda tables: tables.principals.find(name=name))
    roles = frozenset({Role.APPROVER, Role.OPERATOR, Role.AUDITOR})
    return known[0] if known else house.issuer.issue(name, roles, person=name)[0]


def ended(tables: Tables) -> bool:
    """Say whether every trouble at the culprit is over, or has come to people."""
    mine = [incident for incident in tables.incidents.find() if CULPRIT in incident.elements]
    return bool(mine) and all(_over(tables, incident) for incident in mine)


def _over(tables: Tables, incident: Incident) -> bool:
    if incident.state is IncidentState.CLOSED:
        return True
    return any(run.outcome.resolution in _ENDED_BY_PEOPLE for run in _repairs_of(tables, incident) if run.outcome)


def _repairs_of(tables: Tables, incident: Incident) -> list[Execution]:
    mine = {p.id for p in tables.proposals.find(incident_id=incident.id) if repairs(p)}
    return [run for run in tables.executions.find(incident_id=incident.id) if run.proposal_id in mine]


def decide(house: House, people: list[Principal]) -> None:
    """Approve what waits, each time by somebody who has not signed yet."""
    for card in house.queries.inbox(people[0]):
        try:
            house.commands.approve(people[len(card.approvals) % 2], card.proposal.id, "scripted")
        except (Conflict, Gone):
            continue  # it moved on while we were reading it


def settle_doubts(house: House, operator: Principal) -> None:
    """Look at each device that nobody was sure about, as a person would, and say what is seen."""
    for step in house.road.ledger.read(lambda tables: tables.steps.find(state=StepState.IN_DOUBT)):
        wanted = step.action.effect()
        assert wanted is not None
        happened = house.road.network.state(step.action.target).get(wanted.attribute) == wanted.value
        house.commands.settle_doubt(operator, step.id, happened=happened, because="looked at the device")


def report(house: House, who: Principal) -> dict[str, Any]:
    """Return how it ended, with enough of the road to see why."""

    def read(tables: Tables) -> dict[str, Any]:
        return {
            "ended": ended(tables),
            "incidents": [
                [i.state, i.resolution, i.revision, i.open_alarms, list(i.elements)] for i in tables.incidents.find()
            ],
            "resolutions": [i.resolution for i in tables.incidents.find() if CULPRIT in i.elements],
            "diagnoses": [
                [d.verdict, d.revision, d.provisional, [[c.element, c.fault, c.confidence] for c in d.causes[:3]]]
                for d in tables.diagnoses.find()
            ],
            "proposals": [[p.state, p.title, p.state_reason] for p in tables.proposals.find()],
            "executions": [[e.state, e.note, e.outcome and e.outcome.because] for e in tables.executions.find()],
            "outcomes": [e.outcome.resolution for e in tables.executions.find() if e.outcome],
            "steps": [[s.state, s.action.kind, s.note, s.took_effect] for s in tables.steps.find()],
            "approvals": len(tables.approvals.find()),
            "grants": len(tables.grants.find()),
        }

    kinds = [record.kind for record in house.road.ledger.records() if not record.kind.startswith("receive.readings")]
    verified = house.queries.verify_audit(who).verified
    return house.road.ledger.read(read) | {"verified": verified, "records": kinds}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("url")
    parser.add_argument("--kill-at", default="")
    parser.add_argument("--settle-doubt", action="store_true")
    parser.add_argument("--limit", type=float, default=60.0)
    asked = parser.parse_args()
    house = built(asked.folder, EmulatedNetwork(asked.url))

    def watch(passed: str, _ref: str) -> None:
        if passed == asked.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    house.road.watchers.append(watch)
    people = [person(house, "approver-one"), person(house, "approver-two")]
    house.start()
    deadline = time.monotonic() + asked.limit
    while not house.road.ledger.read(ended) and time.monotonic() < deadline:
        decide(house, people)
        if asked.settle_doubt:
            settle_doubts(house, people[0])
        time.sleep(0.05)
    sys.stdout.write(json.dumps(report(house, people[0])) + "\n")
    house.close()


if __name__ == "__main__":
    main()
