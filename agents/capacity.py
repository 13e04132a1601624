"""The capacity agent: which links will be too full, by when, and which remedy is worth its cost.

It forecasts from the load history that it is handed, compares remedies in the twin under the same sampled futures, and
answers with a plan for people. It acts on nothing and asks for no grant: what it finds, somebody buys and builds.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from agents.cards import CAPACITY
from agents.ports import Tools
from agents.steering import steer
from agents.wording import count, label, percent
from domain.agents import AgentCard
from domain.capacity import CapacityPlan, Congestion, Remedy, RemedyKind, Terms, Upgrade, Weighed
from domain.changes import SetVia
from twin.evaluate import evaluate
from twin.planning import futures as sampling
from twin.planning.futures import Futures
from twin.planning.history import LoadHistory
from twin.planning.implied import arcs_of, crossing
from twin.planning.outlook import Outlook, congestion, first_time, look_ahead
from twin.planning.remedies import buildable, steering
from twin.planning.weighing import failures, weigh
from twin.snapshot import Snapshot

Progress = Callable[[str], None]

#: A remedy is enough when it takes away this share of the risk that building can take away.
_ENOUGH = 0.8


class Capacity:
    """Plans capacity. It reads the twin, and changes nothing.

    The same history, twin and terms give the same plan, where the search for steering moves ends within its time.
    """

    card: AgentCard = CAPACITY

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def plan(
        self, history: LoadHistory, made_at: datetime, terms: Terms | None = None, progress: Progress = lambda _: None
    ) -> CapacityPlan:
        """Return which links will be too full, and the remedies compared for those that need one.

        Raises:
            BadInput: the history names what is not there or is too short, or the network declares no demands.
        """
        terms = terms or Terms()
        snapshot = self._tools.twin.snapshot()
        progress("forecasting loads")
        outlook = look_ahead(snapshot, history, terms)
        expected = congestion(outlook, terms)
        desk = _Desk(snapshot, outlook, expected, terms, progress)
        return CapacityPlan(
            made_at=made_at,
            snapshot_digest=snapshot.digest,
            terms=terms,
            congestion=expected,
            upgrades=desk.upgrades(),
            abstained=outlook.abstained,
            assumed=(*sampling.assumed(snapshot, outlook), *_left_out(snapshot, outlook, terms)),
        )


class _Desk:
    """One plan in the making."""

    def __init__(
        self,
        snapshot: Snapshot,
        outlook: Outlook,
        expected: Sequence[Congestion],
        terms: Terms,
        progress: Progress,
    ) -> None:
        self._snapshot, self._outlook, self._terms = snapshot, outlook, terms
        self._expected, self._progress = expected, progress

    def upgrades(self) -> tuple[Upgrade, ...]:
        """Return a remedy for each link whose chance exceeds what is tolerated, what removes most risk first."""
        found = [self._upgrade(element) for element in self._needing()]
        found.sort(key=lambda one: (-round(one.chosen.removed_mbps, 6), -one.probability, one.element))
        return tuple(one.but(rank=rank) for rank, one in enumerate(found, 1))

    def _needing(self) -> list[str]:
        likely = [one for one in self._expected if one.probability > self._terms.tolerated]
        links = dict.fromkeys(self._link_of(one.element) for one in likely)
        return list(links)[: self._terms.upgrades]

    def _link_of(self, element: str) -> str:
        topology = self._snapshot.topology
        return topology.links[arcs_of(topology, element)[0] // 2]

    def _upgrade(self, link: str) -> Upgrade:
        self._progress(f"comparing remedies for {label(link)}")
        ahead = self._worst(link)
        farthest = self._outlook.horizons[-1]
        drawn = sampling.draw(self._snapshot, self._outlook, farthest, self._terms, ahead[-1].element)
        remedies = self._remedies(link, max(one.relief_mbps for one in ahead), drawn)
        compared = weigh(self._snapshot, link, remedies, drawn, self._terms, self._progress)
        chosen = choose(compared)
        ends, weeks = self._outlook.history.ends, [one.horizon_weeks for one in ahead]
        limit = self._terms.threshold * ahead[0].capacity_mbps
        needed = first_time(ends, weeks, [one.probability for one in ahead], self._terms.tolerated)
        earliest = first_time(ends, weeks, [one.high_mbps for one in ahead], limit)
        latest = first_time(ends, weeks, [one.low_mbps for one in ahead], limit)
        return Upgrade(
            rank=1,
            element=link,
            probability=max(one.probability for one in ahead),
            needed_by=needed,
            earliest=min((at for at in (earliest, needed) if at), default=None),
            latest=None if latest is None or needed is None else max(latest, needed),
            chosen=chosen,
            compared=compared,
            why=_why(link, ahead, chosen),
        )

    def _worst(self, link: str) -> list[Congestion]:
        """Return the likeliest congestion of a link (of its ends, where those have histories) by horizon, ascending."""
        worst: dict[int, Congestion] = {}
        for one in self._expected:  # the likeliest come first
            if self._link_of(one.element) == link:
                worst.setdefault(one.horizon_weeks, one)
        return [worst[horizon] for horizon in sorted(worst)]

    def _remedies(self, link: str, needed_mbps: float, drawn: Futures) -> list[Remedy]:
        """Return what can be built for a link, and steering, where moving demands off it helps at high demands."""
        state = evaluate(self._snapshot, drawn.high)
        remedies = buildable(self._snapshot, link, needed_mbps, state, self._terms.prices)
        over = crossing(self._snapshot, link)
        moves = steer(self._snapshot, [change for change in drawn.high if change.demand in over])
        if moves is not None:
            vias = tuple(SetVia(demand=step.target, via=step.via, share=step.share) for step in moves.steps)
            remedies.append(steering(vias, link, self._terms.prices))
        return remedies


def choose(compared: Sequence[Weighed]) -> Weighed:
    """Return the cheapest remedy that removes nearly as much risk as the best one; doing nothing where none helps.

    Those that make the congestion of the link to relieve less likely by half come before all others.
    """
    nothing = next(one for one in compared if one.remedy.kind is RemedyKind.NOTHING)
    helpful = [one for one in compared if one.removed_mbps > 0]
    relieving = [one for one in helpful if one.chance_target <= nothing.chance_target / 2]
    able = relieving or helpful
    best = max((one.removed_mbps for one in able), default=0.0)
    enough = [one for one in able if one.removed_mbps >= _ENOUGH * best]
    return min(enough, key=lambda one: (one.remedy.cost, -one.removed_mbps), default=nothing)


def _why(link: str, ahead: Sequence[Congestion], chosen: Weighed) -> str:
    last = ahead[-1]
    share = percent(last.probability)
    likely = f"{label(link)} is too full {count(last.horizon_weeks, 'week')} on with a chance of {share}"
    if chosen.remedy.kind is RemedyKind.NOTHING:
        return f"{likely}; no remedy that was simulated removes any risk"
    return (
        f"{likely}; this removes {chosen.removed_mbps:.1f} Mbit/s of risk "
        f"({chosen.removed_low:.1f} to {chosen.removed_high:.1f}) at a cost of {chosen.remedy.cost:.1f}"
    )


def _left_out(snapshot: Snapshot, outlook: Outlook, terms: Terms) -> tuple[str, ...]:
    left = [str(horizon) for horizon in terms.horizons_weeks if horizon not in outlook.horizons]
    said = ["radio, batteries and what new links cost to run are not part of the comparison"]
    if left:
        said.append(f"the history is too short, or too full of gaps, to look {', '.join(left)} weeks ahead")
    single = len(failures(snapshot))
    if not terms.failures:
        said.append("single failures were not simulated")
    elif single > terms.screened:
        said.append(f"of {single} single failures the {terms.screened} that move most traffic were looked at")
    return tuple(said)
