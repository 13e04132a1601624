"""One suite for every second place: what the `Anchor` port promises."""

import resource
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from adapters.audit.anchors import FileAnchor, MemoryAnchor
from adapters.store.anchor import SqlAnchor
from control_plane.audit.ports import Anchor
from domain.errors import BadInput, Conflict, Unavailable
from domain.keeping import Checkpoint
from domain.records import record_id
from tests.postgresql import fresh_database

NOON = datetime(2026, 1, 12, 12, 0, tzinfo=UTC)
PLACES = ("memory", "file", "sqlite", "postgresql")


def checkpoint(sequence: int, *, tenant: str = "default", head: str = "a") -> Checkpoint:
    return Checkpoint(
        id=record_id(tenant, sequence),
        tenant=tenant,
        sequence=sequence,
        head=head * 64,
        root="b" * 64,
        peaks=(),
        key_id="k",
        signature="00",
        made_at=NOON,
    )


Opener = Callable[[], Anchor]


@pytest.fixture(params=PLACES)
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    """Return `open()`: the same place, opened once more."""
    match request.param:
        case "memory":
            kept = MemoryAnchor()
            yield lambda: kept
        case "file":
            yield lambda: FileAnchor(tmp_path / "elsewhere")
        case "sqlite":
            yield lambda: SqlAnchor(f"sqlite:///{tmp_path / 'anchor.db'}")
        case _:
            with fresh_database() as address:
                yield lambda: SqlAnchor(address)


@pytest.fixture
def anchor(opener: Opener) -> Iterator[Anchor]:
    anchor = opener()
    yield anchor
    anchor.close()


def test_what_was_kept_is_read_in_order_of_the_chain_and_of_one_tenant(anchor: Anchor) -> None:
    for each in (checkpoint(20), checkpoint(3, tenant="other"), checkpoint(100), checkpoint(7)):
        anchor.append(each)

    assert [each.sequence for each in anchor.read("default")] == [7, 20, 100]
    assert anchor.read("other") == [checkpoint(3, tenant="other")]
    assert anchor.read("nobody") == []
    assert anchor.damage() == []


def test_it_is_there_when_the_place_is_opened_again(anchor: Anchor, opener: Opener) -> None:
    anchor.append(checkpoint(1))

    again = opener()

    assert again.read("default") == [checkpoint(1)]
    again.close()


def test_the_same_once_more_changes_nothing(anchor: Anchor) -> None:
    anchor.append(checkpoint(1))
    anchor.append(checkpoint(1).but(signature="11"))

    assert anchor.read("default") == [checkpoint(1)]


def test_another_head_for_the_same_place_is_refused(anchor: Anchor) -> None:
    anchor.append(checkpoint(1))

    with pytest.raises(Conflict, match="another head of the chain is signed"):
        anchor.append(checkpoint(1, head="c"))

    assert anchor.read("default") == [checkpoint(1)]


def test_of_many_at_once_none_is_lost(anchor: Anchor) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: anchor.append(checkpoint(n)), range(1, 25)))

    assert [each.sequence for each in anchor.read("default")] == list(range(1, 25))
    assert anchor.damage() == []


# --- what is particular to files and databases


def test_a_file_belongs_to_its_owner_alone(tmp_path: Path) -> None:
    FileAnchor(tmp_path / "elsewhere").append(checkpoint(1))

    assert (tmp_path / "elsewhere" / "checkpoints.jsonl").stat().st_mode & 0o077 == 0


def test_a_line_that_a_crash_cut_off_is_told_and_the_next_is_whole(tmp_path: Path) -> None:
    anchor = FileAnchor(tmp_path)
    anchor.append(checkpoint(1))
    path = tmp_path / "checkpoints.jsonl"
    path.write_bytes(path.read_bytes() + b'{"head":"aa')

    anchor.append(checkpoint(2))

    assert [each.sequence for each in anchor.read("default")] == [1, 2]
    assert len(anchor.damage()) == 1


def test_a_second_checkpoint_of_one_place_that_somebody_wrote_is_told_and_does_not_count(tmp_path: Path) -> None:
    anchor, other = FileAnchor(tmp_path / "a"), FileAnchor(tmp_path / "b")
    anchor.append(checkpoint(1))
    other.append(checkpoint(1, head="c"))
    path = tmp_path / "a" / "checkpoints.jsonl"
    path.write_bytes(path.read_bytes() + (tmp_path / "b" / "checkpoints.jsonl").read_bytes())

    assert anchor.read("default") == [checkpoint(1)]
    assert "another checkpoint" in anchor.damage()[0]


def test_a_place_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(Unavailable, match="name another"):
        FileAnchor(tmp_path / "file" / "below")
    with pytest.raises(BadInput):
        SqlAnchor("mysql://nowhere/x")


@pytest.mark.parametrize(
    "statement",
    ["DELETE FROM nocturne_checkpoint", "UPDATE nocturne_checkpoint SET body = ''", "TRUNCATE nocturne_checkpoint"],
)
def test_a_server_lets_nobody_change_what_is_kept(statement: str) -> None:
    with fresh_database() as address:
        anchor = SqlAnchor(address)
        anchor.append(checkpoint(1))
        with psycopg.connect(address) as connection, pytest.raises(psycopg.Error, match="only added"):
            connection.execute(statement)
        assert anchor.read("default") == [checkpoint(1)]
        anchor.close()


def test_the_last_checkpoint_is_found_at_the_end_or_far_from_it(opener: Opener) -> None:
    anchor = opener()
    assert anchor.last("busy") is None
    anchor.append(checkpoint(1, tenant="quiet"))
    for sequence in range(1, 301):
        anchor.append(checkpoint(sequence, tenant="busy"))

    again = opener()
    assert again.last("busy") == again.read("busy")[-1] == checkpoint(300, tenant="busy")
    assert again.last("quiet") == checkpoint(1, tenant="quiet")
    with pytest.raises(Conflict):
        again.append(checkpoint(1, tenant="quiet", head="c"))
    anchor.close()
    again.close()


def test_what_a_full_disk_cut_off_is_no_damage(tmp_path: Path) -> None:
    anchor = FileAnchor(tmp_path)
    anchor.append(checkpoint(1))
    size = (tmp_path / "checkpoints.jsonl").stat().st_size
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, usual[1]))
    try:
        with pytest.raises(Unavailable):
            anchor.append(checkpoint(2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)

    anchor.append(checkpoint(2))
    assert anchor.damage() == []
    assert [each.sequence for each in anchor.read("default")] == [1, 2]
