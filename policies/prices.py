"""What one action of each class costs, in euros. The spend of agents is counted with these, and limited.

The figures are declared, not measured: an installation puts its own here. Work on configuration costs nothing but
attention, which is limited by the number of plans and steps.
"""

from collections.abc import Mapping

from domain.actions import Action, ActionClass

PRICES_EUR: Mapping[ActionClass, float] = {
    ActionClass.DISPATCH_CREW: 450.0,  # two people and a van, half a day
    ActionClass.RECALL_CREW: 150.0,  # they were on their way
    ActionClass.TRAIN_MODEL: 2.5,  # a quarter of an hour of machines
    ActionClass.RETIRE_MODEL: 0.0,
    ActionClass.SWITCH_MODEL: 0.0,
    ActionClass.SET_AUTONOMY: 0.0,
    ActionClass.OPEN_TICKET: 0.0,
    ActionClass.CANCEL_TICKET: 0.0,
    ActionClass.INTERFACE_UP: 0.0,
    ActionClass.INTERFACE_DOWN: 0.0,
    ActionClass.DRAIN_LINK: 0.0,
    ActionClass.UNDRAIN_LINK: 0.0,
    ActionClass.STEER_DEMAND: 0.0,
    ActionClass.ACTIVATE_CIRCUIT: 0.0,
    ActionClass.DEACTIVATE_CIRCUIT: 0.0,
    ActionClass.RESTART_PROCESS: 0.0,
    ActionClass.LOCK_CELL: 0.0,
    ActionClass.UNLOCK_CELL: 0.0,
}


def price(action: Action) -> float:
    """Return the declared price of one action, in euros. A class without a row has no price, and raises KeyError."""
    return PRICES_EUR[action.kind]
