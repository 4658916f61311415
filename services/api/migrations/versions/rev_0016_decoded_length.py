"""The decoded length of tracks, exact loudness of albums, and which files are damaged."""

from alembic import op

from services.api.migrations import run_file

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Add the columns and the index."""
    run_file("0016_decoded_length.sql", op.get_bind())


def downgrade() -> None:
    """Refuse: a backup is the way back."""
    raise NotImplementedError("migrations go forward only; restore a backup instead")
