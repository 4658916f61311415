"""How much of a track was heard."""

from alembic import op

from services.api.migrations import run_file

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Make the column."""
    run_file("0013_heard.sql", op.get_bind())


def downgrade() -> None:
    """Refuse: a backup is the way back."""
    raise NotImplementedError("migrations go forward only; restore a backup instead")
