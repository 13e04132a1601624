"""Pinning: with each result, everything it was made from is stored in the same transaction.

A pin's inputs are JSON, compressed. Its digest goes into the record of the result, so that a pin that was altered
later is found out. Results are compared by digests that leave out what says nothing: new ids, and how long it took.
"""

import base64
import hashlib
import json
import zlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from control_plane.judging import Brief, decision_of
from control_plane.replay.codec import encode
from control_plane.replay.tape import Recording
from control_plane.road import Road
from control_plane.tables import Tables
from domain.agents import Case
from domain.base import Word
from domain.bookkeeping import TwinState
from domain.canonical import digest
from domain.decisions import Decision, Judgement
from domain.diagnosis import Diagnosis
from domain.errors import BadInput
from domain.incidents import IncidentClass
from domain.keeping import Pin, PinKind, Tape
from domain.proposals import Draft, Proposal
from domain.rehearsal import Rehearsal
from twin.snapshot import Snapshot

_IDLE = {"id", "seconds"}


def result_digest(result: Word | None) -> str:
    """Return the digest by which a result is compared with the same result made again."""
    return digest(None if result is None else result.model_dump(mode="json", exclude=_IDLE))


def of_diagnosis(road: Road, agent: str, case: Case, tape: Recording, made: Diagnosis) -> Pin:
    """Pin a diagnosis: the agent, the case it was handed, and what it heard from its tools."""
    inputs = _agents(road, agent, case, tape)
    return _pin(road, PinKind.DIAGNOSIS, made.id, case.incident.id, case.incident.tenant, inputs, made)


def of_plan(road: Road, agent: str, case: Case, tape: Recording, proposal: Proposal, made: Draft) -> Pin:
    """Pin what a planner drafted; a proposal that is renewed has one pin per diagnosis."""
    inputs = _agents(road, agent, case, tape)
    id = plan_pin_id(proposal.id, proposal.diagnosis_id)
    return _pin(road, PinKind.PLAN, id, proposal.id, proposal.tenant, inputs, made)


def of_rehearsal(road: Road, about: IncidentClass, proposal: Proposal, tape: Recording, made: Rehearsal) -> Pin:
    """Pin a rehearsal: the proposal as it was, the twin's state, and what was read of the world."""
    inputs = {
        "about": about.value,
        "proposal": encode(proposal),
        "snapshot": made.snapshot_digest,
        "cells": tape.cells,
        "inventory": _snapshot(road, tape).topology.digest,
        "model_run_length": road.settings.model_run_length,
    }
    return _pin(road, PinKind.REHEARSAL, made.id, proposal.id, proposal.tenant, inputs, made)


def decided(road: Road, tables: Tables, about: Brief, at: datetime, judgement: Judgement) -> tuple[Decision, str]:
    """Store a decision and what it was made from; return it with the digest of that.

    Pinned are the whole brief, the moment, the number of signatures and the version of the book.
    """
    decision = decision_of(road, about, at, judgement)
    inputs = {
        "brief": about.model_dump(mode="json"),
        "at": at.isoformat(),
        "signatures": about.signatures,
        "policy_version": judgement.policy_version,
    }
    proposal = about.proposal
    pin = _pin(road, PinKind.DECISION, decision.id, proposal.id, proposal.tenant, inputs, judgement)
    tables.decisions.add(decision)
    keep(road, tables, pin)
    return decision, pin.inputs_digest


def plan_pin_id(proposal_id: str, diagnosis_id: str) -> str:
    """Return the id of the pin of a plan: what was drafted for a proposal on one diagnosis."""
    return f"{proposal_id}@{diagnosis_id}"


def keep(road: Road, tables: Tables, pin: Pin, tape: Recording | None = None) -> None:
    """Store a pin, with the snapshots that it names and the inventory that they are of."""
    if tables.pins.get(pin.id) is None:
        tables.pins.add(pin)
    for snapshot in (tape.snapshots if tape else {}).values():
        keep_snapshot(road, tables, snapshot)
    topology = _snapshot(road, tape).topology
    if tables.tapes.get(topology.digest) is None:
        body = topology.inventory.model_dump_json()
        tables.tapes.add(Tape(id=topology.digest, body=pack(body), made_at=pin.made_at))


def keep_snapshot(road: Road, tables: Tables, snapshot: Snapshot) -> None:
    """Store the snapshot that a decision rests on, once."""
    if tables.twin_states.get(snapshot.digest) is None:
        state = TwinState(
            id=snapshot.digest,
            inventory_digest=snapshot.topology.digest,
            body=snapshot.body(),
            made_at=road.clock.now(),
        )
        tables.twin_states.add(state)


def pack(text: str) -> str:
    """Return a text, compressed."""
    return base64.b64encode(zlib.compress(text.encode(), 6)).decode()


def unpack(packed: str) -> str:
    """Return the text that `pack` compressed. Raises BadInput when it is damaged."""
    try:
        return zlib.decompress(base64.b64decode(packed, validate=True)).decode()
    except (ValueError, zlib.error) as error:
        raise BadInput(f"what is pinned is damaged: {error}") from error


def inputs_of(pin: Pin) -> dict[str, Any]:
    """Return the inputs of a pin.

    Raises:
        BadInput: they are damaged, or not those that were pinned.
    """
    text = unpack(pin.inputs)
    if hashlib.sha256(text.encode()).hexdigest() != pin.inputs_digest:
        raise BadInput(f"the inputs of `{pin.id}` are not those that were pinned")
    found: dict[str, Any] = json.loads(text)
    return found


def _pin(road: Road, kind: PinKind, id: str, ref: str, tenant: str, inputs: Mapping[str, Any], made: Word) -> Pin:
    text = json.dumps(inputs, separators=(",", ":"))
    return Pin(
        id=id,
        kind=kind,
        ref=ref,
        tenant=tenant,
        inputs=pack(text),
        inputs_digest=hashlib.sha256(text.encode()).hexdigest(),
        result=result_digest(made),
        made_at=road.clock.now(),
    )


def _agents(road: Road, agent: str, case: Case, tape: Recording) -> dict[str, Any]:
    return {
        "agent": agent,
        "case": encode(case),
        "cells": tape.cells,
        "inventory": _snapshot(road, tape).topology.digest,
        "model_run_length": road.settings.model_run_length,
    }


def _snapshot(road: Road, tape: Recording | None) -> Snapshot:
    """Return a snapshot of the inventory that was worked with: the present one may have grown meanwhile."""
    heard = next(iter(tape.snapshots.values()), None) if tape else None
    return heard or road.live.snapshot()
