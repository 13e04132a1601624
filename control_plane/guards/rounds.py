"""What the guards do when nobody calls: look at what waits, and count executor and record against each other."""

from control_plane.guards import freshness
from control_plane.guards.reconcile import Reconciliation
from control_plane.road import Road


class Rounds:
    """Due by a clock that no jump of the time of day moves."""

    def __init__(self, road: Road) -> None:
        self._road = road
        self._reconciliation = Reconciliation(road)
        self._look_at = self._reconcile_at = road.clock.monotonic()

    def tick(self) -> None:
        """Do what is due now; called as often as one likes."""
        now, settings = self._road.clock.monotonic(), self._road.settings
        if now >= self._look_at:
            self._look_at = now + settings.guard_round_s
            freshness.sweep(self._road)
        if now >= self._reconcile_at:
            self._reconcile_at = now + settings.reconcile_s
            for tenant in self._tenants():
                self._reconciliation.look(tenant)

    def _tenants(self) -> list[str]:
        accounts = self._road.ledger.read(lambda tables: tables.principals.find())
        return sorted({"default", *(account.tenant for account in accounts)})
