"""Sketches of the map: shapes that a person keeps for himself."""

from alembic import op

from portal.migration_statements import run

revision = "0016_sketches"
down_revision = "0015_map_favourites"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run(op.get_bind(), revision)
