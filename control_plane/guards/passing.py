"""May a plan that the rules let pass be granted now? All guards in one answer.

*Stops* hold for everybody: a kill switch that is off, another plan on the same ground. *Holds* are for automation:
over budget, a breaker that is open, a value that flaps; a person may still sign.
"""

from collections.abc import Sequence

from control_plane.guards import breakers, budgets, flapping, locks, switches
from control_plane.guards.alerts import warn
from control_plane.guards.budgets import window_start
from control_plane.judging import Brief
from control_plane.road import Road
from control_plane.roster.notices import Told
from control_plane.tables import Tables
from domain.errors import Conflict
from domain.gate import Approval
from domain.guards import Hindrances


def hindrances(road: Road, tables: Tables, about: Brief) -> Hindrances:
    """Return what speaks against granting this plan now."""
    proposal = about.proposal
    return Hindrances(
        stops=(
            *switches.reasons(switches.off_for(road, tables, proposal)),
            *locks.against(road, tables, proposal, about.rehearsal),
        ),
        holds=(
            *budgets.over(road, tables, proposal),
            *breakers.open_for(road, tables, proposal),
            *flapping.flaps(road, tables, proposal),
        ),
    )


def against(road: Road, tables: Tables, about: Brief, approvals: Sequence[Approval] | None = None) -> tuple[str, ...]:
    """Return what keeps a plan, which the rules allow with these signatures, from its grant."""
    found = hindrances(road, tables, about)
    return found.stops if (about.yes if approvals is None else approvals) else found.all


def announce(road: Road, tables: Tables, about: Brief, reasons: Sequence[str]) -> Told:
    """Tell the operators what the guards hold back, each reason once in a window of the budgets."""
    window, told = window_start(road), Told()
    for reason in reasons:
        one = warn(
            road,
            tables,
            tenant=about.proposal.tenant,
            ref=about.proposal.requester,
            kind="plane.guard.held",
            text=reason,
            mark=f"{window:%Y-%m-%dT%H:%M} {reason[:200]}",
        )
        told = Told(told.notices + one.notices, told.entries + one.entries, told.messages + one.messages)
    return told


def pass_through(road: Road, tables: Tables, about: Brief, approvals: Sequence[Approval]) -> None:
    """Let a plan through to its grant: it takes its locks, and is the trial of a breaker that rests.

    Raises:
        Conflict: a kill switch is off, another plan is on the same ground, or nobody signed what only a person may.
    """
    reasons = against(road, tables, about, approvals)
    if reasons:
        raise Conflict(f"proposal `{about.proposal.id}` cannot be granted now: {'; '.join(reasons)}")
    locks.take(road, tables, about.proposal, about.rehearsal)
    if not approvals:
        breakers.try_once(tables, about.proposal)
