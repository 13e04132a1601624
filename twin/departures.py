"""Does a plan still come to what was approved? Two rehearsals of one plan, then and now, and what of it is different.

Only what matters to who approved it counts: that the plan is sound, whom it harms, and what it is worth. That the
network around it carries a little more or less is no departure.
"""

from domain.rehearsal import Rehearsal

#: A plan that is worth less than this share of what it was worth is another plan.
LEAST_WORTH = 0.5
_EQUAL_MBPS = 1e-3


def departures(granted: Rehearsal, again: Rehearsal) -> tuple[str, ...]:
    """Return one phrase per way in which a plan, rehearsed again, is not what was granted.

    Worth is the traffic that doing nothing loses and the plan does not, in Mbit/s, in the likeliest world.
    """
    found = []
    if not again.sound:
        found.append(f"rehearsed again, it is not sound: {'; '.join(again.reasons)}")
    if harmed := sorted(set(again.at_risk) - set(granted.at_risk)):
        found.append(f"it would now put at risk what it did not: {_some(harmed)}")
    was, now = _worth(granted), _worth(again)
    if was > _EQUAL_MBPS and now < LEAST_WORTH * was - _EQUAL_MBPS:
        found.append(f"it would now save {max(now, 0.0):.1f} Mbit/s, and {was:.1f} when it was approved")
    if granted.recovers and not set(granted.recovers) & set(again.recovers):
        found.append(f"it would bring back nothing of what it was to bring back: {_some(list(granted.recovers))}")
    return tuple(found)


def _worth(rehearsal: Rehearsal) -> float:
    return rehearsal.nothing.expected.lost_mbps - rehearsal.plan.expected.lost_mbps


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
