"""Behind all doors: each command and query asks for the right itself, so a door that forgot to ask lets nobody through.

Everything public of the service layer is called by an account that has no role; a new command is tried by being there.
"""

import inspect
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from control_plane.desks import Desks
from domain.base import Utc
from domain.clock import ManualClock
from domain.errors import NotFound, Refused
from domain.identity import Principal
from domain.proposals import Proposal
from tests.stage import make_stage

#: What a door uses to keep and to explain a refusal, and the exchange of one's own token.
ABOUT_ONESELF = frozenset({"Commands.refused", "ApprovalsDesk.borrows", "AccountsDesk.prove"})
REFUSED = frozenset({"gate.proposal.refused", "rights.command.refused"})
NOBODY = Principal(id="acc_nobody", name="nobody", person="Nobody", roles=frozenset())


def asked(room: object) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield what can be asked of a part of the service layer: every public method that is told who asks."""
    for name, method in inspect.getmembers(room, inspect.ismethod):
        if not name.startswith("_") and "who" in inspect.signature(method).parameters:
            yield f"{type(room).__name__}.{name}", method


def arguments(method: Callable[..., Any], proposal: Proposal, at: datetime) -> dict[str, Any]:
    """Return something for each argument that has to be given: where an id is asked for, that of a waiting proposal."""
    needed = [each for each in inspect.signature(method).parameters.values() if each.default is each.empty]
    given = {
        each.name: at + timedelta(hours=later) if each.annotation in (datetime, Utc) else proposal.id
        for later, each in enumerate(needed)
    }
    return given | {"who": NOBODY}


def test_no_command_and_no_query_serves_an_account_without_roles(clock: ManualClock) -> None:
    stage = make_stage(clock)
    proposal, soon = stage.begin(), clock.now() + timedelta(hours=1)
    rooms = [stage.commands, stage.queries, *vars(Desks(stage.road)).values()]
    methods = [each for room in rooms for each in asked(room) if each[0] not in ABOUT_ONESELF]
    served = []
    for name, method in methods:
        try:
            method(**arguments(method, proposal, soon))
        except (Refused, NotFound):  # not found: a right can be lent for one matter, so some look for that first
            continue
        except Exception as error:  # noqa: BLE001  # it worked on what it was given
            served.append(f"{name}: {error!r}")
        else:
            served.append(name)

    assert len(methods) > 60
    assert served == []
    assert stage.proposal() == proposal
    assert {record.kind for record in stage.ledger.records() if record.actor == NOBODY.name} <= REFUSED
