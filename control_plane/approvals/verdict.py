"""Are there enough signatures? Two answers, and a grant needs both: the policy book's and the approval chain's.

The book says how many people must sign, the chain which people and in which order. A plan that the book allows
unsigned has no chain: nobody is asked.
"""

from datetime import datetime
from typing import NamedTuple

from control_plane.judging import Brief, ask, judge
from control_plane.road import Road
from domain.decisions import Judgement, Ruling
from policies.engine import signatures_needed
from policies.stages import Chain, Progress, progress


class Verdict(NamedTuple):
    """`needed`: people that the book asks for; None where no number of them is enough."""

    judgement: Judgement
    needed: int | None
    chain: Chain
    progress: Progress

    @property
    def granted(self) -> bool:
        """Whether what people signed is enough for a grant."""
        return self.judgement.answer is Ruling.ALLOW and self.progress.full


def verdict(road: Road, about: Brief, at: datetime) -> Verdict:
    """Return what book and chain say of a proposal as it is signed now."""
    questions = ask(about, at)
    needed, chain = signatures_needed(road.book, questions), road.chains.of(questions)
    return Verdict(
        judgement=judge(road, about, at, about.signatures),
        needed=needed,
        chain=chain,
        progress=progress(chain, about.proposal, about.approvals, needed, extra=about.extra_signatures),
    )


def asked_next(road: Road, about: Brief, at: datetime) -> str:
    """Return the role whose signature a plan waits for."""
    standing = verdict(road, about, at).progress
    return str((standing.open or standing.last).stage.roles[0])


def missing(road: Road, about: Brief, at: datetime) -> list[str]:
    """Return which signatures a plan lacks that the book allows as it is signed, or nothing."""
    said = verdict(road, about, at)
    stage = said.progress.open
    if said.needed == 0 or stage is None:
        return []
    roles = " or ".join(stage.stage.roles)
    return [f"stage `{stage.stage.id}` of chain `{said.chain.id}` lacks {stage.missing} signature(s) of {roles}"]
