"""Asking before deciding. The record answers at once where it can, citing facts; else, and besides, a person does.

An answer decides nothing, and the proposal waits on: its time does not stop.
"""

from control_plane.approvals import lending
from control_plane.approvals.matters import at, done, guarded, proposal_of, readable
from control_plane.approvals.signing import check_signer
from control_plane.gate import entry, sign, waiting
from control_plane.horizon import Horizon, no_proposal
from control_plane.ports import Narrator, Written
from control_plane.rights import need
from control_plane.road import Road
from control_plane.roster import seeding
from control_plane.tables import Tables
from domain.answers import Answer
from domain.approvals import Enquiry
from domain.errors import Conflict, NotFound, Refused
from domain.gate import Choice
from domain.identity import Permission, Principal
from domain.proposals import Proposal
from policies.chain import is_agent, person_key

_NARRATOR = "agent:narrator"


def ask(road: Road, narrator: Narrator | None, who: Principal, proposal_id: str, question: str) -> Enquiry:
    """Ask about a proposal that waits. What the record answers is advice, and says on which facts it rests.

    Raises:
        BadInput: the question is empty, too long or cannot be read.
        NotFound, Refused, Conflict, Gone: as `signing.approve`.
    """
    asked = readable(question, "a question")
    if (tested := seeding.answer(road, who, proposal_id, Choice.ASK, asked)) is not None:
        return _tested(road, who, tested, asked)

    def check(tables: Tables) -> Proposal:
        proposal = proposal_of(road, tables, who, proposal_id)
        check_signer(road, tables, who, proposal, signed=False)
        return waiting(road, proposal, None)

    def keep() -> Enquiry:
        proposal = road.ledger.read(check)  # nobody is answered about what they may not decide on
        advice = narrator(f"{proposal.id}: {asked}", Horizon(road.live, who)) if narrator else None
        return done(road, lambda tables: _asked(road, tables, who, check(tables), asked, advice))

    return guarded(road, who, proposal_id, keep)


def _tested(road: Road, who: Principal, tested: Proposal, asked: str) -> Enquiry:
    """Answer a question about a card that tests attention: that it is one."""
    now, by = road.clock.now(), "plane"
    said = {"answer": tested.state_reason, "answered_by": by, "answered_at": now, "asked_at": now}
    names = {"tenant": who.tenant, "asked_by": who.name, "person": who.person}
    return Enquiry(id=road.id("enq"), proposal_id=tested.id, question=asked, **names, **said)


def answer(road: Road, who: Principal, enquiry_id: str, text: str) -> Enquiry:
    """Answer a question about a proposal, as a person.

    Raises:
        BadInput: the answer is empty, too long or cannot be read.
        NotFound: there is no such question for this caller.
        Refused: an agent, or an account without a person, answers.
        Conflict: a person has answered already.
    """
    said = readable(text, "an answer")

    def change(tables: Tables) -> Written[Enquiry]:
        need(who, Permission.READ)
        old = _enquiry(road, tables, who, enquiry_id)
        if is_agent(who) or not person_key(who.person):
            raise Refused(f"no person stands behind the account `{who.name}`; a question is answered by a person")
        if old.answer:
            raise Conflict(f"question `{old.id}` was answered by {old.answered_by}; ask another one")
        new = old.but(answer=said, answered_by=who.name, answered_at=road.clock.now())
        tables.enquiries.swap(old, new)
        proposal = tables.proposals.get(old.proposal_id)
        assert proposal is not None
        fields = {"question": old.question, "answer": said, "person": who.person, **who.on_behalf_of}
        return Written(new, (entry(road, "gate.enquiry.answered", who.name, proposal, (new.id,), **fields),))

    return guarded(road, who, enquiry_id, lambda: done(road, change))


def horizon(road: Road, tables: Tables, who: Principal) -> Horizon:
    """Return what the caller may see, by its own right and by what it is lent."""
    return Horizon(road.live, who, [loan.scope for loan in lending.loans(tables, who, road.clock.now())])


def about(road: Road, tables: Tables, who: Principal, proposal_id: str) -> list[Enquiry]:
    """Return what was asked about a proposal that the caller may see. Raises NotFound."""
    proposal = tables.proposals.get(proposal_id)
    if not horizon(road, tables, who).proposal(tables, proposal):
        raise no_proposal(proposal_id)
    return tables.enquiries.find(proposal_id=proposal_id)


def _asked(
    road: Road, tables: Tables, who: Principal, proposal: Proposal, question: str, advice: Answer | None
) -> Written[Enquiry]:
    now = road.clock.now()
    read = advice is not None and not advice.refused
    text = " ".join(sentence.text for sentence in advice.sentences) if advice and read else ""
    cites = tuple(dict.fromkeys(ref for s in advice.sentences for ref in s.cites)) if advice and read else ()
    enquiry = Enquiry(
        id=road.id("enq"),
        proposal_id=proposal.id,
        tenant=proposal.tenant,
        asked_by=who.name,
        person=who.person,
        question=question,
        asked_at=now,
        advice=text,
        cites=cites,
        answered_by=_NARRATOR if read else "",
        answered_at=now if read else None,
    )
    tables.enquiries.add(enquiry)
    approval = sign(road, tables, who, proposal, Choice.ASK, question)
    said = {"question": question, "advice": text, "person": who.person, **who.on_behalf_of}
    made = entry(road, "gate.proposal.asked", who.name, proposal, (enquiry.id, approval.id, *cites[:16]), **said)
    told = () if read else (at(road, "notify", enquiry.id, now),)
    return Written(enquiry, (made,), told)


def _enquiry(road: Road, tables: Tables, who: Principal, enquiry_id: str) -> Enquiry:
    found = tables.enquiries.get(enquiry_id)
    proposal = tables.proposals.get(found.proposal_id) if found else None
    if found is None or not horizon(road, tables, who).proposal(tables, proposal):
        raise NotFound(f"there is no question `{enquiry_id}`; look at the proposal for those that were asked")
    return found
