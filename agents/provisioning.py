"""The provisioning agent: how to repair the likeliest cause, by typed actions with their inverses.

One function per kind of fault. Where a choice is not plain (drain or send a crew, which demand to steer where),
the twin is asked, and what was considered and not chosen stands on the draft. That is a search, not a rehearsal:
the control plane rehearses whatever comes out.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from agents.cards import PROVISIONING, accept
from agents.ports import Tools
from agents.steering import BUDGET_S, Steering, steer
from agents.wording import count, label, labels, percent, said
from domain.actions import Action, DispatchCrew, DrainLink, InterfaceUp, RestartProcess, UnlockCell
from domain.agents import AgentCard, Case
from domain.diagnosis import Cause, FaultKind
from domain.network import Link, Node, NodeKind
from domain.proposals import Draft, Plan
from twin.evaluate import evaluate
from twin.snapshot import Snapshot


@dataclass(frozen=True)
class _Trouble:
    """A cause and the network that it is in."""

    cause: Cause
    snapshot: Snapshot
    budget_s: float

    @property
    def element(self) -> str:
        return self.cause.element

    @property
    def node(self) -> Node | None:
        return next((node for node in self.snapshot.inventory.nodes if node.id == self.element), None)

    @property
    def link(self) -> Link | None:
        return next((link for link in self.snapshot.inventory.links if link.id == self.element), None)


@dataclass(frozen=True)
class _Offer:
    """A repair in the making: its steps, and the words for it."""

    steps: tuple[Action, ...]
    title: str
    gain: str
    not_chosen: tuple[str, ...] = ()


class Provisioning:
    """Plans repairs. It reads the twin and the record of the past, and changes nothing."""

    card: AgentCard = PROVISIONING

    def __init__(self, tools: Tools, steering_budget_s: float = BUDGET_S) -> None:
        self._tools = tools
        self._budget_s = steering_budget_s

    def plan(self, case: Case) -> Draft | None:
        """Return a repair of the case's likeliest cause, or None when there is no cause or nothing that helps.

        The same case and the same twin give the same draft.

        Raises:
            Refused: the case did not come through the control plane.
        """
        accept(self.card, case)
        cause = case.diagnosis.top if case.diagnosis else None
        repair = _REPAIRS.get(cause.fault) if cause else None
        if cause is None or repair is None:
            return None
        offer = repair(_Trouble(cause, self._tools.twin.snapshot(), self._budget_s))
        return None if offer is None else self._draft(case, cause, offer)

    def _draft(self, case: Case, cause: Cause, offer: _Offer) -> Draft:
        near = tuple(item.id for item in case.evidence if item.element == cause.element)
        return Draft(
            plan=Plan(steps=offer.steps),
            title=offer.title,
            why=f"{said(cause)} ({percent(cause.confidence)} sure); {offer.gain}",
            evidence_ids=cause.evidence_ids or near,
            confidence=cause.confidence,
            cause_element=cause.element,
            alternatives=(*offer.not_chosen, self._waiting(cause), *_other_causes(case)),
        )

    def _waiting(self, cause: Cause) -> str:
        chance = self._tools.past.self_heal(cause.fault)
        return f"waiting: about {percent(chance)} of such faults are over by themselves in the time it takes to verify"


def _other_causes(case: Case) -> tuple[str, ...]:
    others = case.diagnosis.causes[1:3] if case.diagnosis else ()
    return tuple(f"repairing another cause: {said(o)}, only {percent(o.confidence)} sure" for o in others)


def _interface_up(trouble: _Trouble) -> _Offer | None:
    points = {point.id for point in trouble.snapshot.inventory.termination_points}
    if trouble.element not in points:
        return None
    return _Offer(
        steps=(InterfaceUp(target=trouble.element),),
        title=f"Bring interface {label(trouble.element)} up",
        gain="bringing it up restores what it carried",
        not_chosen=("a crew: the interface is configured down, there is nothing to mend on site",),
    )


def _unlock_cell(trouble: _Trouble) -> _Offer | None:
    if trouble.node is None or trouble.node.kind is not NodeKind.CELL:
        return None
    return _Offer(
        steps=(UnlockCell(target=trouble.element),),
        title=f"Unlock cell {label(trouble.element)}",
        gain="unlocking it lets it serve again",
        not_chosen=("a restart: the process runs, the cell is configured not to serve",),
    )


def _restart(trouble: _Trouble) -> _Offer | None:
    if trouble.node is None or trouble.node.kind is NodeKind.POWER:
        return None
    process = "radio" if trouble.node.kind in {NodeKind.GNB, NodeKind.CELL} else "routing"
    return _Offer(
        steps=(RestartProcess(target=trouble.element, process=process),),
        title=f"Restart the {process} process of {label(trouble.element)}",
        gain="the element itself is there, so a restart of its process, which cannot be undone, is the nearest remedy",
        not_chosen=("a crew: the element has power and answers, so it can be reached without travelling",),
    )


def _drain_or_mend(trouble: _Trouble) -> _Offer | None:
    """Send a crew; drain the link first if the rest of the network can take its traffic without losing more.

    Only the crew ends the fault. The link stays drained until somebody who has seen it clean undrains it.
    """
    link = trouble.link
    if link is None:
        return None
    metric = int(trouble.snapshot.value(link.id, "metric") or link.metric)
    drain = DrainLink(target=link.id, previous_metric=metric)
    now = evaluate(trouble.snapshot, trouble.cause.hypothesis).impact()
    then = evaluate(trouble.snapshot, (*trouble.cause.hypothesis, *drain.changes())).impact()
    losses = f"loss goes from {now.lost_mbps:.0f} to {then.lost_mbps:.0f} Mbit/s in the twin"
    spares_others = set(then.customers_hit) <= set(now.customers_hit)
    if then.lost_mbps >= now.lost_mbps - 1e-6 or not spares_others:
        refused = f"draining {label(link.id)}: {losses}, so it does not help"
        return _crew(trouble, "mend the link", "the traffic has no better way", (refused,), lossy=True)
    crew = _crew(trouble, "mend the link", "only a crew makes it clean again", lossy=True)
    return _Offer(
        steps=(drain, *crew.steps),
        title=f"Drain link {label(link.id)}, and send a crew to it",
        gain=f"{crew.gain}; until then nobody needs to notice, for the rest takes its traffic: {losses}",
        not_chosen=("a crew alone: the traffic would go on suffering until it is there",),
    )


def _steer_away(trouble: _Trouble) -> _Offer | None:
    steering = steer(trouble.snapshot, trouble.cause.hypothesis, trouble.budget_s)
    if steering is None:
        return None
    return _Offer(
        steps=steering.steps,
        title=_steering_title(steering),
        gain=_steering_gain(steering),
        not_chosen=("more capacity: nobody can add it from here",),
    )


def _link_down(trouble: _Trouble) -> _Offer | None:
    """Send a crew; until it is there, steer traffic around what the failure overloads."""
    if trouble.link is None:
        return None
    crew = _crew(trouble, "mend the link", "only a crew brings it back")
    if not _overloads(trouble):
        return replace(crew, not_chosen=("steering traffic away: the twin finds nothing overloaded by this failure",))
    steering = steer(trouble.snapshot, trouble.cause.hypothesis, trouble.budget_s)
    if steering is None:
        return replace(crew, not_chosen=("steering traffic away: the twin finds no detour that loses less",))
    return _Offer(
        steps=(*steering.steps, *crew.steps),
        title=f"{_steering_title(steering)}, and send a crew to {label(trouble.element)}",
        gain=f"{crew.gain}; until then, {_steering_gain(steering)}",
        not_chosen=("a crew alone: what the failure overloads would go on losing traffic until it is mended",),
    )


def _overloads(trouble: _Trouble) -> bool:
    """Say whether the fault overloads a link that is not overloaded without it."""
    now = evaluate(trouble.snapshot, trouble.cause.hypothesis).impact().overloaded
    return bool(set(now) - set(evaluate(trouble.snapshot).impact().overloaded))


def _node_down(trouble: _Trouble) -> _Offer | None:
    if trouble.node is None:
        return None
    remote = "a restart from here: the element does not answer"
    return _crew(trouble, "bring the element back", "it does not answer, so somebody has to go there", (remote,))


def _power_lost(trouble: _Trouble) -> _Offer | None:
    if trouble.node is None:
        return None
    return _crew(trouble, "restore power", "what stands there runs on batteries at best, until somebody goes there")


def _crew(trouble: _Trouble, work: str, gain: str, not_chosen: tuple[str, ...] = (), *, lossy: bool = False) -> _Offer:
    site = trouble.node.site if trouble.node else ""
    return _Offer(
        steps=(DispatchCrew(target=trouble.element, site=site, work=work, lossy=lossy),),
        title=f"Send a crew to {label(trouble.element)}",
        gain=gain,
        not_chosen=not_chosen,
    )


def _steering_title(steering: Steering) -> str:
    return f"Steer {count(len(steering.steps), 'demand')} ({labels([s.target for s in steering.steps], 2)}) another way"


def _steering_gain(steering: Steering) -> str:
    """Say what the moves are worth: loss, and the fullest link now, after, at best, and after one failure more."""
    before, after = steering.before, steering.after
    best = "not worked out" if steering.optimum is None else _full(steering.optimum)
    return (
        f"loss goes from {before.lost_mbps:.0f} to {after.lost_mbps:.0f} Mbit/s in the twin; the fullest link: "
        f"now {_full(before.max_utilisation)}, after {_full(after.max_utilisation)}, optimum {best}, "
        f"N-1 after {_full(steering.after_failure)}"
    )


def _full(utilisation: float) -> str:
    return f"{100 * utilisation:.0f} %"


_REPAIRS: dict[FaultKind, Callable[[_Trouble], _Offer | None]] = {
    FaultKind.INTERFACE_LOCKED: _interface_up,
    FaultKind.CELL_LOCKED: _unlock_cell,
    FaultKind.PROCESS_HUNG: _restart,
    FaultKind.CELL_SLEEPING: _restart,
    FaultKind.LINK_DEGRADED: _drain_or_mend,
    FaultKind.CONGESTION: _steer_away,
    FaultKind.LINK_DOWN: _link_down,
    FaultKind.NODE_DOWN: _node_down,
    FaultKind.POWER_LOST: _power_lost,
}
