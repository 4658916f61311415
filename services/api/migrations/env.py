"""Alembic's environment: one transaction, in turn with other processes that migrate."""

from alembic import context
from sqlalchemy import Connection, text

_LOCK = 0x50_4E_51_42  # any number that nobody else takes


def _run(connection: Connection) -> None:
    # Held to the end of the transaction. A second process waits here, then finds all done.
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    context.configure(connection=connection, transaction_per_migration=False)
    with context.begin_transaction():
        context.run_migrations()


_run(context.config.attributes["connection"])
