"""Is the network still what a rehearsal read? The facts are compared one by one, and the changed ones are named."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from control_plane.autonomy import standing as autonomy
from control_plane.ports import Hands
from control_plane.road import Road
from domain.actions import NO_CIRCUIT
from domain.errors import NotFound, Unavailable
from domain.measurements import Metric
from domain.rehearsal import Fact

_METRICS = frozenset(metric.value for metric in Metric)


def read_state(hands: Hands, element: str, absent: Mapping[str, str] = MappingProxyType({})) -> Mapping[str, str]:
    """Read the element's state; a device that does not answer shows nothing, which proves nothing.

    `absent`: what it means that there is no such element (`Action.absent`).
    """
    try:
        return hands.state(element)
    except NotFound:
        return absent
    except Unavailable:
        return {}


def measured(attribute: str) -> bool:
    """Say whether an attribute is measured, and so ages; what is configured stands until it is changed."""
    return attribute in _METRICS


def present(road: Road, element: str, attribute: str) -> str | float | None:
    """Return the present value of a fact: from the device where it can be read back, else from telemetry."""
    if attribute in {"administrative", "metric", "via"}:
        try:
            state = road.network.state(element)
        except NotFound:
            if element not in road.live.circuits:
                return None
            state = NO_CIRCUIT  # the house knows of a circuit that the network does not carry yet
        except Unavailable:
            return None
        if attribute in state:
            return state[attribute]
    if attribute in {"level", "bound"}:
        return autonomy.present(road, element, attribute)
    if attribute in {"version", "candidate"}:
        return read_state(road.known_models().slots, element).get(attribute)
    return road.live.observed(element, attribute)


def changed_facts(road: Road, facts: Iterable[Fact]) -> list[str]:
    """Return one phrase per fact that does not hold any more; unknown is not the same as unchanged."""
    seen = ((fact, present(road, fact.element, fact.attribute)) for fact in facts)
    return [changed_phrase(fact, now) for fact, now in seen if not fact.holds(now)]


def changed_phrase(fact: Fact, now: str | float | None) -> str:
    """Say in words how a fact was, and how it is."""
    was = fact.value if fact.value is not None else f"{fact.low}..{fact.high}"
    return f"{fact.attribute} of `{fact.element}` was {was}, is {'unknown' if now is None else now}"
