"""Whether a person paused the analysis."""

from alembic import op

from services.api.migrations import run_file

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make the table."""
    run_file("0011_analysis_pause.sql", op.get_bind())


def downgrade() -> None:
    """Refuse: a backup is the way back."""
    raise NotImplementedError("migrations go forward only; restore a backup instead")
