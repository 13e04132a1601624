"""The service layer of the rooms beside the main road. Each desk has the commands and queries of one room.

`Commands` and `Queries` serve the road itself; doors translate to these three and to nothing else.
"""

from collections.abc import Callable

from control_plane.accounts.desk import AccountsDesk
from control_plane.approvals.desk import ApprovalsDesk
from control_plane.audit.desk import AuditDesk
from control_plane.autonomy.desk import AutonomyDesk
from control_plane.guards.desk import GuardsDesk
from control_plane.orders.desk import OrdersDesk
from control_plane.policy.desk import PolicyDesk
from control_plane.ports import Narrator
from control_plane.road import Road
from control_plane.roster.attention_desk import AttentionDesk
from control_plane.roster.desk import RosterDesk
from control_plane.whatif.believing import Alone
from control_plane.whatif.desk import TwinDesk
from control_plane.whatif.planning_desk import CapacityPlanner, PlanningDesk


class Desks:
    """One attribute per room."""

    def __init__(
        self,
        road: Road,
        narrator: Narrator | None = None,
        capacity: Callable[[], CapacityPlanner] | None = None,
    ) -> None:
        self._road = road
        self.policy = PolicyDesk(road)
        self.approvals = ApprovalsDesk(road, narrator)
        self.guards = GuardsDesk(road)
        self.accounts = AccountsDesk(road)
        self.audit = AuditDesk(road)
        self.roster = RosterDesk(road)
        self.attention = AttentionDesk(road)
        self.autonomy = AutonomyDesk(road)
        self.orders = OrdersDesk(road)
        alone = Alone()
        self.twin = TwinDesk(road, alone)
        self.planning = PlanningDesk(road, capacity, alone)
