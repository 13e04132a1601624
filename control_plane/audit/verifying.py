"""Verifying a chain: link by link, through every signed checkpoint, and against what the executor has done.

Nothing that the store says is believed. What cannot be checked, because there is no second place or it does not
answer, is said.
"""

import json
from collections.abc import Iterator, Sequence

from control_plane.audit.ports import Vault
from control_plane.ports import Ledger
from control_plane.tables import Tables
from domain.base import Word
from domain.chains import Break, Follower
from domain.errors import Unavailable
from domain.keeping import Checkpoint
from domain.records import Row, record_id

_PAGE = 2000
_INTENDED = b'"kind":"act.step.intended"'


class AuditVerdict(Word):
    """Whether the chain verifies, and where it breaks if not.

    `since`: records up to this one were taken from a signed checkpoint, and not followed again (0: none were).
    `signed_to`: up to this record the second place vouches for the chain. `steps` counts what the executor has
    intended, `steps_recorded` what the record says of it: they must agree. `unchecked`: what could not be looked at.
    """

    records: int
    verified: bool
    first_bad: str = ""
    reason: str = ""
    since: int = 0
    signed_to: int = 0
    checkpoints: int = 0
    redactions: int = 0
    steps: int = 0
    steps_recorded: int = 0
    unchecked: tuple[str, ...] = ()


def verify(ledger: Ledger, vault: Vault | None, tenant: str, *, full: bool = True) -> AuditVerdict:
    """Verify the chain of a tenant and name the first bad record.

    Args:
        ledger: the store.
        vault: the second place, and the keys by which its checkpoints are known.
        tenant: whose chain.
        full: from the first record on; else from the newest signed checkpoint, whose past was verified before.
    """
    unchecked: list[str] = []
    checkpoints, forged = _checkpoints(ledger, vault, tenant, unchecked)
    since = None if full or not checkpoints else checkpoints[-1]
    before = _step_ids(ledger, tenant)  # the road goes on meanwhile: what was there before must be recorded,
    follower = Follower(tenant, since=since, checkpoints=checkpoints)
    recorded: set[str] = set()
    broken = _followed(ledger, follower, recorded) or _head_of(ledger, since) or follower.finish()
    after = _step_ids(ledger, tenant)  # and what is recorded must be there afterwards
    verdict = AuditVerdict(
        records=follower.next - 1,
        verified=True,
        since=since.sequence if since else 0,
        signed_to=checkpoints[-1].sequence if checkpoints else 0,
        checkpoints=len(checkpoints),
        redactions=follower.redactions,
        steps=len(after & (before | recorded)) if full else 0,
        steps_recorded=len(recorded) if full else 0,
        unchecked=tuple(unchecked),
    )
    worst = min(filter(None, (broken, forged)), key=lambda each: each.record_id, default=None)
    if worst is not None:
        return verdict.but(verified=False, first_bad=worst.record_id, reason=worst.reason)
    if full and (odd := sorted((before - recorded) | (recorded - after))):
        reason = f"executor and record do not agree on step `{odd[0]}`; follow `act.step.intended`"
        return verdict.but(verified=False, reason=reason)
    return verdict


def pages(ledger: Ledger, tenant: str, *, after: int = 0) -> Iterator[Row]:
    """Yield the rows of a chain, a page at a time."""
    while rows := ledger.rows(tenant, after=after, limit=_PAGE):
        yield from rows
        after = rows[-1].sequence


def trusted(vault: Vault, checkpoints: Sequence[Checkpoint]) -> tuple[list[Checkpoint], Break | None]:
    """Return those that a known key signed, and the first that none did."""
    good = [each for each in checkpoints if vault.signer.signed(each.key_id, each.payload, each.signature)]
    forged = next((each for each in checkpoints if each not in good), None)
    if forged is None:
        return good, None
    return good, Break(record_id=forged.id, reason="its checkpoint bears no signature of a known key: it is forged")


def _checkpoints(
    ledger: Ledger, vault: Vault | None, tenant: str, unchecked: list[str]
) -> tuple[list[Checkpoint], Break | None]:
    """Return the checkpoints that can be believed, and what is wrong with the others."""
    if vault is None:
        unchecked.append("there is no second place for checkpoints: a lost tail cannot be seen")
        return [], None
    try:
        kept, damage = vault.anchor.read(tenant), vault.anchor.damage()
    except Unavailable as error:
        unchecked.append(f"{error.reason}: a lost tail cannot be seen")
        return [], None
    good, forged = trusted(vault, kept)
    if forged is None and damage:
        forged = Break(record_id=record_id(tenant, 0), reason=f"the second place was altered: {damage[0]}")
    copies = ledger.read(lambda tables: tables.checkpoints.find(tenant=tenant))
    there = {each.id: each for each in kept}
    lost = next((copy for copy in copies if not _same(copy, there.get(copy.id))), None)
    if forged is None and lost is not None:
        forged = Break(
            record_id=lost.id, reason="its checkpoint is in the store, and not like that in the second place"
        )
    return good, forged


def _same(copy: Checkpoint, kept: Checkpoint | None) -> bool:
    """Two processes may sign the same head a moment apart; what counts is what was signed."""
    return kept is not None and (copy.tenant, copy.head, copy.root) == (kept.tenant, kept.head, kept.root)


def _followed(ledger: Ledger, follower: Follower, recorded: set[str]) -> Break | None:
    for row in pages(ledger, follower.tenant, after=follower.next - 1):
        if broken := follower.take(row):
            return broken
        if _INTENDED in row.body and (envelope := json.loads(row.body))["kind"] == "act.step.intended":
            recorded.update(envelope["refs"][:1])
    return None


def _head_of(ledger: Ledger, since: Checkpoint | None) -> Break | None:
    """Return what is wrong with the record that a checkpoint signed, where following began behind it."""
    if since is None:
        return None
    rows = ledger.rows(since.tenant, after=since.sequence - 1, limit=1)
    if rows and rows[0].sequence == since.sequence and f'"hash":"{since.head}"'.encode() in rows[0].body:
        return None
    return Break(record_id=since.id, reason=f"it is not the record that the checkpoint of {since.made_at} signed")


def _step_ids(ledger: Ledger, tenant: str) -> set[str]:
    def read(tables: Tables) -> set[str]:
        proposals = {proposal.id for proposal in tables.proposals.find(tenant=tenant)}
        executions = {each.id for each in tables.executions.find() if each.proposal_id in proposals}
        return {step.id for step in tables.steps.find() if step.execution_id in executions}

    return ledger.read(read)
