"""Smaller covers; covers that are not shown, and changed ones, are noticed."""

from alembic import op

from services.api.migrations import run_file

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the table and the column."""
    run_file("0006_covers.sql", op.get_bind())


def downgrade() -> None:
    """Refuse: a backup is the way back."""
    raise NotImplementedError("migrations go forward only; restore a backup instead")
