"""What more the tags say: instruments, works, kinds, lyrics, other tags, imported facts."""

from alembic import op

from services.api.migrations import run_file

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the columns and tables."""
    run_file("0004_track_details.sql", op.get_bind())


def downgrade() -> None:
    """Refuse: a backup is the way back."""
    raise NotImplementedError("migrations go forward only; restore a backup instead")
