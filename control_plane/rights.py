"""May this caller do that, here? One answer for every door, in one set of words."""

from domain.errors import Refused
from domain.identity import Permission, Principal
from policies.permissions import PERMISSIONS, permissions


def need(who: Principal, permission: Permission | None) -> None:
    """Return when the caller has the permission, by its own roles and by those of whoever it acts for.

    None is what every account may that has a role at all.

    Raises:
        Refused: it has not; the reason names the roles that would.
    """
    own = permissions(who)
    if permission in own or (permission is None and own):
        return
    roles = " or ".join(sorted(role for role, held in PERMISSIONS.items() if permission in held)) or "that it lacks"
    acting = f" for `{who.behind.name}`" if who.behind else ""
    raise Refused(f"`{who.name}` may not do this{acting}; it needs the role {roles}")
