"""Scans that wait for a person before files that seem lost are marked missing."""

from alembic import op

from services.api.migrations import run_file

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add what a held scan needs."""
    run_file("0002_held_scans.sql", op.get_bind())


def downgrade() -> None:
    """Refuse: a backup is the way back."""
    raise NotImplementedError("migrations go forward only; restore a backup instead")
