"""Files are known by their content."""

from alembic import op

from services.api.migrations import run_file

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add what tells contents."""
    run_file("0003_file_contents.sql", op.get_bind())


def downgrade() -> None:
    """Refuse: a backup is the way back."""
    raise NotImplementedError("migrations go forward only; restore a backup instead")
