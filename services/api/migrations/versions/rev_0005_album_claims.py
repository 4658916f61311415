"""What files say of their album, so that an album is what its tracks say now."""

from alembic import op

from services.api.migrations import run_file

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the table and the column."""
    run_file("0005_album_claims.sql", op.get_bind())


def downgrade() -> None:
    """Refuse: a backup is the way back."""
    raise NotImplementedError("migrations go forward only; restore a backup instead")
