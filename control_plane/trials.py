"""Asking two versions the same recorded cases, of which the truth is known, and rehearsing plans about models with it.

For a plan that switches a slot, this trial is the rehearsal: nothing in the network changes, and what would change is
how often the slot is wrong. A verdict of "not yet" is not sound, so it promotes nothing.
"""

from collections.abc import Sequence

from control_plane.model_record import outcomes_of
from control_plane.ports import Ledger, Rankers
from control_plane.relevance import read_state
from control_plane.road import Road
from control_plane.tables import Tables
from domain.actions import Action, RetireModel, SwitchModel, TrainModel
from domain.errors import BadInput, NocturneError, NotFound
from domain.models import ModelCard, ModelOutcome, ModelTrial
from domain.proposals import Plan, Proposal
from domain.rehearsal import Fact, Forecast, Impact, Rehearsal
from lifecycle.trials import objections, told, trial
from twin.snapshot import Snapshot

_UNTOUCHED = Forecast(expected=Impact(), lost_low=0.0, lost_high=0.0)


class RecordedTrials:
    """The `trials` tool of agents: reads outcomes and asks rankers, changes nothing."""

    def __init__(self, ledger: Ledger, rankers: Rankers) -> None:
        self._ledger, self._rankers = ledger, rankers

    def trial(self, slot: str, serving: str, candidate: str) -> ModelTrial:
        """Return how two versions do on the slot's newest recorded cases.

        Raises:
            NotFound, Refused, Unavailable: a version cannot be asked; the reason says why.
        """
        cases = self._ledger.read(lambda tables: outcomes_of(tables, slot))
        asked = [(self._right(serving, case), self._right(candidate, case)) for case in cases]
        both = [(ours, theirs) for ours, theirs in asked if ours is not None and theirs is not None]
        return trial(slot, serving, candidate, both)

    def _right(self, version: str, case: ModelOutcome) -> bool | None:
        """Say whether a version names the confirmed cause first; None: the case is of another network than today's.

        Of two that it finds equally likely the first by name counts, as in the opinion of a diagnosis.
        """
        try:
            scores = self._rankers.ask(version, case.sight).scores
        except BadInput:
            return None
        return min(scores, key=lambda element: (-scores[element], element), default="") == case.confirmed


def check(_road: Road, plan: Plan) -> None:
    """Refuse a plan that is not one step about a model. Raises BadInput."""
    if len(plan.steps) != 1 or not isinstance(plan.steps[0], TrainModel | RetireModel | SwitchModel):
        raise BadInput("a plan about a model is one step that trains, retires or switches a version; send such a plan")


def rehearse(road: Road, proposal: Proposal, snapshot: Snapshot) -> Rehearsal:
    """Rehearse a plan about a model.

    Raises:
        BadInput: the plan is about something else, or no model store is connected.
    """
    check(road, proposal.plan)
    step = proposal.plan.steps[0]
    state = read_state(road.known_models().slots, step.target)
    against, found = _against(road, step, state)
    said = told(found) if found else "nothing that serves is changed"
    facts = tuple(Fact(element=step.target, attribute=name, value=state.get(name)) for name in ("version", "candidate"))
    return Rehearsal(
        id=road.id("reh"),
        proposal_id=proposal.id,
        plan_digest=proposal.plan.digest,
        snapshot_digest=snapshot.digest,
        nothing=_UNTOUCHED,
        plan=_UNTOUCHED,
        inverse=_UNTOUCHED if proposal.plan.reversible else None,
        facts=facts,
        step_facts=(facts,),
        sound=not against,
        reasons=against or (said,),
        trial=found,
        made_at=road.clock.now(),
    )


def _against(road: Road, step: Action, state: object) -> tuple[tuple[str, ...], ModelTrial | None]:
    """Return what speaks against a step, and the trial where there was one."""
    if not isinstance(state, dict) or not state:
        return (f"`{step.target}` does not show what it serves; look at the model store",), None
    match step:
        case SwitchModel():
            return _against_switch(road, step, state)
        case TrainModel():
            taken = road.ledger.read(lambda tables: tables.model_versions.get(step.version)) is not None
            return ((f"there is a version `{step.version}` already; name another",) if taken else ()), None
        case RetireModel() if state["candidate"] != step.version:
            return (f"`{step.version}` is not the candidate of `{step.target}`; there is nothing to retire",), None
    return (), None


def _against_switch(road: Road, step: SwitchModel, state: dict[str, str]) -> tuple[tuple[str, ...], ModelTrial | None]:
    if state["version"] != step.previous:
        return (f"`{step.target}` serves `{state['version']}`, not `{step.previous}`; ask with what it serves",), None
    try:
        cards = road.ledger.read(lambda tables: _cards(tables, step.previous, step.version))
        trials = RecordedTrials(road.ledger, road.known_models().rankers)
        found = trials.trial(step.target, step.previous, step.version)
    except NocturneError as error:
        return (f"there can be no trial: {error.reason}",), None
    return objections(found, *cards, served=step.version == state["previous"]), found


def _cards(tables: Tables, *versions: str) -> Sequence[ModelCard]:
    found = [tables.model_versions.get(version) for version in versions]
    for version, row in zip(versions, found, strict=True):
        if row is None:
            raise NotFound(f"no version `{version}` is registered; train it first")
    return [row.card for row in found if row is not None]
