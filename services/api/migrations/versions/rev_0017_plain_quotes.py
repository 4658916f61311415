"""Keys of names have plain apostrophes, quotes and dashes."""

from alembic import op

from services.api.migrations import run_file

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Make the stored keys plain."""
    run_file("0017_plain_quotes.sql", op.get_bind())


def downgrade() -> None:
    """Refuse: a backup is the way back."""
    raise NotImplementedError("migrations go forward only; restore a backup instead")
