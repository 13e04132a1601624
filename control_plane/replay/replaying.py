"""Making a past decision again, from what is pinned: diagnosis, plan, rehearsal and judgement, each from its inputs.

Nothing is read from a stored result but its digest, to compare with at the end. A damaged or altered input changes
the digest or is named; so does a program that reasons differently than the one that decided. Who altered a pin and
every digest in it has not altered the record, which names the digest of what was pinned: the two are held together.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from control_plane.judging import Brief, rejudge
from control_plane.ports import Diagnostician, Ledger, Planner
from control_plane.replay.codec import decode
from control_plane.replay.pins import inputs_of, plan_pin_id, result_digest, unpack
from control_plane.replay.tape import listening, playing
from control_plane.road import Road
from control_plane.tables import Tables
from control_plane.ways import WAYS
from domain.base import Word
from domain.canonical import digest
from domain.decisions import Judgement
from domain.diagnosis import Diagnosis
from domain.errors import BadInput, NocturneError, NotFound
from domain.incidents import IncidentClass
from domain.keeping import Pin, PinKind
from domain.network import Inventory
from domain.proposals import Draft
from domain.rehearsal import Rehearsal
from policies.engine import Book
from twin.snapshot import Snapshot


class Cast(Protocol):
    """Who makes results again: the agents and a road without a world, over one inventory."""

    def diagnostician(self, agent: str) -> Diagnostician:
        """Return the agent of this name. Raises NotFound."""

    def planner(self, agent: str) -> Planner:
        """Return the agent of this name. Raises NotFound."""

    def road(self) -> Road:
        """Return a road on which everything that changes by itself is silent."""


#: Makes a cast for an inventory and the run length of what watches the models.
Casting = Callable[[Inventory, float], Cast]
#: Returns the book of a version. Raises NotFound.
Books = Callable[[str], Book]


#: The field of a record that names the digest of the inputs.
PINNED = "pinned"


class Stage(Word):
    """One result made again. `note` says why it could not be, where it could not."""

    kind: PinKind
    id: str
    digest: str = ""
    same: bool = False
    note: str = ""


class Replayed(Word):
    """A decision made again: `digest` is over all its stages; `identical` when each came out as it did then."""

    decision: str
    proposal: str
    answer: str
    digest: str
    identical: bool
    stages: tuple[Stage, ...]


class Result(NamedTuple):
    """What came out of a pin."""

    made: Word | None
    digest: str


class Replayer:
    """Reads pins and makes their results again. Several threads may use it."""

    def __init__(self, ledger: Ledger, casting: Casting, books: Books) -> None:
        self._ledger, self._casting, self._books = ledger, casting, books
        self._casts: dict[tuple[Casting, str, float], Cast] = {}

    def decisions(self) -> list[str]:
        """Return the ids of all pinned decisions, oldest first."""
        return [pin.id for pin in self._ledger.read(lambda tables: tables.pins.find(kind=PinKind.DECISION))]

    def replay(self, decision_id: str) -> Replayed:
        """Make a decision and everything it rests on again.

        Raises:
            NotFound: no such decision is pinned.
            BadInput: what it was decided on is damaged.
        """
        pin = self._pin(decision_id)
        if pin is None or pin.kind is not PinKind.DECISION:
            raise NotFound(f"no decision `{decision_id}` is pinned; `nocturne show PROPOSAL` names those that are")
        about = _brief(pin)
        parts = (
            (self._pin(about.diagnosis.id), PinKind.DIAGNOSIS, about.diagnosis),
            (self._pin(plan_pin_id(about.proposal.id, about.diagnosis.id)), PinKind.PLAN, None),
            (self._pin(about.rehearsal.id), PinKind.REHEARSAL, about.rehearsal),
        )
        stages = [self._stage(part, kind, rests_on) for part, kind, rests_on in parts if part or rests_on]
        judged = self._stage(pin, PinKind.DECISION, None)
        stages.append(judged)
        answer = self.judge_again(pin).answer if not judged.note else ""
        return Replayed(
            decision=decision_id,
            proposal=about.proposal.id,
            answer=answer,
            digest=digest([[stage.kind, stage.digest] for stage in stages]),
            identical=all(stage.same for stage in stages),
            stages=tuple(stages),
        )

    def make_again(self, pin: Pin) -> Result:
        """Make the result of a pin again, from its inputs alone. Raises what stands in the way."""
        makers: dict[PinKind, Callable[[Pin], Word | None]] = {
            PinKind.DIAGNOSIS: self._diagnosis,
            PinKind.PLAN: self._plan,
            PinKind.REHEARSAL: self._rehearsal,
            PinKind.DECISION: self.judge_again,
        }
        made = makers[pin.kind](pin)
        return Result(made, result_digest(made))

    def judge_again(self, pin: Pin, book: Book | None = None) -> Judgement:
        """Ask the book of then what was asked, or another one as if it were in force."""
        inputs, about = inputs_of(pin), _brief(pin)
        at, signatures = datetime.fromisoformat(inputs["at"]), int(inputs["signatures"])
        if book is not None:
            return rejudge(book, about.under(book), at, signatures)
        return rejudge(self._books(inputs["policy_version"]), about, at, signatures)

    def diagnose_again(self, pin: Pin, casting: Casting | None = None) -> Diagnosis:
        """Have the agent of then, or of another cast, look at the pinned case."""
        inputs = inputs_of(pin)
        cast = self._cast(inputs, casting)
        snapshots = self._snapshots(inputs)
        with playing(inputs["cells"], snapshots):
            return cast.diagnostician(inputs["agent"]).diagnose(decode(inputs["case"], snapshots))

    def pins(self, kind: PinKind) -> list[Pin]:
        """Return the pins of one kind, oldest first."""
        return self._ledger.read(lambda tables: tables.pins.find(kind=kind))

    def _diagnosis(self, pin: Pin) -> Diagnosis:
        return self.diagnose_again(pin)

    def _plan(self, pin: Pin) -> Draft | None:
        inputs = inputs_of(pin)
        snapshots = self._snapshots(inputs)
        planner = self._cast(inputs).planner(inputs["agent"])
        with playing(inputs["cells"], snapshots):
            return planner.plan(decode(inputs["case"], snapshots))

    def _rehearsal(self, pin: Pin) -> Rehearsal:
        inputs = inputs_of(pin)
        snapshots = self._snapshots(inputs)
        road = listening(self._cast(inputs).road())
        way = WAYS[IncidentClass(inputs["about"])]
        with playing(inputs["cells"], snapshots):
            return way.rehearse(road, decode(inputs["proposal"], snapshots), snapshots[inputs["snapshot"]])

    def _stage(self, pin: Pin | None, kind: PinKind, rests_on: Word | None) -> Stage:
        """Make one result again. `rests_on` is what the decision was asked about: it must be what comes out."""
        if pin is None:
            return Stage(kind=kind, id=getattr(rests_on, "id", ""), note="nothing of it is pinned")
        try:
            made = self.make_again(pin).digest
        except NocturneError as error:
            return Stage(kind=kind, id=pin.id, note=error.reason)
        if rests_on is not None and result_digest(rests_on) != made:
            return Stage(kind=kind, id=pin.id, digest=made, note="the decision was asked about another one")
        if not self._is_recorded(pin):
            return Stage(kind=kind, id=pin.id, digest=made, note="the record does not tell of these inputs")
        return Stage(kind=kind, id=pin.id, digest=made, same=made == pin.result)

    def _is_recorded(self, pin: Pin) -> bool:
        """Say whether the audit record told, when the result was made, that it was made from these inputs."""
        named = pin.ref if pin.kind is PinKind.PLAN else pin.id
        told = (record.fields.get(PINNED) for record in self._ledger.records(pin.tenant, ref=named))
        return any(field is not None and field.value == pin.inputs_digest for field in told)

    def _pin(self, id: str) -> Pin | None:
        return self._ledger.read(lambda tables: tables.pins.get(id))

    def _cast(self, inputs: Mapping[str, Any], casting: Casting | None = None) -> Cast:
        key = (casting or self._casting, inputs["inventory"], inputs["model_run_length"])
        if key not in self._casts:
            self._casts[key] = key[0](self._inventory(inputs["inventory"]), inputs["model_run_length"])
        return self._casts[key]

    def _inventory(self, inventory_digest: str) -> Inventory:
        tape = self._ledger.read(lambda tables: tables.tapes.get(inventory_digest))
        if tape is None:
            raise NotFound(f"the inventory `{inventory_digest[:16]}` is not kept; the decision cannot be made again")
        inventory = Inventory.model_validate_json(unpack(tape.body))
        if Snapshot.of(inventory).topology.digest != inventory_digest:
            raise BadInput(f"the inventory `{inventory_digest[:16]}` is not the one that was pinned")
        return inventory

    def _snapshots(self, inputs: dict[str, Any]) -> dict[str, Snapshot]:
        """Return the snapshots that the inputs name, by digest."""
        named = {inputs["snapshot"]} if "snapshot" in inputs else set[str]()
        named |= set(_named(cell[1] for cell in inputs["cells"]))
        inventory = self._inventory(inputs["inventory"])

        def read(tables: Tables) -> dict[str, str]:
            states = {name: tables.twin_states.get(name) for name in sorted(named)}
            return {name: state.body for name, state in states.items() if state is not None}

        found = {name: Snapshot.load(body, inventory) for name, body in self._ledger.read(read).items()}
        for name in named:
            if name not in found or found[name].digest != name:
                raise BadInput(f"the state of the twin `{name[:16]}` is not the one that was pinned")
        return found


def _brief(pin: Pin) -> Brief:
    try:
        return Brief.model_validate(inputs_of(pin)["brief"])
    except (ValueError, KeyError) as error:
        raise BadInput(f"the brief of `{pin.id}` cannot be read: {str(error)[:200]}") from error


def _named(answers: Iterable[Any]) -> Iterable[str]:
    return (str(answer["snapshot"]) for answer in answers if isinstance(answer, dict) and "snapshot" in answer)
