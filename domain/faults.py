"""What each kind of fault would change, as an overlay: so the twin can be asked "what if it is this"."""

from domain.changes import Change, ScaleDemand, SetAdministrative, SetLoss, SetOperational
from domain.diagnosis import FaultKind
from domain.network import Administrative, Operational

#: What can be wrong with the network itself, as far as we have a name for it.
_ELSEWHERE = frozenset({FaultKind.UNKNOWN, FaultKind.MODEL_DRIFT, FaultKind.AUTONOMY_EARNED, FaultKind.SERVICE_ORDERED})
NETWORK_FAULTS = tuple(kind for kind in FaultKind if kind not in _ELSEWHERE)


def hypothesis(fault: FaultKind, element: str, size: float | None = None) -> tuple[Change, ...]:
    """Return the overlay that a fault at `element` amounts to.

    Args:
        fault: the kind of fault.
        element: where it is: a termination point for `interface_locked`, a link for `link_down` and
            `link_degraded`, a demand for `congestion`, a node or cell for the others.
        size: share of traffic lost (`link_degraded`, default 0.1) or factor of the demand (`congestion`, default 2).
    """
    match fault:
        case FaultKind.INTERFACE_LOCKED | FaultKind.CELL_LOCKED:
            return (SetAdministrative(element=element, state=Administrative.LOCKED),)
        case FaultKind.LINK_DEGRADED:
            return (SetLoss(link=element, share=0.1 if size is None else size),)
        case FaultKind.CONGESTION:
            return (ScaleDemand(demand=element, factor=2.0 if size is None else size),)
        case kind if kind in _ELSEWHERE:
            return ()
        case _:
            return (SetOperational(element=element, state=Operational.DISABLED),)
