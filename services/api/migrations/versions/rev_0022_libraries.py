"""Libraries can be moved and removed; what is no longer needed goes."""

from alembic import op

from services.api.migrations import run_file

revision = "0022"
down_revision = "0017"


def upgrade() -> None:
    """Add the columns and the table of removed tracks."""
    run_file("0022_libraries.sql", op.get_bind())


def downgrade() -> None:
    """Refuse: a backup is the way back."""
    raise NotImplementedError("migrations go forward only; restore a backup instead")
