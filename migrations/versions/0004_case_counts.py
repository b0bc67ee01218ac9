"""An index from which the cases of a district are counted by light without reading the cases."""

from alembic import op

revision = "0004_case_counts"
down_revision = "0003_layer_drawings"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_case_district_light", "case_file", ["district_code", "status", "light", "id"])
