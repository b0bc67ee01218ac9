"""Shapes of sketches under an address that others may open."""

from alembic import op

from portal.migration_statements import run

revision = "0019_shared_ranges"
down_revision = "0018_feature_words"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run(op.get_bind(), revision)
