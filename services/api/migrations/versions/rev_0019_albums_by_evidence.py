"""Albums are grouped by evidence; one artist a MusicBrainz id; spellings are counted."""

from alembic import op

from services.api.migrations import run_file

revision = "0019"
down_revision = "0017"


def upgrade() -> None:
    """Add what grouping and counting need; merge artists of one id and genres of one key."""
    run_file("0019_albums_by_evidence.sql", op.get_bind())


def downgrade() -> None:
    """Refuse: a backup is the way back."""
    raise NotImplementedError("migrations go forward only; restore a backup instead")
