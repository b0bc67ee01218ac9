"""Saved thematic maps, saved views of the map with whom they are shared, and shares of layers with their uses."""

from alembic import op

from portal.migration_statements import run

revision = "0011_maps_and_shares"
down_revision = "0010_overlay_runs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run(op.get_bind(), revision)
