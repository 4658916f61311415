"""The year beside the genre of a track, for lists of a genre by year."""

from alembic import op

from services.api.migrations import run_file

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Make the column and its index."""
    run_file("0012_genre_years.sql", op.get_bind())


def downgrade() -> None:
    """Refuse: a backup is the way back."""
    raise NotImplementedError("migrations go forward only; restore a backup instead")
