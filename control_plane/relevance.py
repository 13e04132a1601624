"""Is the network still what a rehearsal read? The facts are compared one by one, and the changed ones are named."""

from collections.abc import Iterable, Mapping

from control_plane.ports import Hands
from control_plane.road import Road
from domain.errors import NotFound, Unavailable
from domain.rehearsal import Fact


def read_state(hands: Hands, element: str) -> Mapping[str, str]:
    """Read the element's state; a device that does not answer shows nothing, which proves nothing."""
    try:
        return hands.state(element)
    except (NotFound, Unavailable):
        return {}


def present(road: Road, element: str, attribute: str) -> str | float | None:
    """Return the present value of a fact: from the device where it can be read back, else from telemetry."""
    if attribute in {"administrative", "metric", "via"}:
        try:
            state = road.network.state(element)
        except (NotFound, Unavailable):
            return None
        if attribute in state:
            return state[attribute]
    if attribute in {"version", "candidate"}:
        return read_state(road.known_models().slots, element).get(attribute)
    return road.live.observed(element, attribute)


def changed_facts(road: Road, facts: Iterable[Fact]) -> list[str]:
    """Return one phrase per fact that does not hold any more; unknown is not the same as unchanged."""
    phrases = []
    for fact in facts:
        now = present(road, fact.element, fact.attribute)
        if not fact.holds(now):
            was = fact.value if fact.value is not None else f"{fact.low}..{fact.high}"
            phrases.append(f"{fact.attribute} of `{fact.element}` was {was}, is {'unknown' if now is None else now}")
    return phrases
