"""A second place for checkpoints on a database of its own: another server, or another file, than the store's."""

import sqlalchemy as sa
from pydantic import ValidationError

from adapters.audit.anchors import parsed, require_same
from adapters.store.engine import Database
from adapters.store.texts import Exact
from domain.canonical import canonical
from domain.errors import Unavailable
from domain.keeping import Checkpoint

_METADATA = sa.MetaData()
_KEPT = sa.Table(
    "nocturne_checkpoint",
    _METADATA,
    sa.Column("id", Exact, primary_key=True),
    sa.Column("tenant", Exact, nullable=False, index=True),
    sa.Column("body", sa.Text, nullable=False),
)

_GUARDS = {
    "sqlite": (
        """
        CREATE TRIGGER IF NOT EXISTS checkpoint_is_kept BEFORE DELETE ON nocturne_checkpoint
        BEGIN SELECT RAISE(ABORT, 'checkpoints are only added'); END
        """,
        """
        CREATE TRIGGER IF NOT EXISTS checkpoint_is_unchanged BEFORE UPDATE ON nocturne_checkpoint
        BEGIN SELECT RAISE(ABORT, 'checkpoints are only added'); END
        """,
    ),
    "postgresql": (
        """
        CREATE OR REPLACE FUNCTION nocturne_only_added() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'checkpoints are only added' USING ERRCODE = 'integrity_constraint_violation'; END $$
        """,
        """
        CREATE OR REPLACE TRIGGER checkpoint_is_kept BEFORE UPDATE OR DELETE ON nocturne_checkpoint
        FOR EACH ROW EXECUTE FUNCTION nocturne_only_added()
        """,
        """
        CREATE OR REPLACE TRIGGER checkpoint_is_never_emptied BEFORE TRUNCATE ON nocturne_checkpoint
        FOR EACH STATEMENT EXECUTE FUNCTION nocturne_only_added()
        """,
    ),
}


class SqlAnchor:
    """The `Anchor` port on a database. Raises BadInput or Unavailable when it cannot be opened."""

    def __init__(self, where: str, *, busy_s: float = 10.0) -> None:
        self._database = Database(where, busy_s=busy_s)
        self.name = self._database.name
        try:
            with self._database.write() as connection:
                _METADATA.create_all(connection)
                for statement in _GUARDS[connection.dialect.name]:
                    connection.exec_driver_sql(statement)
        except BaseException:
            self._database.close()
            raise

    def append(self, checkpoint: Checkpoint) -> None:
        row = {"id": checkpoint.id, "tenant": checkpoint.tenant, "body": canonical(checkpoint).decode()}
        with self._database.write() as connection:
            body = connection.execute(sa.select(_KEPT.c.body).where(_KEPT.c.id == checkpoint.id)).scalar()
            if body is None:
                connection.execute(_KEPT.insert(), row)
                return
        try:
            kept = Checkpoint.model_validate_json(body)
        except ValidationError as error:
            raise Unavailable(f"the checkpoint `{checkpoint.id}` in `{self.name}` is damaged; look at it") from error
        require_same(kept, checkpoint)

    def read(self, tenant: str) -> list[Checkpoint]:
        query = sa.select(_KEPT.c.body).where(_KEPT.c.tenant == tenant).order_by(_KEPT.c.id)
        with self._database.read() as connection:
            return [found for body in connection.execute(query).scalars() if (found := parsed(body)) is not None]

    def last(self, tenant: str) -> Checkpoint | None:
        newest = sa.select(_KEPT.c.body).where(_KEPT.c.tenant == tenant).order_by(_KEPT.c.id.desc()).limit(1)
        with self._database.read() as connection:
            body = connection.execute(newest).scalar()
        if body is None:
            return None
        return parsed(body) or next(reversed(self.read(tenant)), None)  # the newest row may have been damaged

    def damage(self) -> list[str]:
        query = sa.select(_KEPT.c.id, _KEPT.c.tenant, _KEPT.c.body).order_by(_KEPT.c.id)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return [
            f"the row `{row.id}` in `{self.name}` is no checkpoint"
            for row in rows
            if (found := parsed(row.body)) is None or (found.id, found.tenant) != (row.id, row.tenant)
        ]

    def close(self) -> None:
        self._database.close()
