"""The retraining agent: says what to do about a model that has drifted: go back, let a candidate serve, or train one.

Going back comes first, when what served before errs less on the same cases. A candidate is asked for when its trial
is better. While a trial cannot tell yet, nothing is asked for. Whatever it asks for is rehearsed, judged and signed.
"""

from agents.cards import RETRAINING, accept
from agents.ports import Tools
from agents.wording import label, percent
from domain.actions import SwitchModel, TrainModel
from domain.agents import AgentCard, Case
from domain.canonical import digest
from domain.diagnosis import Cause
from domain.errors import NocturneError
from domain.models import ModelTrial, ModelVersion
from domain.proposals import Draft, Plan
from lifecycle.trials import TrialVerdict, objections, told, verdict

#: After so many trainings since the incident began, a person has to think.
_MOST_TRAININGS = 3


class Retraining:
    """A `Planner` for incidents about models. The same record gives the same plan."""

    card: AgentCard = RETRAINING

    def __init__(self, tools: Tools, recipe: str = "quick") -> None:
        """Ask for trainings by this recipe of the trainer."""
        self._tools, self._recipe = tools, recipe

    def plan(self, case: Case) -> Draft | None:
        """Return a plan, or None when there is nothing to ask for yet.

        Raises:
            Refused: the case did not come through the control plane.
        """
        accept(self.card, case)
        cause = case.diagnosis.top if case.diagnosis else None
        serving = self._tools.models.serving(cause.element) if cause else None
        if cause is None or serving is None:
            return None
        return self._back(cause, serving) or self._on(case, cause, serving)

    def _back(self, cause: Cause, serving: ModelVersion) -> Draft | None:
        """Return the plan to go back to what served before, when that errs less."""
        previous = self._tools.models.previous(serving.slot)
        found = self._trial(serving, previous)
        if previous is None or found is None or verdict(found) is not TrialVerdict.BETTER:
            return None
        return _switch(cause, serving, previous, f"Go back to {label(previous.id)}", told(found))

    def _on(self, case: Case, cause: Cause, serving: ModelVersion) -> Draft | None:
        """Return the plan to let the candidate serve, or to train one."""
        candidate = self._tools.models.candidate(serving.slot)
        found = self._trial(serving, candidate)
        if candidate is None or found is None or verdict(found) is TrialVerdict.WORSE:
            return self._train(case, cause, serving)
        if verdict(found) is TrialVerdict.NOT_YET:
            return None
        if objections(found, serving.card, candidate.card, served=False):
            return self._train(case, cause, serving)  # better here, and too bad on held-out cases: it may never serve
        return _switch(cause, serving, candidate, f"Let {label(candidate.id)} serve", told(found))

    def _trial(self, serving: ModelVersion, other: ModelVersion | None) -> ModelTrial | None:
        """Return how another version does on the recorded cases; None when there is none, or it cannot be asked."""
        if other is None:
            return None
        try:
            return self._tools.trials.trial(serving.slot, serving.id, other.id)
        except NocturneError:
            return None  # a version that cannot be loaded is none; its store says so when somebody asks for it

    def _train(self, case: Case, cause: Cause, serving: ModelVersion) -> Draft | None:
        before = self._tools.models.trainings(serving.slot)
        if self._tools.models.trainings(serving.slot, case.incident.opened_at) >= _MOST_TRAININGS:
            return None
        version = f"mv_{digest([serving.slot, serving.id, before])[:26]}"
        step = TrainModel(target=serving.slot, version=version, recipe=self._recipe, seed=before + 2)
        why = f"{label(serving.id)} errs more often than its card allows: {_seen(cause)}; a new version may err less"
        return Draft(
            plan=Plan(steps=(step,)),
            title=f"Train a candidate for {label(serving.slot)}",
            why=why,
            evidence_ids=cause.evidence_ids,
            confidence=cause.confidence,
            cause_element=cause.element,
            alternatives=("keep what serves, and watch it", "leave the learned ranker out of the diagnosis"),
        )


def _switch(cause: Cause, serving: ModelVersion, other: ModelVersion, title: str, figures: str) -> Draft:
    step = SwitchModel(target=serving.slot, version=other.id, previous=serving.id)
    return Draft(
        plan=Plan(steps=(step,)),
        title=title,
        why=f"{label(serving.id)} has drifted: {_seen(cause)}; {figures}",
        evidence_ids=cause.evidence_ids,
        confidence=cause.confidence,
        cause_element=cause.element,
        alternatives=("keep what serves, and watch it",),
    )


def _seen(cause: Cause) -> str:
    scores = cause.scores
    return f"{scores['errors']:.0f} of {scores['outcomes']:.0f} outcomes wrong, {percent(scores['limit'])} allowed"
