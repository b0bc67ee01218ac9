"""Who changed a layer, how and why, and the year of its data; updates that wait for confirmation."""

from alembic import op

from portal.migration_statements import run

revision = "0013_layer_changes"
down_revision = "0012_layer_cards"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run(op.get_bind(), revision)
