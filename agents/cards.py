"""The agents' declarations: what each is for, which tools it may use, to whom it may hand over, what it may ask for.

The control plane gives an agent exactly these tools, and refuses any other hand-over and any other action. The
names of the tools are the attributes of `agents.ports.Tools`.
"""

from domain.actions import ActionClass
from domain.agents import AgentCard, Case
from domain.errors import Refused
from domain.identity import NetworkDomain

DIAGNOSTICS = AgentCard(
    name="diagnostics",
    purpose="says what is wrong: ranked causes with their evidence, or that there is no fault, or that it cannot tell",
    tools=frozenset({"telemetry", "twin", "past", "ranker"}),
    takes=("incident", "alarms", "picture", "evidence"),
    gives=("diagnosis",),
    hands_to=frozenset({"provisioning", "ticketing"}),
)

PROVISIONING = AgentCard(
    name="provisioning",
    purpose="says how to repair the likeliest cause, by typed actions that the twin was asked about",
    tools=frozenset({"twin", "past"}),
    takes=("incident", "diagnosis", "evidence"),
    gives=("draft",),
    actions=frozenset(
        {
            ActionClass.INTERFACE_UP,
            ActionClass.DRAIN_LINK,
            ActionClass.STEER_DEMAND,
            ActionClass.RESTART_PROCESS,
            ActionClass.UNLOCK_CELL,
            ActionClass.DISPATCH_CREW,
        }
    ),
    domains=frozenset({NetworkDomain.RAN, NetworkDomain.TRANSPORT, NetworkDomain.CORE, NetworkDomain.POWER}),
)

TICKETING = AgentCard(
    name="ticketing",
    purpose="writes the trouble ticket of an incident",
    tools=frozenset(),
    takes=("incident", "diagnosis", "evidence"),
    gives=("draft",),
    actions=frozenset({ActionClass.OPEN_TICKET}),
    domains=frozenset({NetworkDomain.TICKETS}),
)

DRIFT = AgentCard(
    name="drift",
    purpose="watches whether the models that serve err more often than their cards allow, and says with what certainty",
    tools=frozenset({"models"}),
    takes=("incident", "alarms", "evidence"),
    gives=("alarm", "diagnosis"),
    hands_to=frozenset({"retraining", "ticketing"}),
)

RETRAINING = AgentCard(
    name="retraining",
    purpose="says what to do about a model that has drifted: go back, let a candidate serve, or train one",
    tools=frozenset({"models", "trials"}),
    takes=("incident", "diagnosis", "evidence"),
    gives=("draft",),
    actions=frozenset({ActionClass.TRAIN_MODEL, ActionClass.SWITCH_MODEL}),
    domains=frozenset({NetworkDomain.MODELS}),
)

OVERSIGHT = AgentCard(
    name="oversight",
    purpose="finds what agents have earned to do by themselves, and asks people for it",
    tools=frozenset({"autonomy"}),
    takes=("incident", "diagnosis", "evidence"),
    gives=("diagnosis", "draft"),
    hands_to=frozenset({"oversight"}),  # what it finds, it asks for itself: through the plane, like any hand-over
    actions=frozenset({ActionClass.SET_AUTONOMY}),
    domains=frozenset({NetworkDomain.AUTONOMY}),
)

ORDERING = AgentCard(
    name="ordering",
    purpose="finds the ways of ordered circuits in the twin, and asks for them to be activated or taken out of service",
    tools=frozenset({"orders", "twin"}),
    takes=("incident", "diagnosis", "evidence"),
    gives=("diagnosis", "draft"),
    hands_to=frozenset({"ordering"}),  # what it finds, it asks for itself: through the plane, like any hand-over
    actions=frozenset({ActionClass.ACTIVATE_CIRCUIT, ActionClass.DEACTIVATE_CIRCUIT}),
    domains=frozenset({NetworkDomain.TRANSPORT}),
)

CAPACITY = AgentCard(
    name="capacity",
    purpose="says which links will be too full and when, and which remedy is worth its cost; people buy and build",
    tools=frozenset({"twin"}),
    takes=("load_history",),
    gives=("capacity_plan",),
)

NARRATOR = AgentCard(
    name="narrator",
    purpose="answers questions from the record, and refuses what the record does not hold",
    tools=frozenset({"facts"}),
    takes=("question",),
    gives=("answer",),
)

CARDS: dict[str, AgentCard] = {
    card.name: card
    for card in (DIAGNOSTICS, PROVISIONING, TICKETING, DRIFT, RETRAINING, OVERSIGHT, ORDERING, CAPACITY, NARRATOR)
}


def accept(card: AgentCard, case: Case) -> None:
    """Return when the case came through the control plane.

    Raises:
        Refused: the case bears no hand-off; agents take nothing from each other directly.
    """
    if not case.hand_off_id:
        raise Refused(f"`{card.name}` takes no case without a hand-off; send it through the control plane")
