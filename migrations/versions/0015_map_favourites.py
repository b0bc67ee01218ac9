"""The layers that people keep at hand on the map."""

from alembic import op

from portal.migration_statements import run

revision = "0015_map_favourites"
down_revision = "0013_layer_changes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run(op.get_bind(), revision)
