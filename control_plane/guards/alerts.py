"""When the plane itself finds something wrong, whoever is on call is told, once, and it is recorded."""

from control_plane.road import Road
from control_plane.roster.notices import Told, to_role
from control_plane.tables import Tables
from domain.identity import Role
from domain.records import Entry
from domain.roster import NoticeKind


def warn(road: Road, tables: Tables, *, tenant: str, ref: str, kind: str, text: str, mark: str) -> Told:
    """Tell the operators on call of a trouble of the plane, once for one `mark`; `kind` is that of its record."""
    told = to_role(road, tables, Role.OPERATOR, tenant=tenant, kind=NoticeKind.ALARM, ref=ref, text=text, mark=mark)
    if not told.notices:
        return told
    entry = Entry(
        kind=kind,
        actor="plane",
        refs=(ref,),
        event_time=road.clock.now(),
        tenant=tenant,
        fields={"because": text, "next_role": Role.OPERATOR},
    )
    return told._replace(entries=(entry, *told.entries))
