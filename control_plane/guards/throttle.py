"""An agent that drafts for ever is stopped: so many plans of one requester for one incident and window, then people.

It holds for the house's own agents, who are asked, and for those outside, who ask by a door.

Drafting is cheap for an agent and dear for the house: each draft is rehearsed, judged and shown.
"""

from datetime import timedelta

from control_plane.guards.alerts import warn
from control_plane.guards.budgets import window_start
from control_plane.road import Road
from control_plane.roster.notices import Told
from control_plane.tables import Tables
from domain.incidents import Incident
from domain.proposals import Plan


def stands_against(road: Road, tables: Tables, incident: Incident, requester: str, plan: Plan) -> Told | None:
    """Return what is to be recorded where a draft is not taken; None where it is."""
    reason = _too_long(road, plan) or _too_many(road, tables, incident, requester)
    if not reason:
        return None
    text = f"`{requester}` is throttled in incident `{incident.id}`: {reason}"
    mark = f"{requester} {window_start(road):%Y-%m-%dT%H:%M}"
    return warn(
        road, tables, tenant=incident.tenant, ref=incident.id, kind="plane.agent.throttled", text=text, mark=mark
    )


def _too_long(road: Road, plan: Plan) -> str:
    most = road.settings.plan_steps_most
    return f"its plan has {len(plan.steps)} steps of at most {most}" if len(plan.steps) > most else ""


def _too_many(road: Road, tables: Tables, incident: Incident, requester: str) -> str:
    since = road.clock.now() - timedelta(seconds=road.settings.budget_window_s)
    earlier = tables.proposals.find(incident_id=incident.id, requester=requester)
    lately = sum(proposal.made_at > since for proposal in earlier)
    return f"it asked for {lately} plans lately" if lately >= road.settings.drafts_most else ""
