"""What data managers write about layers; drawings are made anew, because their polygons now tell their district."""

from alembic import op

revision = "0012_layer_cards"
down_revision = "0011_maps_and_shares"
branch_labels = None
depends_on = None

TYPES = {
    "sqlite": {"own_id": "INTEGER", "id": "INTEGER", "moment": "DATETIME"},
    "postgresql": {"own_id": "BIGSERIAL", "id": "BIGINT", "moment": "TIMESTAMP WITH TIME ZONE"},
}
CARD = """CREATE TABLE layer_card (
    id {own_id} NOT NULL,
    layer_key VARCHAR(64) NOT NULL,
    summary VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    owner VARCHAR NOT NULL,
    update_cycle VARCHAR NOT NULL,
    security_level VARCHAR(16) NOT NULL,
    basis VARCHAR NOT NULL,
    version INTEGER NOT NULL,
    changed_at {moment} NOT NULL,
    changed_by {id},
    changed_by_name VARCHAR NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (layer_key),
    FOREIGN KEY(changed_by) REFERENCES person (id)
)"""


def upgrade() -> None:
    connection = op.get_bind()
    connection.exec_driver_sql(CARD.format(**TYPES[connection.dialect.name]))
    for table in ("layer_tile", "layer_drawing"):
        connection.exec_driver_sql(f"DELETE FROM {table}")
