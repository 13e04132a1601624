"""The ordering agent: finds the ways of ordered circuits in the twin, and asks for them to be activated.

An order that is to be taken back becomes the inverse steps. Where the circuits do not fit any more, nothing is asked
for, and what stands against it is said.
"""

from agents.cards import ORDERING, accept
from agents.ports import Tools
from agents.wording import count
from domain.actions import ActivateCircuit, DeactivateCircuit
from domain.agents import AgentCard, Case
from domain.diagnosis import Cause, Diagnosis, FaultKind, Verdict
from domain.ids import new_id
from domain.orders import ServiceOrder
from domain.proposals import Draft, Plan
from twin.placing.bounds import Bounds
from twin.placing.configuring import Fitted, fitted


class Ordering:
    """A `Diagnostician` and a `Planner` for incidents about service orders. The same order and twin: the same plan."""

    card: AgentCard = ORDERING

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def diagnose(self, case: Case) -> Diagnosis:
        """Say that a wish is to be granted, with the order as evidence, or why it cannot be."""
        order = self._tools.orders.order(case.incident.id)
        against = "there is no such order any more" if order is None else self._against(case, order)
        cited = tuple(item.id for item in case.evidence)
        return Diagnosis(
            id=new_id("diag", case.made_at),
            incident_id=case.incident.id,
            revision=case.incident.revision,
            verdict=Verdict.NO_FAULT if order is None or against else Verdict.CAUSE,
            causes=() if order is None or against else (_cause(order, cited),),
            candidate_set=() if order is None or against else (order.circuits[0].id,),
            level=1.0,
            not_checked=(against,) if against else (),
            provisional=False,
            made_by=self.card.principal,
            made_at=case.made_at,
            oldest_evidence=min((item.event_time for item in case.evidence), default=case.made_at),
        )

    def plan(self, case: Case) -> Draft | None:
        """Return the plan to activate the circuits, or to take them out of service; None when it does not fit.

        Raises:
            Refused: the case did not come through the control plane.
        """
        accept(self.card, case)
        order = self._tools.orders.order(case.incident.id)
        if order is None or case.diagnosis is None or case.diagnosis.top is None:
            return None
        evidence = case.diagnosis.top.evidence_ids
        if case.incident.id == order.cancel_id:
            return self._taking_back(order, evidence)
        found = self._fitted(order)
        return _activating(order, found, evidence) if found.placement.ways else None

    def _against(self, case: Case, order: ServiceOrder) -> str:
        if case.incident.id == order.cancel_id:
            return ""
        return "it was cancelled" if order.cancelled_at else self._fitted(order).placement.refused

    def _fitted(self, order: ServiceOrder) -> Fitted:
        return fitted(self._tools.twin.snapshot(), order, Bounds(*self._tools.orders.limits()))

    def _taking_back(self, order: ServiceOrder, evidence: tuple[str, ...]) -> Draft:
        snapshot = self._tools.twin.snapshot()
        ways = {name: snapshot.policy(name) for name in order.circuit_ids}
        steps = tuple(
            DeactivateCircuit(**order.arguments(circuit), via=ways[circuit.id][0], share=ways[circuit.id][1])
            for circuit in order.circuits
        )
        return Draft(
            plan=Plan(steps=steps),
            title=f"Take {count(len(steps), 'circuit')} of order {order.id} out of service",
            why=f"the order was cancelled; {_rate(order):g} Mbit/s are given back",
            evidence_ids=evidence,
            confidence=1.0,
            cause_element=order.circuits[0].id,
            alternatives=("leave it in service: it was asked to be taken back",),
        )


def _activating(order: ServiceOrder, found: Fitted, evidence: tuple[str, ...]) -> Draft:
    ways = found.placement.ways
    via = {way.circuit: way.via for way in ways}
    steps = tuple(ActivateCircuit(**order.arguments(circuit), via=via[circuit.id]) for circuit in order.circuits)
    fullest = max(ways, key=lambda way: way.fullest)
    slowest = max(way.delay_ms for way in ways)
    guard = ", also when any one link fails" if order.protected else ""
    return Draft(
        plan=Plan(steps=steps),
        title=f"Activate {count(len(steps), 'circuit')} of order {order.id}",
        why=(
            f"ordered: {_rate(order):g} Mbit/s; the fullest link on its way, {fullest.link}, comes to "
            f"{fullest.fullest:.0%}, and it takes at most {slowest:.2f} of {order.slice.max_delay_ms:g} ms{guard}; "
            f"{_lines(found)}"
        ),
        evidence_ids=evidence,
        confidence=1.0,
        cause_element=order.circuits[0].id,
        alternatives=(
            "the default way: another leaves more room" if any(via.values()) else "a detour: none is better",
        ),
    )


def _lines(found: Fitted) -> str:
    """Say what the head ends would be told, and whether the checks before a push let it pass."""
    added = [line[1:].strip() for line in found.diff.splitlines() if line.startswith("+") and line[:3] != "+++"]
    if not found.checked:
        return "too many routers to check their configuration here: check it before it is pushed"
    if not added:
        return "no router needs a policy"
    return f"{count(len(added), 'line')} of configuration, checked: {'; '.join(added[:3])}"


def _rate(order: ServiceOrder) -> float:
    return sum(circuit.mbps for circuit in order.circuits)


def _cause(order: ServiceOrder, cited: tuple[str, ...]) -> Cause:
    return Cause(
        element=order.circuits[0].id,
        fault=FaultKind.SERVICE_ORDERED,
        confidence=1.0,
        scores={"mbps": _rate(order), "circuits": float(len(order.circuits))},
        evidence_ids=cited,
    )
