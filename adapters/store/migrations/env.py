"""Where Alembic finds its connection: it is handed one that is inside a writing transaction, and stays inside it."""

from alembic import context

from adapters.store.schema import METADATA, REVISIONS


def run() -> None:
    """Run the revisions that are missing."""
    connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        version_table=REVISIONS,
        render_as_batch=connection.dialect.name == "sqlite",  # SQLite can alter little of a table in place
    )
    with context.begin_transaction():
        context.run_migrations()


if hasattr(context, "config"):  # Alembic runs this file as a script; to be imported means nothing to it
    run()
