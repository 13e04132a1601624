"""What changed since somebody last looked, read off the record: it knows each move of a proposal, and who made it."""

from datetime import datetime

from control_plane.ports import Ledger
from domain.base import Utc, Word
from domain.proposals import Proposal
from domain.records import Record


class Changed(Word):
    """One matter that is not as it was when the arriving person last looked."""

    id: str
    title: str
    was: str
    now: str
    because: str
    by: str
    at: Utc


def differences(ledger: Ledger, tenant: str, proposals: list[Proposal], since: datetime) -> tuple[Changed, ...]:
    """Return, in order of time, which proposals are not in the state that they were in at `since`, by the record."""
    rows = []
    for proposal in proposals:
        moves = [record for record in ledger.records(tenant, ref=proposal.id) if _moves(record, proposal.id)]
        was = next((_state(record) for record in reversed(moves) if record.event_time <= since), "")
        later = [record for record in moves if record.event_time > since]
        if later and (_state(later[-1]) != was or not was):
            rows.append(_changed(proposal, was, later[-1]))
    return tuple(sorted(rows, key=lambda row: row.at))


def _moves(record: Record, proposal_id: str) -> bool:
    about = record.kind.split(".")[1] == "proposal" and record.refs[:1] == (proposal_id,)
    return about and "state" in record.fields and record.fields["state"].value is not None


def _state(record: Record) -> str:
    return str(record.fields["state"].value)


def _changed(proposal: Proposal, was: str, last: Record) -> Changed:
    because = last.fields["because"].value if "because" in last.fields else ""
    return Changed(
        id=proposal.id,
        title=proposal.title,
        was=was or "not there",
        now=_state(last),
        because=str(because or ""),
        by=last.actor,
        at=last.event_time,
    )
