"""Finished tiles of the small scales of the map, drawn by a job for each edition of a layer."""

from alembic import op

revision = "0003_layer_drawings"
down_revision = "0002_audit_head"
branch_labels = None
depends_on = None

TYPES = {
    "sqlite": {"own_id": "INTEGER", "id": "INTEGER", "moment": "DATETIME", "bytes": "BLOB"},
    "postgresql": {"own_id": "BIGSERIAL", "id": "BIGINT", "moment": "TIMESTAMP WITH TIME ZONE", "bytes": "BYTEA"},
}
DRAWING = """CREATE TABLE layer_drawing (
    id {own_id} NOT NULL,
    layer_id {id} NOT NULL,
    edition_number INTEGER NOT NULL,
    drawn_at {moment} NOT NULL,
    tile_count INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (layer_id, edition_number),
    FOREIGN KEY(layer_id) REFERENCES layer (id)
)"""
TILE = """CREATE TABLE layer_tile (
    id {own_id} NOT NULL,
    drawing_id {id} NOT NULL,
    zoom INTEGER NOT NULL,
    tile_column INTEGER NOT NULL,
    tile_row INTEGER NOT NULL,
    content {bytes} NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (drawing_id, zoom, tile_column, tile_row),
    FOREIGN KEY(drawing_id) REFERENCES layer_drawing (id)
)"""


def upgrade() -> None:
    connection = op.get_bind()
    for statement in (DRAWING, TILE):
        connection.exec_driver_sql(statement.format(**TYPES[connection.dialect.name]))
