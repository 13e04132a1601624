"""Executor and record are counted against each other: neither may know of a step that the other does not.

`queries.verify_audit` compares everything on demand; this reads on from where it was, so it can run for ever.
"""

from collections.abc import Iterator

from control_plane.guards.alerts import warn
from control_plane.ports import Written
from control_plane.road import Road
from control_plane.tables import Tables

_INTENDED = "act.step.intended"
_RECORDS_AT_ONCE, _EXECUTIONS = 5000, 200


class Reconciliation:
    """Remembers how far each tenant's record was read."""

    def __init__(self, road: Road) -> None:
        self._road = road
        self._read: dict[str, int] = {}

    def look(self, tenant: str = "default") -> list[str]:
        """Compare what is new, and the newest executions; return the steps on which the two do not agree."""
        odd = sorted({*self._unknown_to_executor(tenant), *self._unrecorded(tenant)})
        if odd:
            self._tell(tenant, odd)
        return odd

    def _unknown_to_executor(self, tenant: str) -> Iterator[str]:
        """Yield steps that the record says were intended, and that are not on the shelf."""
        records = self._road.ledger.records(tenant, after=self._read.get(tenant, 0), limit=_RECORDS_AT_ONCE)
        said = [record.refs[0] for record in records if record.kind == _INTENDED]
        yield from self._road.ledger.read(lambda tables: [id for id in said if tables.steps.get(id) is None])
        if records:
            self._read[tenant] = records[-1].sequence

    def _unrecorded(self, tenant: str) -> Iterator[str]:
        """Yield steps of the newest executions that have not exactly one record of their intent."""

        def read(tables: Tables) -> list[str]:
            newest = tables.executions.find(newest=True, limit=_EXECUTIONS)
            mine = [e for e in newest if (p := tables.proposals.get(e.proposal_id)) and p.tenant == tenant]
            return [step.id for execution in mine for step in tables.steps.find(execution_id=execution.id)]

        for step_id in self._road.ledger.read(read):
            records = self._road.ledger.records(tenant, ref=step_id)
            if sum(record.kind == _INTENDED and record.refs[0] == step_id for record in records) != 1:
                yield step_id

    def _tell(self, tenant: str, odd: list[str]) -> None:
        text = f"executor and record do not agree on step `{odd[0]}` ({len(odd)} in all); run `nocturne verify-audit`"

        def change(tables: Tables) -> Written[None]:
            told = warn(
                self._road,
                tables,
                tenant=tenant,
                ref=odd[0],
                kind="plane.reconciliation.failed",
                text=text,
                mark="reconciliation",
            )
            return Written(None, told.entries, told.messages)

        self._road.ledger.do(change)
