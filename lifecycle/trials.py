"""Does a candidate err less than what serves? Both were asked the same recorded cases, of which the truth is known.

Cases on which both are right, or both wrong, say nothing about which is better. Of the others, each speaks for one:
with a flat prior the chance that the candidate wins such a case is Beta(1 + won, 1 + lost) distributed, and
`chance_better` is the posterior chance that this is more than one half. "Not yet" is an answer, and promotes nothing.

The posterior takes the cases as drawn at random. Those that raised an alarm are not: after a false alarm they speak
against what serves. Simulated, a candidate that is just as good is then called better in 10 to 20 % of trials, not in
5 %. So the held-out error on its card, people, and watching it afterwards stand beside the verdict.
"""

from collections.abc import Sequence
from enum import StrEnum

from scipy import stats

from domain.models import ModelCard, ModelTrial
from lifecycle.drift import error_limit

#: The posterior chance it takes to be called better; as little of it is called worse.
SURE, UNSURE = 0.95, 0.05
#: Fewer cases than this say nothing.
LEAST_CASES = 4


class TrialVerdict(StrEnum):
    BETTER = "better"
    WORSE = "worse"
    NOT_YET = "not_yet"


def trial(slot: str, serving: str, candidate: str, answers: Sequence[tuple[bool, bool]]) -> ModelTrial:
    """Return the trial of two versions.

    Args:
        slot: where they serve.
        serving: the version that serves.
        candidate: the version that would.
        answers: for each case, whether the serving one and whether the candidate was right.
    """
    won = sum(theirs and not ours for ours, theirs in answers)
    lost = sum(ours and not theirs for ours, theirs in answers)
    return ModelTrial(
        slot=slot,
        serving=serving,
        candidate=candidate,
        cases=len(answers),
        serving_errors=sum(not ours for ours, _ in answers),
        candidate_errors=sum(not theirs for _, theirs in answers),
        chance_better=float(stats.beta.sf(0.5, 1 + won, 1 + lost)),
    )


def verdict(found: ModelTrial) -> TrialVerdict:
    """Return better, worse, or not yet."""
    if found.cases < LEAST_CASES:
        return TrialVerdict.NOT_YET
    if found.chance_better >= SURE and found.candidate_errors < found.serving_errors:
        return TrialVerdict.BETTER
    return TrialVerdict.WORSE if found.chance_better <= UNSURE else TrialVerdict.NOT_YET


def told(found: ModelTrial) -> str:
    """Return the figures of a trial in one sentence."""
    errors = f"the candidate errs in {found.candidate_errors} and what serves in {found.serving_errors}"
    sure = f"{found.chance_better:.1%} sure that it errs less"
    return f"on {found.cases} recorded cases {errors}: {verdict(found)} ({sure}; {SURE:.0%} are needed)"


def objections(found: ModelTrial, serving: ModelCard, candidate: ModelCard, *, served: bool) -> tuple[str, ...]:
    """Return what speaks against letting the candidate serve, as sentences; nothing when it may.

    One that has never `served` must be as good on held-out cases, too: the recorded ones may be of one kind.
    """
    against = []
    if verdict(found) is not TrialVerdict.BETTER:
        against.append(told(found))
    if served:
        return tuple(against)
    limit, error = error_limit(serving), candidate.metrics.get("error")
    if error is None:
        against.append(f"the card of `{candidate.version}` does not say how much it errs on held-out cases")
    elif error > limit:
        against.append(
            f"on held-out cases `{candidate.version}` errs in {error:.0%}, more than the limit of {limit:.0%}"
        )
    return tuple(against)
