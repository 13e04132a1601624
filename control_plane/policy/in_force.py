"""Which policy book is in force: one row of the store, so that all processes on it mean the same book."""

from control_plane.tables import Tables
from domain.keeping import PolicyInForce

ROW = "policy"


def in_force(tables: Tables) -> PolicyInForce | None:
    """Return the row, or None where no book was ever put in force."""
    return tables.policy_in_force.get(ROW)


def version_in_force(tables: Tables) -> str:
    """Return the version that is in force; empty where no book ever was."""
    row = in_force(tables)
    return row.version if row else ""
