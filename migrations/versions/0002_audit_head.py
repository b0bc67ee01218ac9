"""The head of the audit trail in a row of its own, so that entries cut off the end are missed."""

import sqlalchemy as sa
from alembic import op

from domain.columns import BIG_ID

revision = "0002_audit_head"
down_revision = "0001_spine"
branch_labels = None
depends_on = None

FIRST_LINK = "0" * 64


def upgrade() -> None:
    op.create_table(
        "audit_head",
        sa.Column("id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("entry_count", BIG_ID, nullable=False),
        sa.Column("entry_id", BIG_ID, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    # The trail as it stands is taken as whole: what was cut off before this day cannot be known.
    op.execute(
        "INSERT INTO audit_head (id, entry_count, entry_id, digest) "
        "SELECT 1, (SELECT COUNT(*) FROM audit_entry), COALESCE((SELECT MAX(id) FROM audit_entry), 0), "
        f"COALESCE((SELECT digest FROM audit_entry ORDER BY id DESC LIMIT 1), '{FIRST_LINK}')"
    )
