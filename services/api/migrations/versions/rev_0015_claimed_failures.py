"""Failures are claimed while they are replayed."""

from alembic import op

from services.api.migrations import run_file

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add the time of the claim."""
    run_file("0015_claimed_failures.sql", op.get_bind())


def downgrade() -> None:
    """Refuse: a backup is the way back."""
    raise NotImplementedError("migrations go forward only; restore a backup instead")
