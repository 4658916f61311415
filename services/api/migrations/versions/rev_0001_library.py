"""The library: artists, albums, tracks, analyses, vectors, scans, failures."""

from alembic import op

from services.api.migrations import run_file

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make all tables."""
    run_file("0001_library.sql", op.get_bind())


def downgrade() -> None:
    """Refuse: a backup is the way back."""
    raise NotImplementedError("migrations go forward only; restore a backup instead")
