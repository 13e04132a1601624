"""A whole house as a process of its own, for being killed: it repairs what it finds, and says how it ended.

    python -m tests.scenarios.house_process FOLDER PLANT_URL [POINT]

It serves FOLDER over the plant, approves every repair that waits, and ends when a repair is settled or its
incident is closed. With a POINT it kills itself with SIGKILL the first time its road passes that point.
"""

from api.threads import limit_threads

limit_threads()

import json  # noqa: E402
import os  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from pathlib import Path  # noqa: E402

from adapters.network.emulated.client import EmulatedNetwork  # noqa: E402
from api import settings  # noqa: E402
from api.bootstrap import House, build  # noqa: E402
from control_plane.proposing import repairs  # noqa: E402
from domain.errors import Conflict, Gone  # noqa: E402
from domain.identity import Principal, Role  # noqa: E402
from domain.incidents import IncidentState  # noqa: E402

LIMIT_S = 60.0


def person(house: House, name: str) -> Principal:
    """Return the approver's account, made at the first start and found at the next."""
    known = house.road.ledger.read(lambda tables: tables.principals.find(name=name))
    roles = frozenset({Role.APPROVER, Role.OPERATOR, Role.AUDITOR})
    return known[0] if known else house.issuer.issue(name, roles, person=name)[0]


def ended(house: House) -> bool:
    incidents = house.road.ledger.read(lambda tables: tables.incidents.find())
    executions = house.road.ledger.read(lambda tables: tables.executions.find())
    proposals = {p.id: p for p in house.road.ledger.read(lambda tables: tables.proposals.find())}
    settled = [e for e in executions if e.outcome and repairs(proposals[e.proposal_id])]
    return bool(settled) or (bool(incidents) and all(i.state is IncidentState.CLOSED for i in incidents))


def main() -> None:
    folder, url, point = Path(sys.argv[1]), sys.argv[2], (sys.argv[3:] or [""])[0]
    house = build(settings.load(data=folder, verify_s=8.0), EmulatedNetwork(url))

    def watch(passed: str, _ref: str) -> None:
        if passed == point:
            os.kill(os.getpid(), signal.SIGKILL)

    house.road.watchers.append(watch)
    approvers = [person(house, "approver-one"), person(house, "approver-two")]
    house.start()
    deadline = time.monotonic() + LIMIT_S
    while not ended(house) and time.monotonic() < deadline:
        for card in house.queries.inbox(approvers[0]):
            try:
                house.commands.approve(approvers[len(card.approvals) % 2], card.proposal.id, "scripted")
            except (Conflict, Gone):
                continue  # it moved on while we were reading it
        time.sleep(0.05)
    read = house.road.ledger.read
    print(
        json.dumps(
            {
                "ended": ended(house),
                "outcomes": [e.outcome.resolution for e in read(lambda t: t.executions.find()) if e.outcome],
                "incidents": [i.resolution for i in read(lambda t: t.incidents.find())],
                "verified": house.queries.verify_audit(approvers[0]).verified,
            }
        )
    )
    house.close()


if __name__ == "__main__":
    main()
