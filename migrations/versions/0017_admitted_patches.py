"""Patches that were admitted, with the cases they became."""

from alembic import op

from portal.migration_statements import run

revision = "0017_admitted_patches"
down_revision = "0016_sketches"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run(op.get_bind(), revision)
