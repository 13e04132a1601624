"""A decision on the ring, made again from its pins alone: the same, unless an input is another one."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from adapters.models.memory import MemoryModels
from api.replay_room import Players
from control_plane.ports import Diagnostician, Planner, Written
from control_plane.replay.books import kept_books
from control_plane.replay.pins import inputs_of, pack
from control_plane.replay.replaying import Replayed, Replayer
from control_plane.replay.under import under_policy
from control_plane.road import Road
from control_plane.tables import Tables
from domain.decisions import Ruling
from domain.errors import BadInput, NotFound
from domain.keeping import Pin, PinKind, PolicyBook
from domain.network import Inventory
from domain.records import Entry
from policies.engine import BOOK, Book
from tests.stage import ScriptedDiagnostician, ScriptedPlanner, Stage

Alter = Callable[[dict[str, Any]], None]


class Scripted:
    """The scripted agents of the ring, and a road without a world."""

    def __init__(self, inventory: Inventory, steps: Any) -> None:
        self._players = Players(inventory, 1000.0, MemoryModels())
        self._steps = steps

    def diagnostician(self, agent: str) -> Diagnostician:
        assert agent == "diagnostics"
        return ScriptedDiagnostician()

    def planner(self, agent: str) -> Planner:
        assert agent == "provisioning"
        return ScriptedPlanner(self._steps)

    def road(self) -> Road:
        return self._players.road()


def replayer_of(stage: Stage) -> Replayer:
    steps = stage.proposal().plan.steps
    return Replayer(stage.ledger, lambda inventory, _: Scripted(inventory, steps), lambda _version: stage.road.book)


def the_decision(stage: Stage) -> str:
    decision = stage.proposal().decision_id
    assert decision is not None
    return decision


def again(stage: Stage) -> Replayed:
    return replayer_of(stage).replay(the_decision(stage))


def altered(stage: Stage, id: str, alter: Alter, *, hidden: bool) -> None:
    """Alter the inputs of a pin in the store; `hidden`: with a digest that fits them."""

    def change(tables: Any) -> Any:
        pin: Pin = tables.pins.get(id)
        inputs = inputs_of(pin)
        alter(inputs)
        text = json.dumps(inputs)
        digest = hashlib.sha256(text.encode()).hexdigest() if hidden else pin.inputs_digest
        assert tables.pins.swap(pin, pin.but(inputs=pack(text), inputs_digest=digest))
        entry = Entry(kind="test.pin.altered", actor="test", event_time=stage.clock.now())
        return Written(None, (entry,))

    stage.ledger.do(change)


def test_a_decision_comes_out_the_same_from_diagnosis_to_judgement(stage: Stage) -> None:
    stage.begin()

    made = again(stage)

    assert [stage.kind for stage in made.stages] == [
        PinKind.DIAGNOSIS,
        PinKind.PLAN,
        PinKind.REHEARSAL,
        PinKind.DECISION,
    ]
    assert made.identical, made.stages
    assert made.answer == Ruling.HOLD


def test_it_comes_out_the_same_when_the_world_has_gone_on(stage: Stage) -> None:
    stage.begin()
    before = again(stage)
    stage.recover()
    stage.settle(3.0)

    assert again(stage) == before


@pytest.mark.parametrize(
    ("kind", "alter"),
    [
        (PinKind.DECISION, lambda inputs: inputs["brief"]["rehearsal"].update(sound=False)),
        (PinKind.DECISION, lambda inputs: inputs.update(signatures=1)),
        (PinKind.REHEARSAL, lambda inputs: inputs["cells"].append(["live.observed", 1.0])),
        (PinKind.REHEARSAL, lambda inputs: inputs["proposal"]["is"]["plan"]["steps"][0].update(target="tp:b-a")),
        (PinKind.DIAGNOSIS, lambda inputs: inputs["case"]["is"]["alarms"].clear()),
    ],
)
def test_a_changed_input_is_found_out_whether_or_not_its_digest_was_changed_too(
    stage: Stage, kind: PinKind, alter: Alter
) -> None:
    stage.begin()
    before = again(stage)
    pin = next(pin for pin in replayer_of(stage).pins(kind) if pin.id in {s.id for s in before.stages})
    altered(stage, pin.id, alter, hidden=True)

    after = again(stage)

    assert not after.identical
    assert after.digest != before.digest


def test_a_pin_that_was_altered_with_all_its_digests_is_found_out_by_the_record(stage: Stage) -> None:
    stage.begin()
    decision, replayer = the_decision(stage), replayer_of(stage)
    altered(stage, decision, lambda inputs: inputs["brief"]["rehearsal"].update(sound=False), hidden=True)

    def fit(tables: Tables) -> Written[None]:
        pin = tables.pins.get(decision)
        assert pin is not None
        assert tables.pins.swap(pin, pin.but(result=replayer.make_again(pin).digest))
        return Written(None, (Entry(kind="test.pin.altered", actor="test", event_time=stage.clock.now()),))

    stage.ledger.do(fit)

    judged = replayer.replay(decision).stages[-1]
    assert not judged.same
    assert "record" in judged.note


def test_inputs_that_do_not_fit_their_digest_are_named(stage: Stage) -> None:
    stage.begin()
    rehearsal = stage.proposal().rehearsal_id
    assert rehearsal is not None
    altered(stage, rehearsal, lambda inputs: inputs.update(about="network "), hidden=False)

    stages = {one.kind: one for one in again(stage).stages}

    assert "are not those that were pinned" in stages[PinKind.REHEARSAL].note


def test_the_record_names_the_digest_of_what_was_pinned(stage: Stage) -> None:
    stage.begin()
    pinned = {pin.inputs_digest for kind in PinKind for pin in replayer_of(stage).pins(kind)}

    recorded = {record.fields["pinned"].value for record in stage.ledger.records() if "pinned" in record.fields}

    assert pinned
    assert pinned == recorded


def test_a_decision_that_never_was_is_not_found(stage: Stage) -> None:
    stage.begin()

    with pytest.raises(NotFound, match="pinned"):
        replayer_of(stage).replay("dec_nobody")


def test_a_book_that_was_never_in_force_is_named(stage: Stage) -> None:
    with pytest.raises(NotFound, match="not kept"):
        kept_books(stage.ledger)("0" * 64)


def test_a_kept_book_that_was_altered_is_not_believed(stage: Stage) -> None:
    files = {path.name: path.read_text("utf-8") for path in BOOK.glob("*.cedar")}
    schema = (BOOK / "schema.cedarschema").read_text("utf-8")
    version = "a" * 64  # another book's

    def change(tables: Tables) -> Written[None]:
        tables.policy_books.add(PolicyBook(id=version, files=files, schema_text=schema))
        return Written(None, (Entry(kind="test.book.kept", actor="test", event_time=stage.clock.now()),))

    stage.ledger.do(change)

    with pytest.raises(BadInput, match="altered"):
        kept_books(stage.ledger)(version)


def test_a_kept_book_judges_as_it_did(stage: Stage) -> None:
    files = {path.name: path.read_text("utf-8") for path in BOOK.glob("*.cedar")}
    schema = (BOOK / "schema.cedarschema").read_text("utf-8")
    version = Book(files, schema).version
    kept = PolicyBook(id=version, files=files, schema_text=schema)
    entry = Entry(kind="test.book.kept", actor="test", event_time=stage.clock.now())

    def change(tables: Any) -> Written[None]:
        if tables.policy_books.get(version) is None:
            tables.policy_books.add(kept)
        return Written(None, (entry,))

    stage.ledger.do(change)

    assert kept_books(stage.ledger)(version).version == version


def test_another_book_lists_exactly_the_decisions_that_would_change(stage: Stage) -> None:
    stage.begin()
    files = {path.name: path.read_text("utf-8") for path in BOOK.glob("*.cedar")}
    schema = (BOOK / "schema.cedarschema").read_text("utf-8")
    never = """
        @id("never")
        @because("nothing is brought up any more")
        forbid (principal, action == Action::"interface_up", resource);
    """

    found = under_policy(replayer_of(stage), Book(files | {"99.cedar": never}, schema))

    decided = replayer_of(stage).pins(PinKind.DECISION)
    assert found.asked == len(decided)
    assert [(one.was, one.would_be) for one in found.changed] == [(Ruling.HOLD, Ruling.DENY)] * len(found.changed)
    assert {one.id for one in found.changed} >= {the_decision(stage)}
    assert any("never" in reason for one in found.changed for reason in one.because)
    assert under_policy(replayer_of(stage), Book(files, schema)).changed == ()


def test_a_damaged_pin_is_an_error_with_a_reason(stage: Stage) -> None:
    stage.begin()
    pin = replayer_of(stage).pins(PinKind.DECISION)[0]

    with pytest.raises(BadInput, match="damaged"):
        inputs_of(pin.but(inputs="not base 64!"))
