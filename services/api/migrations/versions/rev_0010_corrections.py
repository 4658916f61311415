"""What a person says of tracks, and what stands of tempo and key."""

from alembic import op

from services.api.migrations import run_file

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the table and the columns."""
    run_file("0010_corrections.sql", op.get_bind())


def downgrade() -> None:
    """Refuse: a backup is the way back."""
    raise NotImplementedError("migrations go forward only; restore a backup instead")
