"""Asking the policy book about a proposal, with everything that the answer depends on pinned."""

from collections.abc import Mapping
from datetime import datetime

from control_plane.autonomy.standing import level_of
from control_plane.guards.collisions import collides
from control_plane.policy.in_force import version_in_force
from control_plane.road import Road
from control_plane.roster.attention import extra_signatures
from control_plane.tables import Tables
from domain.base import Word
from domain.decisions import Decision, Judgement, Rule, Ruling
from domain.diagnosis import Diagnosis
from domain.errors import NotFound
from domain.gate import Approval
from domain.identity import domain_of
from domain.incidents import Incident
from domain.planned_work import ChangeWindow, Freeze
from domain.proposals import Proposal
from domain.rehearsal import Rehearsal
from policies.calendar import frozen, in_window
from policies.chain import counts, signature_count
from policies.engine import Book, judge_plan
from policies.question import Question, bands, kind_of, questions

#: Named when this process has another book than the one in force.
OTHER_BOOK = Rule(id="books-differ", because="another policy book is in force than this process has loaded; it holds")


class Brief(Word):
    """All that a judgement of one proposal rests on; with the book, the moment and a number of signatures, it is all.

    `levels`: the autonomy that the requester has earned on the ground of each step. `policy`: the version of the book
    that is in force; empty where none was ever put in force. `extra_signatures`: how many more people must sign than
    book and chain say, because somebody who signed misses too much.
    """

    proposal: Proposal
    incident: Incident
    diagnosis: Diagnosis
    rehearsal: Rehearsal
    approvals: tuple[Approval, ...]
    freezes: tuple[Freeze, ...]
    regions: tuple[str, ...]
    kinds: dict[str, str]
    windows: tuple[ChangeWindow, ...] = ()
    levels: tuple[int, ...] = ()
    collides: bool = False
    residency: str = ""
    policy: str = ""
    extra_signatures: int = 0

    @property
    def yes(self) -> tuple[Approval, ...]:
        """What people said yes with, of exactly this plan."""
        return tuple(approval for approval in self.approvals if counts(approval, self.proposal))

    @property
    def signatures(self) -> int:
        """How many signatures of different people this plan has."""
        return signature_count(self.proposal, self.approvals)

    def under(self, book: Book) -> "Brief":
        """Return the same brief as it would be with `book` in force."""
        return self.but(policy=book.version)


def brief(road: Road, tables: Tables, proposal: Proposal) -> Brief:
    """Collect the brief of a rehearsed proposal. Raises NotFound when a part of it is missing."""
    incident = tables.incidents.get(proposal.incident_id)
    diagnosis = tables.diagnoses.get(proposal.diagnosis_id)
    rehearsal = tables.rehearsals.get(proposal.rehearsal_id or "")
    if incident is None or diagnosis is None or rehearsal is None:
        raise NotFound(f"proposal `{proposal.id}` is not rehearsed yet; try again in a moment")
    nodes, now = road.live.graph.nodes, road.clock.now()
    targets = [step.target for step in proposal.plan.steps]
    places = [region for target in targets for region in sorted(road.live.regions_of(target))]
    regions = tuple(dict.fromkeys((proposal.region, *places)))
    kinds = {target: str(nodes[target]["kind"]) for target in targets if target in nodes}
    freezes = tables.freezes.find(tenant=proposal.tenant)
    approvals = tuple(tables.approvals.find(proposal_id=proposal.id))
    signed_by = {approval.person for approval in approvals if counts(approval, proposal)}
    return Brief(
        proposal=proposal,
        incident=incident,
        diagnosis=diagnosis,
        rehearsal=rehearsal,
        approvals=approvals,
        freezes=tuple(freeze for freeze in freezes if freeze.ends_at >= now),
        regions=regions,
        kinds=kinds,
        windows=_windows(tables, proposal.tenant, regions, now),
        levels=_levels(tables, proposal, rehearsal, kinds, now),
        collides=collides(tables, proposal),
        residency="+".join(sorted(set(places))) or proposal.region,
        policy=version_in_force(tables),
        extra_signatures=extra_signatures(tables, proposal.tenant, signed_by, road.settings.miss_limit),
    )


def ask(about: Brief, at: datetime) -> tuple[Question, ...]:
    """Return the questions, one per step, as they stand at `at`."""
    asked_for = {about.proposal.requester, *about.proposal.on_behalf_of}
    return questions(
        about.proposal,
        about.rehearsal,
        about.diagnosis,
        about.incident,
        freeze=any(frozen(about.freezes, region, at) for region in about.regions),
        now=at,
        kinds=about.kinds,
        requester_signed=any(asked_for & {yes.account, yes.person} for yes in about.yes),
        levels=about.levels,
        in_window=all(in_window(about.windows, region, at) for region in about.regions),
        collides=about.collides,
        residency=about.residency or about.proposal.region,
    )


def rejudge(book: Book, about: Brief, at: datetime, signatures: int) -> Judgement:
    """Return what `book` says of a brief: a pure function, by which the road judges and the past is judged again.

    A book that is not the one in force holds everything; `Brief.under` asks what it would say if it were.
    """
    if about.policy and about.policy != book.version:
        error = f"book {about.policy[:16]} is in force, and this process has {book.version[:16]}; load the former"
        return Judgement(answer=Ruling.HOLD, rules=(OTHER_BOOK,), errors=(error,), policy_version=book.version)
    return judge_plan(book, ask(about, at), signatures)


def judge(road: Road, about: Brief, at: datetime, signatures: int) -> Judgement:
    """Return the book's answer with this many signatures of different people."""
    return rejudge(road.book, about, at, signatures)


def decision_of(road: Road, about: Brief, at: datetime, judgement: Judgement) -> Decision:
    """Return a judgement as a decision to be stored, with the context of its first question."""
    return Decision(
        id=road.id("dec"),
        proposal_id=about.proposal.id,
        plan_digest=about.proposal.plan_digest,
        rehearsal_id=about.rehearsal.id,
        judgement=judgement,
        context=ask(about, at)[0].context(about.signatures),
        made_at=at,
    )


def _windows(tables: Tables, tenant: str, regions: tuple[str, ...], now: datetime) -> tuple[ChangeWindow, ...]:
    """Return the windows that are not over, and for each region the last that is: it says that there are windows."""
    declared = tables.change_windows.find(tenant=tenant, region=regions)
    stands = [window for window in declared if window.withdrawn_at is None]
    over = {window.region: window for window in stands if window.ends_at < now}
    return (*over.values(), *(window for window in stands if window.ends_at >= now))


def _levels(
    tables: Tables, proposal: Proposal, rehearsal: Rehearsal, kinds: Mapping[str, str], now: datetime
) -> tuple[int, ...]:
    steps = zip(proposal.plan.steps, bands(rehearsal, len(proposal.plan.steps)), strict=True)
    return tuple(
        level_of(tables, proposal.tenant, proposal.requester, step.kind, domain_of(kind_of(step, kinds)), band, at=now)
        for step, band in steps
    )
