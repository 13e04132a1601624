"""What is to be done after a commit, by topic of the outbox message. Each may be done twice.

`wake` and `correlate` are not here: the worker has them walked and paced.
"""

from collections.abc import Callable, Mapping

from control_plane import correlating, monitoring, outcomes
from control_plane.approvals import expiring
from control_plane.autonomy import acceptance, promotion
from control_plane.guards import stopping
from control_plane.policy import rejudging
from control_plane.road import Road
from control_plane.roster import asking, drawing, gaps, handover, notices

ERRANDS: Mapping[str, Callable[[Road, str], object]] = {
    "switched": stopping.sweep,
    "work_over": correlating.work_over,
    "refresh": correlating.refresh,
    "score": outcomes.score,
    "watch": monitoring.watch,
    "notify": asking.attend,
    "expiring": expiring.warn,
    "deliver": notices.deliver,
    "roster": gaps.look_ahead,
    "shift_change": handover.shift_change,
    "hand_over_due": handover.overdue,
    "seed": drawing.draw,
    "autonomy": promotion.look,
    "acceptance": acceptance.look,
    "policy_changed": rejudging.policy_changed,
}
