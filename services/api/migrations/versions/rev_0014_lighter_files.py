"""Less is written with a file that is read."""

from alembic import op

from services.api.migrations import run_file

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Drop and make indexes."""
    run_file("0014_lighter_files.sql", op.get_bind())


def downgrade() -> None:
    """Refuse: a backup is the way back."""
    raise NotImplementedError("migrations go forward only; restore a backup instead")
