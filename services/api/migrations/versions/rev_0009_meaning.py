"""What a trained model hears, and which one."""

from alembic import op

from services.api.migrations import run_file

revision = "0009"
down_revision = "0006"


def upgrade() -> None:
    """Make the column and tables."""
    run_file("0009_meaning.sql", op.get_bind())


def downgrade() -> None:
    """Refuse: a backup is the way back."""
    raise NotImplementedError("migrations go forward only; restore a backup instead")
