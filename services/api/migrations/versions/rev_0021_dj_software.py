"""Cues, beat grids and more that DJ software says of tracks."""

from alembic import op

from services.api.migrations import run_file

revision = "0021"
down_revision = "0017"


def upgrade() -> None:
    """Add the columns."""
    run_file("0021_dj_software.sql", op.get_bind())


def downgrade() -> None:
    """Refuse: a backup is the way back."""
    raise NotImplementedError("migrations go forward only; restore a backup instead")
