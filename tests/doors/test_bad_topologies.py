"""`nocturne network check FILE`: a topology that cannot be is refused in one line that names what is wrong with it."""

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from api.cli import app
from domain.errors import BadInput
from tests.attacks.injected_texts import CONTROL, TEXTS
from tests.stage import ring
from twin.inventory import dump, parse

LINKS = "ietf-network-topology:link"
POINTS = "ietf-network-topology:termination-point"
Document = dict[str, Any]


def network(document: Document) -> Document:
    inner: Document = document["ietf-network:networks"]["network"][0]
    return inner


def spoiled(spoil: Callable[[Document], Any]) -> Document:
    document = copy.deepcopy(dump(ring()))
    spoil(network(document))
    return document


def refusal(folder: Path, content: bytes | str) -> str:
    """Return what `network check` says against a file with this content."""
    file = folder / "network.json"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    said = CliRunner().invoke(app, ["network", "check", str(file)])
    assert isinstance(said.exception, BadInput), said.output
    reason = said.exception.reason
    assert "\n" not in reason
    assert len(reason) < 1000
    return reason


def _dangle(net: Document) -> None:
    net[LINKS][0]["destination"]["dest-tp"] = "tp:gone"


def _dangle_node(net: Document) -> None:
    net[LINKS][0]["source"]["source-node"] = "node:gone"


def _loop(net: Document) -> None:
    on = [{"dependent": "power:a", "on": ["node:b"], "kind": "powered_by", "needs": 1}]
    net["nocturne:dependencies"] += [*on, {"dependent": "node:b", "on": ["node:a"], "kind": "powered_by", "needs": 1}]


def _long_loop(net: Document) -> None:
    ids = [f"power:{n}" for n in range(2000)]
    net["node"] += [{"node-id": id, "nocturne:kind": "power", "nocturne:name": id} for id in ids]
    pairs = zip(ids, [*ids[1:], ids[0]], strict=True)
    net["nocturne:dependencies"] += [{"dependent": a, "on": [b], "kind": "powered_by", "needs": 1} for a, b in pairs]


def _capacity(value: object) -> Callable[[Document], None]:
    def spoil(net: Document) -> None:
        net[LINKS][0]["nocturne:capacity-mbps"] = value

    return spoil


def _twice(part: str, name: str) -> Callable[[Document], None]:
    def spoil(net: Document) -> None:
        net[part].append(copy.deepcopy(net[part][0]))
        assert net[part][0][name]

    return spoil


def _one_id_for_two_kinds(net: Document) -> None:
    net["nocturne:demands"][0]["id"] = "node:a"


def _wrong(part: str, value: object) -> Callable[[Document], None]:
    def spoil(net: Document) -> None:
        net[part] = value

    return spoil


BAD: dict[str, tuple[Callable[[Document], Any], str]] = {
    "a dangling end": (_dangle, "link `link:a-b` dangles: `tp:gone`"),
    "a dangling node": (_dangle_node, "link `link:a-b` dangles"),
    "a loop of three": (_loop, "loop: "),
    "a loop of two thousand": (_long_loop, "loop: "),
    "negative capacity": (_capacity(-1), "link `link:a-b` has a bad `capacity-mbps`"),
    "no capacity": (_capacity(0), "link `link:a-b` has a bad `capacity-mbps`"),
    "capacity as a list": (_capacity([1]), "link `link:a-b` has a bad `capacity-mbps`"),
    "capacity as a word": (_capacity("wide"), "link `link:a-b` has a bad `capacity-mbps`"),
    "capacity null": (_capacity(None), "link `link:a-b` has a bad `capacity-mbps`"),
    "a node twice": (_twice("node", "node-id"), "`node:a` is used twice"),
    "a link twice": (_twice(LINKS, "link-id"), "link:a-b"),
    "a demand twice": (_twice("nocturne:demands", "id"), "`demand:a-b` is used twice"),
    "a node called as a demand": (_one_id_for_two_kinds, "`node:a` is used twice"),
    "nodes as an object": (_wrong("node", {"a": 1}), "`node` must be a list"),
    "a node as a word": (_wrong("node", ["a"]), "entry 0 of `node`"),
    "nodes as nothing": (_wrong("node", None), "`node` must be a list"),
    "links as a number": (_wrong(LINKS, 7), f"`{LINKS}` must be a list"),
    "demands as words": (_wrong("nocturne:demands", ["x"]), "entry 0 of `nocturne:demands`"),
    "too many slices": (_wrong("nocturne:slices", [{}] * 10_001), "nocturne:slices"),
    "a nameless network": (_wrong("network-id", ""), "`network-id`"),
    "an unknown part": (_wrong("colour", "blue"), "unknown field `colour`"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_is_named(tmp_path: Path, name: str) -> None:
    spoil, named = BAD[name]

    assert named in refusal(tmp_path, json.dumps(spoiled(spoil)))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe",
        b"[" * 900 + b"]" * 900,
        b"[" * 100_000,
        b'{"ietf-network:networks": NaN}',
        b'{"ietf-network:networks": {"network": []}, "ietf-network:networks": {}}',
        b'{"ietf-network:networks": {"network": [{}, {}]}}',
        b"<network/>",
    ],
    ids=lambda content: ascii(content[:30]),
)
def test_what_is_no_document_is_refused(tmp_path: Path, content: bytes) -> None:
    refusal(tmp_path, content)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "1" * 400])
def test_a_number_that_is_none_is_refused(tmp_path: Path, number: str) -> None:
    text = json.dumps(spoiled(_capacity("HERE"))).replace('"HERE"', number)

    refusal(tmp_path, text)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400])
def test_a_number_that_is_none_is_refused_by_the_reader_of_inventories_too(value: float) -> None:
    with pytest.raises(BadInput, match="link `link:a-b` has a bad `capacity-mbps`"):
        parse(spoiled(_capacity(value)))


def test_a_file_that_is_not_there_or_a_folder_is_told(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing.json", tmp_path):
        said = CliRunner().invoke(app, ["network", "check", str(path)])

        assert isinstance(said.exception, BadInput)
        assert str(path) in said.exception.reason


def test_the_program_says_it_in_one_line_and_ends_with_1(tmp_path: Path) -> None:
    (tmp_path / "n.json").write_text(json.dumps(spoiled(_dangle)))
    program = "import sys; from api.cli import main; sys.argv[0] = 'nocturne'; main()"
    command = [sys.executable, "-c", program, "network", "check", str(tmp_path / "n.json")]

    said = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr.startswith("nocturne: link `link:a-b` dangles")
    assert said.stderr.count("\n") == 1


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_a_name_of_the_topology_is_shown_and_does_nothing(tmp_path: Path, text: str) -> None:
    def rename(net: Document) -> None:
        net["node"][0]["nocturne:name"] = net["network-id"] = net["nocturne:customers"][0]["name"] = text

    (tmp_path / "n.json").write_text(json.dumps(spoiled(rename)))
    said = CliRunner().invoke(app, ["network", "check", str(tmp_path / "n.json")])

    assert said.exception is None or isinstance(said.exception, BadInput)
    assert said.exception is None or text in CONTROL
    assert all(sign.isprintable() or sign == "\n" for sign in said.output)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from(["node:a", "tp:a-b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(st.data())
def test_whatever_stands_somewhere_in_a_document_it_is_read_or_refused(data: st.DataObject) -> None:
    document = copy.deepcopy(dump(ring()))
    place: Any = network(document)
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = data.draw(values)

    with suppress(BadInput):  # anything else would be a defect of the reader
        assert parse(document).name
